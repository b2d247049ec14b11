#pragma once
#include <memory>

#include "fokker/denoise/learned.h"
#include "fokker/target/distribution.h"

namespace fokker {

/// A network E_theta(x, t) with score = -grad_x E, so that the score is the gradient of something (the
/// lecture on score matching, section 4.2: p proportional to e^-f, score = -grad f). With rho^2 = sigma^2 +
/// alpha^2 sd^2 and a network N of one number per row,
///   E(x, t) = |x|^2 / (2 rho^2) - (alpha sd / sigma) N(x / rho, t),
///   score   = -x / rho^2 + (alpha sd / (sigma rho)) F,  F = grad_u N(u, t) at u = x / rho,
/// which is EDM's preconditioning (Karras et al. 2022) with F as its output: F is of unit size at every t,
/// for data of standard deviation sd, and N = 0 is the exact energy of N(0, sd^2 I). An estimate's native
/// value is F. Copies share the network.
class EnergyDenoiser final : public Denoiser {
 public:
  /// Argument error unless the specification is of an energy.
  EnergyDenoiser(std::shared_ptr<const Network> network, DenoiserSpec spec);

  /// Records gradients (of the parameters, and of x where it requires them) exactly where libtorch is
  /// recording; without recording, only the derivative within this call is taken.
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  /// E(x, t) in nats, (n): -log p_t(x) up to a constant of its own at each t (and label), so energies can be
  /// compared at one t only.
  Tensor energy(const Tensor& x, const Times& t, const Tensor& label = {}) const;

  const GaussianProcess& process() const override { return spec_.process; }
  const Network& network() const { return *network_; }
  const DenoiserSpec& spec() const { return spec_; }

 private:
  /// N(u, t), (n).
  Tensor potential(const Tensor& scaled, const Times& t, const Tensor& label) const;
  bool trains() const;

  std::shared_ptr<const Network> network_;
  DenoiserSpec spec_;
};

/// The denoiser that a network is by its specification: an EnergyDenoiser or a LearnedDenoiser, the latter
/// beside a regression on its conditions where there is one (RegressedDenoiser).
std::unique_ptr<Denoiser> make_denoiser(std::shared_ptr<const Network> network, DenoiserSpec spec,
                                        const Tensor& regression = {});

/// The law of x_t as a denoiser describes it: its score and, for an energy, its log density up to a constant.
class DenoiserLaw final : public Distribution {
 public:
  /// Of the score alone, whatever the denoiser is.
  DenoiserLaw(std::shared_ptr<const Denoiser> denoiser, double t, int64_t dimension);
  DenoiserLaw(std::shared_ptr<const EnergyDenoiser> denoiser, double t, int64_t dimension);

  std::string name() const override { return "denoiser's law at t = " + std::to_string(t_); }
  int64_t dimension() const override { return dimension_; }
  bool has_density() const override { return energy_ != nullptr; }
  bool has_score() const override { return true; }
  bool normalised() const override { return false; }
  Tensor log_density(const Tensor& x) const override;
  Tensor score(const Tensor& x) const override;

 private:
  std::shared_ptr<const Denoiser> denoiser_;
  std::shared_ptr<const EnergyDenoiser> energy_;
  double t_;
  int64_t dimension_;
};

}  // namespace fokker
