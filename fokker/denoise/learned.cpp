#include "fokker/denoise/learned.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/nn/product_precision.h"

namespace fokker {

LearnedDenoiser::LearnedDenoiser(std::shared_ptr<const Network> network, DenoiserSpec spec)
    : network_(std::move(network)), spec_(std::move(spec)) {
  check(network_ != nullptr, "LearnedDenoiser: expected a network but received none");
  check(!spec_.is_energy(), "LearnedDenoiser: expected a network of predictions but received an energy");
  check_spec(spec_);
}

namespace {

Estimate estimate_with(const Forward& network, const DenoiserSpec& spec, const Tensor& x, const Times& t,
                       const Tensor& label) try {
  const Tensor time = network_time(spec.time_input, spec.process, t, x);
  const Tensor input = spec.scale_input ? x * input_scale(spec, x, t) : x;
  return Estimate(x, network.forward(input, time, label), spec.prediction, spec.process, t);
} catch (...) {
  detail::throw_as_error();
}

/// A LearnedDenoiser with its network's frozen form.
class FrozenLearnedDenoiser final : public Denoiser {
 public:
  FrozenLearnedDenoiser(std::unique_ptr<const Forward> network, DenoiserSpec spec)
      : network_(std::move(network)), spec_(std::move(spec)) {}
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label) const override {
    return estimate_with(*network_, spec_, x, t, label);
  }
  const GaussianProcess& process() const override { return spec_.process; }

 private:
  std::unique_ptr<const Forward> network_;
  DenoiserSpec spec_;
};

}  // namespace

Estimate LearnedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const {
  const Bf16Products products(network_->bf16_products());
  return estimate_with(*network_, spec_, x, t, label);
}

std::shared_ptr<const Denoiser> LearnedDenoiser::frozen() const {
  std::unique_ptr<const Forward> network = network_->frozen();
  if (!network) return nullptr;
  return std::make_shared<FrozenLearnedDenoiser>(std::move(network), spec_);
}

}  // namespace fokker
