#include "fokker/sde/brownian.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusions.h"
#include "fokker/core/error.h"

namespace fokker {
namespace {

TEST(BrownianPaths, StartAtZeroWithCovarianceMin) {
  const std::vector<double> times{0.0, 0.1, 0.5, 2.0, 2.25};
  const int64_t n = 20000;
  const Tensor paths = brownian_paths(n, 2, times, rng);
  EXPECT_EQ(worst(paths[0], at::zeros({n, 2}, at::kDouble)), 0);
  for (size_t i = 1; i < times.size(); ++i)
    for (size_t j = 1; j <= i; ++j) {
      const double s = times[j], t = times[i];
      const Tensor covariance = paths[static_cast<int64_t>(i)].t().matmul(paths[static_cast<int64_t>(j)]) / n;
      const double error = 4 * std::sqrt((s * t + s * s) / n);
      EXPECT_LT(worst(covariance, s * at::eye(2, at::kDouble)), error) << s << " " << t;
    }
}

TEST(BrownianPaths, HaveNormalIncrements) {
  const int64_t n = 40000;
  const Tensor paths = brownian_paths(n, 1, {0.5, 4.5}, rng);
  for (const Tensor& z : {paths[0] / std::sqrt(0.5), (paths[1] - paths[0]) / 2.0}) {
    EXPECT_NEAR(average(z), 0, 4 / std::sqrt(n));
    EXPECT_NEAR(average(z.pow(2)), 1, 4 * std::sqrt(2.0 / n));
    EXPECT_NEAR(average(z.pow(4)), 3, 4 * std::sqrt(96.0 / n));
  }
}

TEST(WhiteNoise, SumsToTheBrownianPath) {
  const std::vector<double> times{0.2, 0.3, 1.0, 1.5};
  const Tensor noise = white_noise(50, 3, times, rng), paths = brownian_paths(50, 3, times, rng);
  for (int64_t i = 0; i < 3; ++i) {
    const double h = times[static_cast<size_t>(i) + 1] - times[static_cast<size_t>(i)];
    EXPECT_LT(worst(noise[i] * h, paths[i + 1] - paths[i]), 1e-14);
  }
}

// S3, section 3: variance 1 / interval (a discrete delta function), and no correlation between intervals.
TEST(WhiteNoise, IsADiscreteDelta) {
  const int64_t n = 20000;
  const Tensor noise = white_noise(n, 1, {0.0, 0.1, 0.5, 2.5}, rng).squeeze(2);
  const Tensor covariance = noise.matmul(noise.t()) / n;
  const Tensor expected = vector_of({10, 2.5, 0.5});
  const Tensor error = 4 * (expected.unsqueeze(0) * expected.unsqueeze(1) * 2 / n).sqrt();
  EXPECT_TRUE(((covariance - at::diag(expected)).abs() < error).all().item<bool>());
}

TEST(WienerIncrements, ScaleWithTheStep) {
  const auto unit = wiener_increments([](IntArrayRef shape, DrawPosition p) {
    return at::full(shape, static_cast<double>(10 * p.first_sample + p.step), at::kDouble);
  });
  EXPECT_NEAR(unit({1, 1}, {.first_sample = 2, .step = 3, .begin = 1, .end = 1.25}).item<double>(), 11.5,
              1e-14);
}

TEST(BrownianPath, CoarseIncrementsAreSumsOfFineOnes) {
  const BrownianPath path(rng, 3.0, 12);
  Tensor sum = at::zeros({6, 2}, at::kDouble);
  for (int i = 2; i < 7; ++i) sum += path.increment({6, 2}, {.begin = 0.25 * i, .end = 0.25 * (i + 1)});
  const Tensor coarse = path.increment({6, 2}, {.step = 99, .begin = 0.5, .end = 1.75});
  EXPECT_LT(worst(coarse, sum), 1e-15);
  EXPECT_LT(worst(path.value({6, 2}, 1.75) - path.value({6, 2}, 0.5), sum), 1e-14);
  EXPECT_EQ(worst(path.value({6, 2}, 0), at::zeros({6, 2}, at::kDouble)), 0);
  EXPECT_EQ(worst(path.value({2, 2}, 3.0, 4), path.value({6, 2}, 3.0).slice(0, 4)), 0);
}

TEST(BrownianPath, HasTheVarianceOfItsInterval) {
  const BrownianPath path(rng, 3.0, 12);
  const int64_t n = 20000;
  const Tensor a = path.value({n, 1}, 1.0), b = path.increment({n, 1}, {.begin = 1.0, .end = 3.0});
  EXPECT_NEAR(average(a.square()), 1, 4 * std::sqrt(2.0 / n));
  EXPECT_NEAR(average(b.square()), 2, 8 * std::sqrt(2.0 / n));
  EXPECT_NEAR(average(a * b), 0, 4 * std::sqrt(2.0 / n));
}

TEST(Brownian, RefusesWhatDoesNotFit) {
  const BrownianPath path(rng, 3.0, 12);
  EXPECT_THAT(
      [&] {
        path.value({1, 1}, 0.3);
      },
      message("expected a multiple of 3/12 within [0, 3] but received 0.3"));
  EXPECT_THAT([&] { path.value({1, 1}, 3.25); }, message("within [0, 3] but received 3.25"));
  EXPECT_THAT([&] { path.increment({1, 1}, {.begin = 1, .end = 0}); }, message("begin <= end"));
  EXPECT_THAT([&] { BrownianPath(rng, 0, 4); }, message("end > 0 but received 0"));
  EXPECT_THAT([&] { BrownianPath(rng, 1, 0); }, message("steps > 0 but received 0"));
  EXPECT_THAT([&] { brownian_paths(2, 1, {0.5, 0.5}, rng); }, message("received times[1] = 0.5"));
  EXPECT_THAT([&] { brownian_paths(2, 1, {-1.0}, rng); }, message("received times[0] = -1"));
  EXPECT_THAT([&] { brownian_paths(2, 0, {1.0}, rng); }, message("d > 0 but received n = 2, d = 0"));
  EXPECT_THAT([&] { white_noise(2, 1, {1.0}, rng); }, message("two times but received 1"));
}

}  // namespace
}  // namespace fokker
