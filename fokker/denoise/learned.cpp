#include "fokker/denoise/learned.h"

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/nn/product_precision.h"

namespace fokker {

LearnedDenoiser::LearnedDenoiser(std::shared_ptr<const Network> network, DenoiserSpec spec)
    : network_(std::move(network)), spec_(std::move(spec)) {
  check(network_ != nullptr, "LearnedDenoiser: expected a network but received none");
  check(!spec_.is_energy(), "LearnedDenoiser: expected a network of predictions but received an energy");
  check_spec(spec_);
}

Estimate LearnedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const {
  const Tensor time = network_time(spec_.time_input, process(), t, x);
  Tensor input = x;
  if (spec_.scale_input)
    input = x * t.map(
                    [&](double u) {
                      const double a = spec_.process.alpha(u) * spec_.sigma_data, s = spec_.process.sigma(u);
                      return 1.0 / std::sqrt(a * a + s * s);
                    },
                    x);
  const Bf16Products products(network_->bf16_products());
  return Estimate(x, network_->forward(input, time, label), spec_.prediction, spec_.process, t);
}

std::unique_ptr<const Denoiser> LearnedDenoiser::frozen() const {
  if (network_->bf16_products()) return nullptr;
  std::shared_ptr<const Network> network = network_->frozen();
  if (!network) return nullptr;
  return std::make_unique<LearnedDenoiser>(std::move(network), spec_);
}

}  // namespace fokker
