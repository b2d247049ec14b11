#pragma once
#include "fokker/core/random/rng.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {

/// How far weighted samples are from a law that is known, as a posterior is (target/mixture_posterior.h).
struct PosteriorError {
  double mean = 0;  ///< |mean - exact| in units of the law's deviation, the root of its covariance's trace
  double covariance = 0;  ///< |covariance - exact| / |exact|, in the Frobenius norm
  double variance = 0;    ///< trace of the covariance / that of the exact one - 1: spread lost (< 0) or added
  double weights = 0;     ///< largest error of a component's weight, counted by responsibilities
  /// Sliced W_2 to as many exact samples, in units of the law's deviation a coordinate, and what exact
  /// samples themselves have.
  double sliced_wasserstein = 0, sliced_wasserstein_exact = 0;
};

/// x: (n, ...) flattened to the law's dimension; log_weights: (n) normalised, or undefined for equal ones.
/// Weighted samples are resampled (systematically) for the sliced distance. Where the law has no density,
/// weights are those of the nearest component. Argument errors: shapes, fewer than 2 samples.
PosteriorError posterior_error(const Tensor& x, const Tensor& log_weights, const GaussianMixture& exact,
                               const Rng& rng, int64_t projections = 128);

/// Shares of the components among weighted samples, by responsibilities: (k).
Tensor component_shares(const Tensor& x, const Tensor& log_weights, const GaussianMixture& law);

}  // namespace fokker
