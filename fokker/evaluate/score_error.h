#pragma once
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/denoise/analytic.h"
#include "fokker/distributed/ranks.h"

namespace fokker {

/// How far a denoiser is from the exact one, at each of some times, with its Monte Carlo standard error.
struct ScoreError {
  std::vector<double> times;
  /// The Fisher divergence E|s(x_t, t) - grad log p_t(x_t)|^2 over x_t ~ p_t (the lecture on score matching,
  /// eq. 4.2), summed over dimensions.
  std::vector<double> fisher, fisher_error;
  /// E|eps_theta(x_t, t) - E[eps | x_t]|^2 = sigma^2 times the above: the denoising loss less its least
  /// value.
  std::vector<double> noise, noise_error;
  /// Averages over the times, with equal weights.
  double mean_fisher = 0, mean_noise = 0;
};

/// `samples` draws of x_t from the exact law at each time. Times must lie where sigma > 0. Argument errors
/// name a time or a dimension that does not fit. Ranks, which call it together, share the times.
ScoreError score_error(const Denoiser& denoiser, const AnalyticDenoiser& exact,
                       const std::vector<double>& times, int64_t samples, const Rng& rng,
                       at::TensorOptions type = at::kFloat, const Ranks& ranks = {});

}  // namespace fokker
