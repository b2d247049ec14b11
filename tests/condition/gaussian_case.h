#pragma once
// Posterior sampling where everything is known: a Gaussian prior, under which E[x_0 | x_t] is affine in x_t,
// and so is each step of the methods that are affine in it.
#include "fokker/condition/method/reverse_steps.h"
#include "fokker/condition/operator/operators.h"
#include "fokker/denoise/analytic.h"
#include "support.h"

namespace fokker {

/// N(m, C) in three dimensions, two rows of y = A x_0 + S n.
struct GaussianCase {
  Tensor mean = vector_of({0.5, -1.0, 0.3}),
         covariance = rows_of({{1.2, 0.5, -0.3}, {0.5, 0.6, 0.1}, {-0.3, 0.1, 0.9}});
  std::shared_ptr<const LinearOperator> a =
      std::make_shared<MatrixOperator>(rows_of({{1, 0.5, 0}, {0, 1, -1}}), std::vector<int64_t>{3});
  Tensor y = rows_of({{0.9, -1.5}, {-1.4, 0.2}});
  double noise = 0;
  GaussianProcess process{VariancePreserving{}};

  LinearMeasurement measurement() const { return LinearMeasurement(a, y, noise); }
  GaussianMixture prior() const { return GaussianMixture::gaussian(mean, covariance); }
  AnalyticDenoiser denoiser() const { return AnalyticDenoiser(prior(), process); }
  Tensor identity() const { return at::eye(3, at::kDouble); }
};

/// The law of x_t of one measured row, carried through affine steps.
struct GaussianLaw {
  Tensor mean, covariance;

  /// x <- m x + c + N(0, n).
  void step(const Tensor& m, const Tensor& c, const Tensor& n) {
    mean = m.matmul(mean) + c;
    covariance = m.matmul(covariance).matmul(m.t()) + n;
  }
};

/// E[x_0 | x_t] = gain x_t + offset.
struct AffineDenoiser {
  AffineDenoiser(const GaussianCase& of, double t) {
    const double alpha = of.process.alpha(t), sigma = of.process.sigma(t);
    const Tensor total = alpha * alpha * of.covariance + sigma * sigma * of.identity();
    gain = alpha * of.covariance.matmul(at::linalg_inv(total));
    offset = of.mean - alpha * gain.matmul(of.mean);
  }
  Tensor gain, offset;
};

inline GaussianLaw law_at_start(const GaussianCase& of, const TimeGrid& grid) {
  const double alpha = of.process.alpha(grid.times()[0]), sigma = of.process.sigma(grid.times()[0]);
  return {at::zeros({3}, at::kDouble), (alpha * alpha + sigma * sigma) * of.identity()};
}

/// Draws against a law: mean and covariance within five standard errors of each entry. Returns the largest
/// excess in them, so that a test may see it pass a wrong law by.
inline double errors_from(const Tensor& x, const GaussianLaw& law) {
  const auto n = static_cast<double>(x.size(0));
  const Tensor variance = law.covariance.diagonal().clamp_min(1e-20);
  const Tensor off = (x.mean(0) - law.mean).abs() / (variance / n).sqrt();
  const Tensor centred = x - x.mean(0);
  const Tensor found = centred.t().matmul(centred) / (n - 1);
  const Tensor scale = ((at::outer(variance, variance) + law.covariance.square()) / n).sqrt();
  return std::max(off.max().item<double>(), ((found - law.covariance).abs() / scale).max().item<double>());
}

}  // namespace fokker
