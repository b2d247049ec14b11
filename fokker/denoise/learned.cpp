#include "fokker/denoise/learned.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/nn/product_precision.h"

namespace fokker {

LearnedDenoiser::LearnedDenoiser(std::shared_ptr<const Network> network, GaussianProcess process,
                                 Prediction prediction, Options options)
    : network_(std::move(network)), process_(std::move(process)), prediction_(prediction), options_(options) {
  check(network_ != nullptr, "LearnedDenoiser: expected a network but received none");
  check(!options_.energy, "LearnedDenoiser: expected a network of predictions but received an energy");
}

Tensor network_time(const TimeInput& input, const GaussianProcess& process, const Times& t, const Tensor& x) {
  const auto at_time = [&](double u) {
    if (input.kind == TimeInput::Kind::quarter_log_sigma) return -0.125 * process.log_snr(u);
    return input.scale * u + input.offset;
  };
  return t.is_scalar() ? at::full({1}, at_time(t.scalar()), x.options())
                       : t.map(at_time, x).reshape({x.size(0)});
}

namespace {

Estimate estimate_with(const Forward& network, const GaussianProcess& process, const Prediction& prediction,
                       const LearnedDenoiser::Options& options, const Tensor& x, const Times& t,
                       const Tensor& label) {
  const Tensor time = network_time(options.time_input, process, t, x);
  Tensor input = x;
  if (options.scale_input)
    input = x * t.map(
                    [&](double u) {
                      const double a = process.alpha(u) * options.sigma_data, s = process.sigma(u);
                      return 1.0 / std::sqrt(a * a + s * s);
                    },
                    x);
  return Estimate(x, network.forward(input, time, label), prediction, process, t);
}

/// A LearnedDenoiser with its network's frozen form.
class FrozenLearnedDenoiser final : public Denoiser {
 public:
  FrozenLearnedDenoiser(std::unique_ptr<const Forward> network, const LearnedDenoiser& of)
      : network_(std::move(network)),
        process_(of.process()),
        prediction_(of.prediction()),
        options_(of.options()) {}
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label) const override try {
    return estimate_with(*network_, process_, prediction_, options_, x, t, label);
  } catch (...) {
    detail::throw_as_error();
  }
  const GaussianProcess& process() const override { return process_; }

 private:
  std::unique_ptr<const Forward> network_;
  GaussianProcess process_;
  Prediction prediction_;
  LearnedDenoiser::Options options_;
};

}  // namespace

Estimate LearnedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  const Bf16Products products(network_->bf16_products());
  return estimate_with(*network_, process_, prediction_, options_, x, t, label);
} catch (...) {
  detail::throw_as_error();
}

std::unique_ptr<const Denoiser> LearnedDenoiser::frozen() const {
  if (network_->bf16_products()) return nullptr;
  std::unique_ptr<const Forward> network = network_->frozen();
  if (!network) return nullptr;
  return std::make_unique<FrozenLearnedDenoiser>(std::move(network), *this);
}

}  // namespace fokker
