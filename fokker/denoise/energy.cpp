#include "fokker/denoise/energy.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/denoise/regressed.h"
#include "fokker/nn/product_precision.h"

namespace fokker {

EnergyDenoiser::EnergyDenoiser(std::shared_ptr<const Network> network, DenoiserSpec spec)
    : network_(std::move(network)), spec_(std::move(spec)) {
  check(network_ != nullptr, "EnergyDenoiser: expected a network but received none");
  check(spec_.is_energy(), "EnergyDenoiser: expected an energy but received a network of predictions ({})",
        spec_.name());
  check_spec(spec_);
}

Tensor EnergyDenoiser::potential(const Tensor& scaled, const Times& t, const Tensor& label) const {
  const Bf16Products products(network_->bf16_products());
  const Tensor value =
      network_->forward(scaled, network_time(spec_.time_input, spec_.process, t, scaled), label);
  check(value.dim() == 1 && value.size(0) == scaled.size(0),
        "EnergyDenoiser: expected a network of one number per row, ({}), but received {}", scaled.size(0),
        shape_string(value));
  return value;
}

bool EnergyDenoiser::trains() const {
  const auto& parameters = network_->parameters();
  return std::any_of(parameters.begin(), parameters.end(),
                     [](const NamedTensor& p) { return p.tensor.requires_grad(); });
}

Estimate EnergyDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  // Differentiated once more only where somebody will ask for it.
  const bool record = at::GradMode::is_enabled() && (x.requires_grad() || trains());
  const GradientMode gradients_on(true);
  const bool through_x = record && x.requires_grad();
  Tensor scaled = (through_x ? x : x.detach()) * input_scale(spec_, x, t);
  if (!through_x) scaled = scaled.detach().requires_grad_();
  const Tensor force = gradients(potential(scaled, t, label), {scaled}, /*create_graph=*/record)[0];
  return Estimate(x, force, spec_.native(), spec_.process, t);
} catch (...) {
  detail::throw_as_error();
}

Tensor EnergyDenoiser::energy(const Tensor& x, const Times& t, const Tensor& label) const try {
  const Tensor scaled = x * input_scale(spec_, x, t);
  const Tensor factor =
      t.map([&](double u) { return spec_.process.alpha(u) * spec_.sigma_data / spec_.process.sigma(u); }, x);
  return 0.5 * sum_events(scaled.square()) -
         (factor.dim() == 0 ? factor : factor.reshape({-1})) * potential(scaled, t, label);
} catch (...) {
  detail::throw_as_error();
}

std::unique_ptr<Denoiser> make_denoiser(std::shared_ptr<const Network> network, DenoiserSpec spec,
                                        const Tensor& regression) {
  check(!spec.is_energy() || !regression.defined(), "make_denoiser: expected no regression beside an energy");
  if (spec.is_energy()) return std::make_unique<EnergyDenoiser>(std::move(network), std::move(spec));
  auto learned = std::make_unique<LearnedDenoiser>(std::move(network), std::move(spec));
  if (!regression.defined()) return learned;
  return std::make_unique<RegressedDenoiser>(std::move(learned), regression);
}

DenoiserLaw::DenoiserLaw(std::shared_ptr<const Denoiser> denoiser, double t, int64_t dimension)
    : denoiser_(std::move(denoiser)), t_(t), dimension_(dimension) {
  check(denoiser_ != nullptr, "DenoiserLaw: expected a denoiser but received none");
  check(denoiser_->process().sigma(t) > 0, "DenoiserLaw: expected a time with sigma > 0 but received {}", t);
}

DenoiserLaw::DenoiserLaw(std::shared_ptr<const EnergyDenoiser> denoiser, double t, int64_t dimension)
    : DenoiserLaw(std::static_pointer_cast<const Denoiser>(denoiser), t, dimension) {
  energy_ = std::move(denoiser);
}

Tensor DenoiserLaw::log_density(const Tensor& x) const try {
  check(energy_ != nullptr,
        "{}: expected an energy model or a target with a density, as this denoiser knows only the score",
        name());
  return -energy_->energy(x, t_);
} catch (...) {
  detail::throw_as_error();
}

Tensor DenoiserLaw::score(const Tensor& x) const try {
  return denoiser_->estimate(x, t_).score();
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
