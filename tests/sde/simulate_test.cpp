#include "fokker/sde/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusions.h"
#include "fokker/core/error.h"

namespace fokker {
namespace {

/// States of one run at chosen steps.
struct Recorder {
  std::vector<int64_t> wanted;
  std::vector<Tensor> states;
  std::function<void(const SdeState&)> observer() {
    return [this](const SdeState& s) {
      if (std::find(wanted.begin(), wanted.end(), s.step) != wanted.end()) states.push_back(s.x);
    };
  }
};

constexpr double T = 1.0;

/// log x along the reversed geometric Brownian motion at T - t = 0.75, 0.5, 0.25 and 0.
std::vector<Tensor> reversed_gbm(const GeometricBrownian& g, const Sde& forward, int64_t n) {
  Recorder recorder{{50, 100, 150, 200}, {}};
  simulate(reverse(forward, g.score(), T), g.sample(T, n, rng.stream("start")), uniform_times(0, T, 200),
           {.noise = wiener_increments(rng), .observer = recorder.observer()});
  for (auto& x : recorder.states) x = x.log();
  return recorder.states;
}

TEST(Reverse, OfGeometricBrownianMotionHasItsLaws) {
  const GeometricBrownian g;
  const int64_t n = 20000;
  const auto paths = reversed_gbm(g, g.sde(), n);
  for (size_t i = 0; i < 4; ++i) {
    const double t = 0.25 * static_cast<double>(3 - i), v = g.log_variance(t);
    EXPECT_NEAR(average(paths[i]), g.log_mean(t), 4 * std::sqrt(v / n) + 0.002) << t;
    EXPECT_NEAR(sample_covariance(paths[i]).item<double>(), v, 4 * v * std::sqrt(2.0 / n) + 0.004) << t;
    // The path itself is reversed, not only each law: Cov(log x_s, log x_t) is the variance at min(s, t).
    const double later = g.log_variance(0.75);
    EXPECT_NEAR(sample_covariance(paths[i], paths[0]).item<double>(), v,
                4 * std::sqrt((v * later + v * v) / n) + 0.004)
        << t;
  }
}

TEST(Reverse, OfGeometricBrownianMotionFailsWithoutTheDivergence) {
  const GeometricBrownian g;
  Sde wrong = g.sde();
  wrong.divergence = [](const Tensor& x, double) { return at::zeros_like(x); };
  const auto paths = reversed_gbm(g, wrong, 4000);
  EXPECT_GT(std::abs(average(paths[3]) - g.log_mean(0)), 0.1);
  EXPECT_GT(std::abs(average(paths[1]) - g.log_mean(0.5)), 0.1);
}

std::vector<Tensor> reversed_warp(const WarpedLinear& w, const Sde& forward, int64_t n) {
  Recorder recorder{{50, 100}, {}};
  simulate(reverse(forward, w.score(), T), w.to_x(w.sample_y(T, n, rng.stream("start"))),
           uniform_times(0, T, 100), {.noise = wiener_increments(rng), .observer = recorder.observer()});
  for (auto& x : recorder.states) x = w.to_y(x);
  return recorder.states;
}

/// Largest deviation of the moments at t from the exact ones, in standard errors beyond `bias`.
double deviation(const WarpedLinear& w, const Tensor& y, double t, double bias) {
  const auto n = static_cast<double>(y.size(0));
  const Tensor P = w.covariance(t), v = P.diagonal();
  const Tensor mean_error = ((y.mean(0) - w.mean(t)).abs() - bias).clamp_min(0) / (v / n).sqrt();
  const Tensor spread = ((v.unsqueeze(0) * v.unsqueeze(1) + P.square()) / n).sqrt();
  const Tensor covariance_error = ((sample_covariance(y) - P).abs() - bias).clamp_min(0) / spread;
  return std::max(mean_error.max().item<double>(), covariance_error.max().item<double>());
}

TEST(Reverse, OfAFullStateDependentDispersionHasItsLaws) {
  const WarpedLinear w;
  const auto y = reversed_warp(w, w.sde(), 8000);
  EXPECT_LT(deviation(w, y[0], 0.5, 0.005), 4);
  EXPECT_LT(deviation(w, y[1], 0.0, 0.005), 4);
  // Two times of one path: Cov(y_t, y_s) = exp(A (t - s)) Cov(y_s), and here t = 0.5, s = 0.
  EXPECT_LT(worst(sample_covariance(y[0], y[1]), w.y.cross_covariance(0.5, 0, w.covariance0)), 0.02);
  Sde wrong = w.sde();
  wrong.divergence = [](const Tensor& x, double) { return at::zeros_like(x); };
  EXPECT_GT(deviation(w, reversed_warp(w, wrong, 4000)[1], 0.0, 0.005), 8);
}

TEST(Simulate, ForwardOfTheWarpedDiffusionHasItsLaws) {
  const WarpedLinear w;
  const Tensor x = simulate(w.sde(), w.to_x(w.sample_y(0, 8000, rng)), uniform_times(0, T, 100),
                            {.noise = wiener_increments(rng)});
  EXPECT_LT(deviation(w, w.to_y(x), T, 0.005), 4);
}

TEST(ProbabilityFlow, CarriesTheLawsOfTheWarpedDiffusion) {
  const WarpedLinear w;
  const Sde flow = probability_flow(w.sde(), w.score());
  const Tensor start = w.to_x(w.sample_y(0, 8000, rng));
  const Tensor end = simulate(flow, start, uniform_times(0, T, 20));
  EXPECT_LT(deviation(w, w.to_y(end), T, 0), 4);
  EXPECT_LT(worst(simulate(flow, end, uniform_times(T, 0, 20)), start), 1e-5);
}

// x' = (1 - h) x + sqrt(2 h) z has variance 1 / (1 - h / 2) in equilibrium, not 1.
TEST(Langevin, OfANormalHasTheVarianceOfItsDiscretisation) {
  const double h = 0.5;
  const int64_t n = 40000;
  const Tensor x = simulate(langevin([](const Tensor& y) { return -y; }, 1), at::zeros({n, 1}, at::kDouble),
                            uniform_times(0, 20, 40), {.noise = wiener_increments(rng)});
  const double variance = 1 / (1 - h / 2);
  EXPECT_NEAR(sample_covariance(x).item<double>(), variance, 4 * variance * std::sqrt(2.0 / n));
}

TEST(Simulate, IsTheSameForAnySplitOfTheBatch) {
  const WarpedLinear w;
  const Tensor x0 = w.to_x(w.sample_y(0, 10, rng));
  const auto times = uniform_times(0, 1, 8);
  const Tensor whole = simulate(w.sde(), x0, times, {.noise = wiener_increments(rng)});
  const Tensor tail =
      simulate(w.sde(), x0.slice(0, 6), times, {.noise = wiener_increments(rng), .first_sample = 6});
  EXPECT_LT(worst(whole.slice(0, 6), tail), 1e-14);
}

TEST(Simulate, ShowsEveryStateToTheObserverInTheTypeOfTheStart) {
  std::vector<double> seen;
  const auto observer = [&](const SdeState& s) {
    EXPECT_EQ(s.x.scalar_type(), at::kFloat);
    EXPECT_EQ(s.step, static_cast<int64_t>(seen.size()));
    seen.push_back(s.t);
  };
  simulate(brownian_motion(2), at::zeros({3, 2}), {0.5, 1.0, 4.0},
           {.noise = wiener_increments(rng), .observer = observer});
  EXPECT_EQ(seen, (std::vector<double>{0.5, 1.0, 4.0}));
}

TEST(Simulate, OfBrownianMotionIsTheSumOfItsIncrements) {
  const BrownianPath path(rng, 2.0, 8);
  const Tensor x = simulate(brownian_motion(2, 3.0), at::ones({5, 2}, at::kDouble), {0.0, 0.25, 1.5},
                            {.noise = path.increments()});
  EXPECT_LT(worst(x, 1 + 3 * path.value({5, 2}, 1.5)), 1e-14);
}

TEST(Simulate, RefusesWhatDoesNotFit) {
  const Sde noisy = brownian_motion(2);
  const Tensor x = at::zeros({3, 2});
  const auto noise = wiener_increments(rng);
  EXPECT_THAT([&] { simulate(noisy, x, {0.0, 1.0}); }, message("expected Wiener increments"));
  EXPECT_THAT([&] { simulate(noisy, x, {0.0}, {.noise = noise}); }, message("two times but received 1"));
  EXPECT_THAT(
      [&] {
        simulate(noisy, x, {1.0, 0.0}, {.noise = noise});
      },
      message("expected increasing times but received times[1] = 0"));
  EXPECT_THAT(
      [&] {
        simulate(noisy, at::zeros({3, 4}), {0.0, 1.0}, {.noise = noise});
      },
      message("shape (n, 2) but received Float (3, 4)"));
  EXPECT_THAT(
      [&] {
        simulate(noisy, x, {0.0, 1.0}, {.method = SdeMethod::runge_kutta_4, .noise = noise});
      },
      message("received runge_kutta_4"));
  EXPECT_THAT([&] { uniform_times(0, 1, 0); }, message("steps > 0 but received 0"));
}

TEST(Simulate, StopsWhereAStateIsNotFinite) {
  Sde explosive;
  explosive.dimension = 1;
  explosive.drift = [](const Tensor& x, double) { return x.pow(9); };
  EXPECT_THAT(
      [&] {
        simulate(explosive, 10 * at::ones({1, 1}), uniform_times(0, 1, 4));
      },
      message("nan or inf at step 1, t = 0.25"));
}

TEST(Milstein, RefusesNoiseThatNeedsLevyAreas) {
  const SimulateOptions options{.method = SdeMethod::milstein, .noise = wiener_increments(rng)};
  Sde sde = brownian_motion(2);
  sde.dispersion = Dispersion::diagonal([](const Tensor& x, double) {
    return at::stack({x.select(1, 0), x.select(1, 0)}, 1);
  });
  EXPECT_THAT(
      [&] {
        simulate(sde, at::ones({3, 2}), {0.0, 1.0}, options);
      },
      message("entry i depends on x_i alone but entry 1 depends on x_0"));
  EXPECT_THAT(
      [&] {
        simulate(WarpedLinear().sde(), at::ones({3, 2}), {0.0, 1.0}, options);
      },
      message("single-column noise but received 2 columns"));
}

}  // namespace
}  // namespace fokker
