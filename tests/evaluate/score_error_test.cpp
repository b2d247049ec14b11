#include "fokker/evaluate/score_error.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "support.h"

namespace fokker {
namespace {

/// The exact denoiser of N(1, 1) judged by that of N(0, 1). Both score x_t with variance v = alpha^2 +
/// sigma^2, so the scores differ by alpha/v everywhere and the divergence is alpha^2 / v^2, without Monte
/// Carlo error.
TEST(ScoreErrorTest, OfAShiftedGaussianIsTheClosedForm) {
  const GaussianProcess process(Flow{});
  const AnalyticDenoiser exact(GaussianMixture::gaussian(vector_of({0.0}), at::ones({}, at::kDouble)),
                               process);
  const AnalyticDenoiser shifted(GaussianMixture::gaussian(vector_of({1.0}), at::ones({}, at::kDouble)),
                                 process);
  const ScoreError error = score_error(shifted, exact, {0.2, 0.7}, 10, Rng(1), at::kDouble);
  double sum = 0;
  for (size_t i = 0; i < 2; ++i) {
    const double t = error.times[i], alpha = 1 - t, v = alpha * alpha + t * t;
    EXPECT_NEAR(error.fisher[i], alpha * alpha / (v * v), 1e-12);
    EXPECT_NEAR(error.noise[i], t * t * alpha * alpha / (v * v), 1e-12);
    EXPECT_NEAR(error.fisher_error[i], 0, 1e-12);
    sum += error.fisher[i];
  }
  EXPECT_NEAR(error.mean_fisher, sum / 2, 1e-15);
  EXPECT_EQ(score_error(exact, exact, {0.5}, 10, Rng(1), at::kDouble).mean_fisher, 0);
}

/// Twice the variance: scores differ by x (1/v' - 1/v), so the divergence is v (1/v' - 1/v)^2.
TEST(ScoreErrorTest, IsAnExpectationUnderTheExactLaw) {
  const GaussianProcess process(Flow{});
  const AnalyticDenoiser exact(GaussianMixture::gaussian(vector_of({0.0, 0.0}), at::ones({}, at::kDouble)),
                               process);
  const AnalyticDenoiser wide(
      GaussianMixture::gaussian(vector_of({0.0, 0.0}), at::full({}, 2.0, at::kDouble)), process);
  const ScoreError error = score_error(wide, exact, {0.4}, 100'000, Rng(2), at::kDouble);
  const double v = 0.36 + 0.16, w = 2 * 0.36 + 0.16, truth = 2 * v * std::pow(1 / w - 1 / v, 2);
  EXPECT_NEAR(error.fisher[0], truth, 4.5 * error.fisher_error[0]);
  // chi^2 with 2 degrees of freedom has deviation equal to its mean.
  EXPECT_NEAR(error.fisher_error[0], truth / std::sqrt(1e5), 0.03 * truth / std::sqrt(1e5));
  EXPECT_THROW(score_error(wide, exact, {0.0}, 10, Rng(2)), Error);
}

}  // namespace
}  // namespace fokker
