#include "fokker/course/verify/problems.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "support.h"

namespace fokker::verify {
namespace {

TEST(Quadratures, HaveTheMomentsOfTheirLaws) {
  const Quadrature z = normal_quadrature(2, 41);
  EXPECT_NEAR(z.mean(z.x.select(1, 0).pow(4)), 3, 1e-10);
  EXPECT_NEAR(z.mean((z.x.select(1, 0) * z.x.select(1, 1)).square()), 1, 1e-10);
  EXPECT_NEAR(z.mean(z.x.select(1, 1).cos()), std::exp(-0.5), 1e-10);
  const GaussianMixture mixture = tilted_mixture();
  const Quadrature q = mixture_quadrature(mixture, 41);
  const Tensor centred = q.x - mixture.mean();
  EXPECT_LT(worst((q.weights.unsqueeze(1) * q.x).sum(0), mixture.mean()), 1e-10);
  EXPECT_LT(worst((q.weights.unsqueeze(1) * centred).t().matmul(centred), mixture.covariance()), 1e-10);
  const NoisedQuadrature pairs = noised_quadrature(skewed_mixture(), 41);
  EXPECT_NEAR(pairs.mean((pairs.x0 * pairs.noise).squeeze(1)), 0, 1e-12);
  EXPECT_NEAR(pairs.mean((pairs.x0 * pairs.noise.square()).squeeze(1)),
              skewed_mixture().mean().item<double>(), 1e-10);
}

TEST(MixtureDistribution, HasTheDensityAsItsDerivative) {
  const Tensor x = at::linspace(-4, 4, 17, at::kDouble);
  const double h = 1e-5;
  const GaussianMixture m = skewed_mixture();
  EXPECT_LT(worst((mixture_distribution(m, x + h) - mixture_distribution(m, x - h)) / (2 * h),
                  m.log_density(x.unsqueeze(1)).exp()),
            1e-9);
}

// N(0, 1): the eigenvalues are 0, -1, -2, ... with Hermite polynomials.
TEST(LangevinSpectrum, OfTheNormalLaw) {
  const Tensor grid = at::linspace(-8, 8, 401, at::kDouble);
  const LangevinSpectrum spectrum(grid, -0.5 * grid.square());
  EXPECT_NEAR(spectrum.gap(), 1, 1e-3);
  EXPECT_NEAR(spectrum.correlation(grid, grid, 0.7), std::exp(-0.7), 1e-3);
  const Tensor second = grid.square() - 1;
  EXPECT_NEAR(spectrum.correlation(second, second, 0.7), 2 * std::exp(-1.4), 2e-3);
  EXPECT_NEAR(spectrum.correlation(grid, second, 0.7), 0, 1e-10);
}

TEST(UlaLaw, OfTheNormalLawTendsToItsStationaryVariance) {
  const Tensor grid = at::linspace(-12, 12, 401, at::kDouble);
  const double h = 0.3;
  const Tensor start = at::softmax(-(grid - 2).square(), 0);  // N(2, 1/2)
  const auto moments = [&](const Tensor& w) {
    const double mean = (w * grid).sum().item<double>();
    return std::pair{mean, (w * (grid - mean).square()).sum().item<double>()};
  };
  const UlaLaw chain(grid, -grid, h);
  const auto [mean, variance] = moments(chain.after(start, 1));
  EXPECT_NEAR(mean, 2 * (1 - h), 1e-9);
  EXPECT_NEAR(variance, (1 - h) * (1 - h) * 0.5 + 2 * h, 1e-9);
  EXPECT_NEAR(moments(chain.after(start, 100)).second, 1 / (1 - h / 2), 1e-9);
  EXPECT_THROW(UlaLaw(grid, -grid, 1e-4), Error);
}

TEST(ReversalTimes, ContractAlikeInEveryStep) {
  const GaussianProcess process(Brownian{.sigma = 3});
  const std::vector<double> times = reversal_times(process, 0.5, 10);
  EXPECT_EQ(times.front(), 0);
  EXPECT_EQ(times.back(), 1);
  for (size_t i = 0; i < 10; ++i) {
    const auto variance = [&](size_t k) { return 0.5 + 9 * (1 - times[k]); };
    EXPECT_NEAR(variance(i + 1) / variance(i), std::pow(0.5 / 9.5, 0.1), 1e-9);
  }
}

// The error is of first order in the step, and what the simulation makes of a Gaussian.
TEST(EulerError, IsTheErrorOfTheSimulation) {
  const GaussianProcess process(Brownian{.sigma = 2});
  const auto error = [&](int64_t steps) {
    return euler_error(process, {0.5}, reversal_times(process, 0.5, steps));
  };
  EXPECT_NEAR(error(100) / error(200), 2, 0.1);
  const GaussianMixture data =
      GaussianMixture::gaussian(at::zeros({1}, at::kDouble), at::full({1}, 0.5, at::kDouble));
  const StateFunction score = [&](const Tensor& x, double t) {
    return data.noised(1, 2 * std::sqrt(t)).score(x);
  };
  const int64_t n = 20'000;
  const Tensor end = end_state(reverse(brownian_motion(1, 2), score, 1.0),
                               data.noised(1, 2).sample(n, Rng(1)), reversal_times(process, 0.5, 6), Rng(2));
  EXPECT_NEAR(std::abs(end.var().item<double>() / 0.5 - 1), error(6), 4 * 1.3 * std::sqrt(2.0 / n));
  EXPECT_GT(error(6), 0.1);
}

}  // namespace
}  // namespace fokker::verify
