#pragma once
#include "fokker/objective/implicit.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {

/// Explicit score matching (the lecture on score matching, eq. 4.2) across noise levels, where the data's law
/// is a known mixture (or the empirical distribution of the data), whose noised score is exact:
///   w(t) sigma^2 |s_theta(x_t, t) - grad log p_t(x_t)|^2 / d.
/// Its least value is zero: the noise of the denoising loss is averaged out. Labels are not used.
class ExplicitObjective final : public Objective {
 public:
  ExplicitObjective(GaussianMixture target, ScoreMatchingOptions options)
      : target_(std::move(target)), options_(std::move(options)) {}
  explicit ExplicitObjective(GaussianMixture target)
      : ExplicitObjective(std::move(target), ScoreMatchingOptions()) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override;

 private:
  GaussianMixture target_;
  ScoreMatchingOptions options_;
};

}  // namespace fokker
