#pragma once
#include "fokker/condition/measurement.h"
#include "fokker/course/problem/joint_gaussian.h"
#include "fokker/denoise/analytic.h"
#include "fokker/sample/time_grid.h"

namespace fokker {

/// y = A x_0 + S n with x_0 ~ N(m, C): E[x_0 | x_t] is affine in x_t, and so is every step of the methods
/// that are affine in it, so that the law of what they draw follows from a recursion of means and
/// covariances.
struct GaussianInverse {
  Tensor mean, covariance;                  ///< m (d), C (d, d)
  std::shared_ptr<const LinearOperator> a;  ///< of full row rank
  Tensor y;                                 ///< (output)
  double noise = 0;                         ///< S
  GaussianProcess process{VariancePreserving{}};

  LinearMeasurement measurement() const { return LinearMeasurement(a, y.unsqueeze(0), noise); }
  GaussianMixture prior() const { return GaussianMixture::gaussian(mean, covariance); }
  AnalyticDenoiser denoiser() const { return AnalyticDenoiser(prior(), process); }
  /// m + C A^T (A C A^T + S^2)^-1 (y - A m), C - C A^T (A C A^T + S^2)^-1 A C.
  GaussianLaw posterior() const;
  /// Of dimension d: C with eigenvalues from 2 down to 0.2 in random directions, A = about half as many
  /// random projections as there are dimensions, y drawn from the model, S = 0.3.
  static GaussianInverse random(int64_t dimension, const Rng& rng);
};

// The laws of what each method draws on these times, by the formulas of its paper (fokker/condition/method).
GaussianLaw replacement_law(const GaussianInverse& problem, const TimeGrid& grid);
GaussianLaw ddnm_law(const GaussianInverse& problem, const TimeGrid& grid);
/// With the step size of the squared misfit.
GaussianLaw dps_law(const GaussianInverse& problem, const TimeGrid& grid, double step);
GaussianLaw pigdm_law(const GaussianInverse& problem, const TimeGrid& grid);
/// With the exact covariance of x_0 given x_t.
GaussianLaw mmps_law(const GaussianInverse& problem, const TimeGrid& grid);
/// Of split Gibbs at its last distance rho: the posterior at the noise S^2 I + rho^2 A A^T.
GaussianLaw gibbs_law(const GaussianInverse& problem, double rho);

}  // namespace fokker
