// The exact denoiser against 60-digit arithmetic: up to 3072 dimensions, sigma from 1e-4 to 1e3, points 100
// standard deviations and more away, and points between components.
#include <gtest/gtest.h>

#include "denoise/extreme_reference.h"
#include "fokker/denoise/analytic.h"

namespace fokker {
namespace {

double mean(int64_t k, int64_t j) {
  return static_cast<double>((7 * j + 13 * k) % 11 - 5) / 4;
}

GaussianMixture mixture_of(const ExtremeCase& c) {
  Tensor weights = at::empty({c.components}, at::kDouble),
         means = at::empty({c.components, c.dimension}, at::kDouble);
  Tensor variances = at::empty_like(means);
  for (int64_t k = 0; k < c.components; ++k) {
    weights[k] = static_cast<double>(1 + k % 3);
    for (int64_t j = 0; j < c.dimension; ++j) {
      means.accessor<double, 2>()[k][j] = mean(k, j);
      variances.accessor<double, 2>()[k][j] = static_cast<double>(1 + (j + 2 * k) % 3) / 4;
    }
  }
  if (c.kind == "points") return GaussianMixture(weights, means, at::zeros({}, at::kDouble));
  if (c.kind == "isotropic") return GaussianMixture(weights, means, at::full({}, 0.25, at::kDouble));
  return GaussianMixture(weights, means, variances);
}

Tensor point_of(const ExtremeCase& c) {
  Tensor x = at::empty({1, c.dimension}, at::kDouble);
  for (int64_t j = 0; j < c.dimension; ++j)
    x.accessor<double, 2>()[0][j] = c.place == "beside"
                                        ? mean(0, j) + c.reach * (static_cast<double>((3 * j) % 5 - 2) / 2)
                                        : (mean(0, j) + mean(1, j)) / 2 + c.reach * (mean(1, j) - mean(0, j));
  return x;
}

/// Relative to the largest of the three, as a mixture's coordinates share one rounding.
double relative_error(const Tensor& row, const double (&truth)[3]) {
  const int64_t d = row.size(1), at[3] = {0, d / 2, d - 1};
  double error = 0, size = 0;
  for (int i = 0; i < 3; ++i) {
    error = std::max(error, std::abs(row[0][at[i]].item<double>() - truth[i]));
    size = std::max(size, std::abs(truth[i]));
  }
  // NaN compares false and must not pass for small.
  return row.isfinite().all().item<bool>() ? error / size : HUGE_VAL;
}

/// Where components have covariances of their own, each weight is the exponential of a sum as large as the
/// log density, rounded; where they share one, only differences count.
double tolerance_of(const ExtremeCase& c) {
  return 1e-12 + (c.kind == "diagonal" ? 2.2e-16 * std::abs(c.log_density) : 0.0);
}

std::string name_of(const ExtremeCase& c) {
  return fmt::format("{} in {} dimensions, alpha {}, sigma {}, {}", c.kind, c.dimension, c.alpha, c.sigma,
                     c.place);
}

TEST(ExtremeDenoiserTest, MixturePosteriorIsThatOfLongArithmetic) {
  for (const ExtremeCase& c : extreme_cases) {
    const auto posterior = mixture_of(c).posterior(point_of(c), c.alpha, c.sigma);
    EXPECT_LT(relative_error(posterior.denoised, c.denoised), tolerance_of(c)) << name_of(c);
    EXPECT_LT(relative_error(posterior.noise, c.noise), tolerance_of(c)) << name_of(c);
    EXPECT_NEAR(posterior.log_density.item<double>() / c.log_density, 1, 1e-13) << name_of(c);
  }
}

TEST(ExtremeDenoiserTest, EstimateConvertsWithoutLoss) {
  for (const ExtremeCase& c : extreme_cases) {
    if (c.alpha != 1.0) continue;
    // alpha = 1 and sigma exactly as wanted, at t = 0.
    const AnalyticDenoiser denoiser(mixture_of(c), GaussianProcess(VarianceExploding{c.sigma, 10 * c.sigma}));
    const Estimate estimate = denoiser.estimate(point_of(c), 0.0);
    EXPECT_LT(relative_error(estimate.denoised(), c.denoised), 10 * tolerance_of(c)) << name_of(c);
    EXPECT_LT(relative_error(estimate.noise(), c.noise), 10 * tolerance_of(c)) << name_of(c);
    EXPECT_LT(relative_error(estimate.score() * -c.sigma, c.noise), 10 * tolerance_of(c)) << name_of(c);
  }
}

}  // namespace
}  // namespace fokker
