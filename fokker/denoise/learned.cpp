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

Estimate LearnedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  const Tensor time = network_time(options_.time_input, process_, t, x);
  Tensor input = x;
  if (options_.scale_input)
    input = x * t.map(
                    [&](double u) {
                      const double a = process_.alpha(u) * options_.sigma_data, s = process_.sigma(u);
                      return 1.0 / std::sqrt(a * a + s * s);
                    },
                    x);
  const Bf16Products products(network_->bf16_products());
  return Estimate(x, network_->forward(input, time, label), prediction_, process_, t);
} catch (...) {
  detail::throw_as_error();
}

std::unique_ptr<const Denoiser> LearnedDenoiser::frozen() const {
  if (network_->bf16_products()) return nullptr;
  std::shared_ptr<const Network> network = network_->frozen();
  if (!network) return nullptr;
  return std::make_unique<LearnedDenoiser>(std::move(network), process_, prediction_, options_);
}

}  // namespace fokker
