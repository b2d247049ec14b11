#pragma once
#include "fokker/objective/objective.h"

namespace fokker {

/// Denoising score matching at one noise level (the lecture on score matching, eq. 4.4; Vincent 2011):
///   |score_theta(x_t, t) + eps / sigma(t)|^2,  x_t = alpha x_0 + sigma eps, summed over the event.
class DenoisingScoreMatching final : public Objective {
 public:
  /// Argument error unless sigma(t) > 0 when used.
  explicit DenoisingScoreMatching(double t) : t_(t) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override;

 private:
  double t_;
};

/// The denoising autoencoder at one noise level (the notebook, section 2.4): |r(x_t) - x_0|^2 for the
/// reconstruction r = E_theta[x_0 | x_t], summed over the event. The optimum is r*(x) = (x + sigma^2 grad log
/// p_t(x)) / alpha.
class DenoisingAutoencoder final : public Objective {
 public:
  explicit DenoisingAutoencoder(double t) : t_(t) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override;

 private:
  double t_;
};

}  // namespace fokker
