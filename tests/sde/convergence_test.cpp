// Observed orders of convergence, on Brownian paths that all step sizes share.
#include <gtest/gtest.h>

#include "diffusions.h"
#include "fokker/sde/simulate.h"

namespace fokker {
namespace {

/// Slope of log error against log step by least squares.
double observed_order(const std::vector<int64_t>& steps, const std::vector<double>& errors) {
  double mx = 0, my = 0, sxy = 0, sxx = 0;
  const auto count = static_cast<double>(steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    mx -= std::log(static_cast<double>(steps[i])) / count;
    my += std::log(errors[i]) / count;
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    const double dx = -std::log(static_cast<double>(steps[i])) - mx;
    sxy += dx * (std::log(errors[i]) - my);
    sxx += dx * dx;
  }
  return sxy / sxx;
}

/// Root mean square distance at T = 1 from the exact solution along the same Brownian path.
std::vector<double> strong_errors(const Sde& sde, SdeMethod method, const Tensor& x0, const Tensor& exact,
                                  const BrownianPath& path, const std::vector<int64_t>& step_counts) {
  std::vector<double> errors;
  for (int64_t steps : step_counts) {
    const Tensor x =
        simulate(sde, x0, uniform_times(0, 1, steps), {.method = method, .noise = path.increments()});
    errors.push_back(std::sqrt(average((x - exact).square().sum(1))));
  }
  return errors;
}

const std::vector<int64_t> step_counts{16, 32, 64, 128};

struct GbmPaths {
  GeometricBrownian g{.mu = 0.5, .sigma = 0.8};
  BrownianPath path{rng, 1.0, 128};
  Tensor x0 = at::ones({3000, 1}, at::kDouble);
  Tensor exact = x0 * ((g.mu - 0.5 * g.sigma * g.sigma) + g.sigma * path.value({3000, 1}, 1.0)).exp();
};

TEST(StrongOrder, OfEulerMaruyamaIsOneHalfForMultiplicativeNoise) {
  const GbmPaths p;
  const auto errors = strong_errors(p.g.sde(), SdeMethod::euler_maruyama, p.x0, p.exact, p.path, step_counts);
  EXPECT_NEAR(observed_order(step_counts, errors), 0.5, 0.1);
}

TEST(StrongOrder, OfMilsteinIsOne) {
  const GbmPaths p;
  const auto errors = strong_errors(p.g.sde(), SdeMethod::milstein, p.x0, p.exact, p.path, step_counts);
  EXPECT_NEAR(observed_order(step_counts, errors), 1.0, 0.1);
}

// Two coordinates, dx_i = mu x_i dt + s_i x_i dB with one B for both: exact as for each alone.
TEST(StrongOrder, OfMilsteinIsOneWithASingleNoiseColumn) {
  const GbmPaths p;
  const Tensor s = vector_of({0.8, -0.5});
  Sde sde;
  sde.dimension = 2;
  sde.drift = [](const Tensor& x, double) { return 0.5 * x; };
  sde.dispersion = Dispersion::matrix([s](const Tensor& x, double) { return (s * x).unsqueeze(2); }, 1);
  const Tensor B = p.path.value({3000, 1}, 1.0);
  const Tensor exact = (0.5 - 0.5 * s.square() + s * B).exp();
  const Tensor x0 = at::ones({3000, 2}, at::kDouble);
  const auto milstein = strong_errors(sde, SdeMethod::milstein, x0, exact, p.path, step_counts);
  const auto euler = strong_errors(sde, SdeMethod::euler_maruyama, x0, exact, p.path, step_counts);
  EXPECT_NEAR(observed_order(step_counts, milstein), 1.0, 0.1);
  EXPECT_NEAR(observed_order(step_counts, euler), 0.5, 0.1);
}

TEST(StrongOrder, OfEulerMaruyamaIsOneForAdditiveNoise) {
  const BrownianPath path(rng, 1.0, 1024);
  Sde sde;
  sde.dimension = 1;
  sde.drift = [](const Tensor& x, double) { return -x.sin() - x; };
  sde.dispersion = Dispersion::scalar([](double t) { return 0.8 + 0.3 * t; });
  const Tensor x0 = at::ones({1500, 1}, at::kDouble);
  const Tensor fine = simulate(sde, x0, uniform_times(0, 1, 1024), {.noise = path.increments()});
  const std::vector<int64_t> counts{8, 16, 32, 64};
  const auto errors = strong_errors(sde, SdeMethod::euler_maruyama, x0, fine, path, counts);
  EXPECT_NEAR(observed_order(counts, errors), 1.0, 0.1);
  // Milstein's correction vanishes where the noise ignores the state.
  const auto milstein = strong_errors(sde, SdeMethod::milstein, x0, fine, path, counts);
  EXPECT_EQ(milstein, errors);
}

// With the exact solution on the same path as a control variate, only the weak error is left.
TEST(WeakOrder, OfEulerMaruyamaAndMilsteinIsOne) {
  const GeometricBrownian g{.mu = 1.0, .sigma = 0.3};
  const BrownianPath path(rng, 1.0, 16);
  const Tensor x0 = at::ones({20000, 1}, at::kDouble);
  const Tensor exact = ((g.mu - 0.5 * g.sigma * g.sigma) + g.sigma * path.value({20000, 1}, 1.0)).exp();
  const std::vector<int64_t> counts{4, 8, 16};
  for (const auto method : {SdeMethod::euler_maruyama, SdeMethod::milstein}) {
    std::vector<double> first, second;
    for (int64_t steps : counts) {
      const Tensor x =
          simulate(g.sde(), x0, uniform_times(0, 1, steps), {.method = method, .noise = path.increments()});
      first.push_back(std::abs(average(x - exact)));
      second.push_back(std::abs(average(x.square() - exact.square())));
    }
    EXPECT_NEAR(observed_order(counts, first), 1.0, 0.3);
    EXPECT_NEAR(observed_order(counts, second), 1.0, 0.3);
    // E x_N = (1 + mu h)^N for both methods.
    EXPECT_NEAR(first[0], std::exp(1.0) - std::pow(1.25, 4), 0.01);
  }
}

TEST(RungeKutta, HasOrderFour) {
  Sde pendulum;
  pendulum.dimension = 1;
  pendulum.drift = [](const Tensor& x, double t) { return -t * x.square(); };  // x = 1 / (1 + t^2 / 2)
  const Tensor x0 = at::ones({1, 1}, at::kDouble);
  const std::vector<int64_t> counts{8, 16, 32};
  std::vector<double> fourth, first;
  for (int64_t steps : counts) {
    const auto error = [&](std::optional<SdeMethod> method) {
      return std::abs(simulate(pendulum, x0, uniform_times(0, 2, steps), {.method = method}).item<double>() -
                      1.0 / 3);
    };
    fourth.push_back(error({}));
    first.push_back(error(SdeMethod::euler_maruyama));
  }
  EXPECT_NEAR(observed_order(counts, fourth), 4.0, 0.3);
  EXPECT_NEAR(observed_order(counts, first), 1.0, 0.3);
}

}  // namespace
}  // namespace fokker
