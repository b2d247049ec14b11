#include "fokker/process/noising.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fokker/core/error.h"

namespace fokker {
namespace {

/// Without noise the path is alpha(t) x_0; the variance of x_t given x_0 is sigma(t)^2 at every time, within
/// five standard errors of a variance.
TEST(NoisingPaths, HaveTheLawOfTheProcess) {
  const GaussianProcess process = VariancePreserving{};
  const std::vector<double> times = {0, 0.1, 0.35, 1};
  const int64_t n = 20'000;
  const Tensor x0 = at::full({n, 1}, 3.0, at::kDouble);
  const Tensor still = noising_paths(
      process, x0, times, [](IntArrayRef shape, DrawPosition) { return at::zeros(shape, at::kDouble); });
  const Tensor moved = noising_paths(process, x0, times, Rng(1).noise_source(at::kDouble));
  for (size_t i = 0; i < times.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    const double mean = 3 * process.alpha(times[i]), variance = std::pow(process.sigma(times[i]), 2);
    EXPECT_NEAR(still[row][0].item<double>(), mean, 1e-12);
    EXPECT_NEAR((moved[row] - mean).square().mean().item<double>(), variance,
                5 * variance * std::sqrt(2.0 / n));
  }
  EXPECT_THROW(noising_paths(process, x0, {0, 0.5, 0.5}, Rng(1).noise_source(at::kDouble)), Error);
}

}  // namespace
}  // namespace fokker
