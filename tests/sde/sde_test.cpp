#include "fokker/sde/sde.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusions.h"
#include "fokker/core/error.h"
#include "fokker/sde/jacobian.h"
#include "fokker/sde/simulate.h"

namespace fokker {
namespace {

// S0 eq. 2 applied twice is the process it started from, whatever the score.
TEST(Reverse, OfTheReverseIsTheProcess) {
  const WarpedLinear w;
  const double T = 1.5;
  const StateFunction back = [&](const Tensor& x, double t) { return w.score(x, T - t); };
  const Sde twice = reverse(reverse(w.sde(), w.score(), T), back, T);
  const Tensor x = points(30, 2), dB = points(30, 2);
  for (double t : {0.0, 0.4, 1.5}) {
    EXPECT_LT(worst(drift(twice, x, t), drift(w.sde(), x, t)), 1e-12);
    EXPECT_LT(worst(twice.dispersion.times(x, t, dB), w.sde().dispersion.times(x, t, dB)), 1e-14);
  }
}

// Noise, its divergence, drift and score are all taken at T - t.
TEST(Reverse, RunsTimeBackwardsInEveryPart) {
  const double T = 2, t = 0.7;
  const Tensor x = points(6, 3), dB = points(6, 3);
  const StateFunction score = [](const Tensor& y, double u) { return -y / (1 + u); };
  const auto scalar = Dispersion::scalar([](double u) { return 1 + u * u; });
  const auto diagonal = Dispersion::diagonal([](const Tensor& y, double u) { return u * y; });
  for (const Dispersion& sigma : {scalar, diagonal, Dispersion::matrix(tall_matrix, 2)}) {
    const Sde sde{
        .drift = [](const Tensor& y, double u) { return u * y; }, .dispersion = sigma, .dimension = 3};
    const Sde back = reverse(sde, score, T);
    const Tensor expected = -(T - t) * x + sigma.diffusion_divergence(x, T - t) +
                            sigma.diffusion(x, T - t).matmul(score(x, T - t).unsqueeze(2)).squeeze(2);
    EXPECT_LT(worst(drift(back, x, t), expected), 1e-12);
    const Tensor increment = dB.slice(1, 0, sigma.noise_dimension(3));
    EXPECT_EQ(worst(back.dispersion.times(x, t, increment), sigma.times(x, T - t, increment)), 0);
  }
}

TEST(Reverse, UsesTheGivenDivergence) {
  const GeometricBrownian g;
  Sde given = g.sde();
  given.divergence = [&](const Tensor& x, double) { return 2 * g.sigma * g.sigma * x; };
  const Tensor x = g.sample(0.5, 40, rng);
  EXPECT_LT(worst(diffusion_divergence(g.sde(), x, 0.1), diffusion_divergence(given, x, 0.1)), 1e-13);
  const Tensor by_hand =
      -g.mu * x + 2 * g.sigma * g.sigma * x + g.sigma * g.sigma * x.square() * g.score(x, 0.7);
  EXPECT_LT(worst(drift(reverse(given, g.score(), 1.0), x, 0.3), by_hand), 1e-13);
  EXPECT_LT(worst(drift(reverse(g.sde(), g.score(), 1.0), x, 0.3), by_hand), 1e-13);
  EXPECT_LT(worst(diffusion_divergence(reverse(given, g.score(), 1.0), x, 0.3), 0.5 * x), 1e-13);
}

// With constant noise it is S0 eq. 3, and for Brownian motion from N(0, I) the drift A_t x of Example 12.1.
TEST(Reverse, OfBrownianMotionIsExample121) {
  const double sigma = 1.7;
  const StateFunction score = [&](const Tensor& x, double t) { return -x / (1 + sigma * sigma * t); };
  const Sde back = reverse(brownian_motion(2, sigma), score, 1.0);
  const Tensor x = points(10, 2);
  for (double t : {0.0, 0.3, 1.0})
    EXPECT_LT(worst(drift(back, x, t), -sigma * sigma / (sigma * sigma * (1 - t) + 1) * x), 1e-14);
  EXPECT_NEAR(back.dispersion.value(x, 0.3).item<double>(), sigma, 1e-15);
}

// d/dt log p + div v + v . score = 0: the law of the flow is the law of the diffusion, at each point.
void expect_continuity(const Sde& flow, const Tensor& x, double t,
                       const std::function<Tensor(const Tensor&, double)>& log_density,
                       const StateFunction& score, double expected = 0) {
  const double h = 1e-4;
  const Tensor rate = (log_density(x, t + h) - log_density(x, t - h)) / (2 * h);
  const Tensor divergence = jacobian_diagonal([&](const Tensor& y) { return drift(flow, y, t); }, x).sum(1);
  const Tensor residual = rate + divergence + (drift(flow, x, t) * score(x, t)).sum(1);
  if (expected == 0)
    EXPECT_LT(residual.abs().max().item<double>(), 2e-6) << t;
  else
    EXPECT_GT(residual.abs().max().item<double>(), expected) << t;
}

TEST(ProbabilityFlow, SolvesTheContinuityEquation) {
  const WarpedLinear w;
  const GeometricBrownian g;
  const auto w_density = [&](const Tensor& x, double t) { return w.log_density(x, t); };
  const auto g_density = [&](const Tensor& x, double t) { return g.log_density(x, t); };
  for (double t : {0.2, 0.9}) {
    expect_continuity(probability_flow(w.sde(), w.score()), w.to_x(points(30, 2)), t, w_density, w.score());
    expect_continuity(probability_flow(g.sde(), g.score()), points(30, 1).exp(), t, g_density, g.score());
    // Negative control: without div a it does not.
    Sde wrong = w.sde();
    wrong.divergence = [](const Tensor& x, double) { return at::zeros_like(x); };
    expect_continuity(probability_flow(wrong, w.score()), w.to_x(points(30, 2)), t, w_density, w.score(),
                      0.05);
  }
}

// The deterministic flow moves quantiles: z(t) = (log x - m(t)) / sqrt(v(t)) stays what it was.
TEST(ProbabilityFlow, KeepsTheQuantilesOfGeometricBrownianMotion) {
  const GeometricBrownian g;
  const Sde flow = probability_flow(g.sde(), g.score());
  const Tensor z = at::linspace(-2.5, 2.5, 21, at::kDouble).unsqueeze(1);
  const Tensor x0 = (g.log_mean(0) + std::sqrt(g.log_variance(0)) * z).exp();
  const Tensor x1 = (g.log_mean(2) + std::sqrt(g.log_variance(2)) * z).exp();
  EXPECT_LT(worst(simulate(flow, x0, uniform_times(0, 2, 100)), x1), 1e-6);
  EXPECT_LT(worst(simulate(flow, x1, uniform_times(2, 0, 100)), x0), 1e-6);
}

// S0 Example 12.3: a Langevin diffusion in equilibrium runs the same way backwards.
TEST(Langevin, IsItsOwnReversal) {
  const auto score = [](const Tensor& x) { return -x.pow(3) + 2 * x; };
  const Sde sde = langevin(score, 2);
  const Sde back = reverse(
      sde, [&](const Tensor& x, double) { return score(x); }, 3.0);
  const Tensor x = points(20, 2);
  EXPECT_LT(worst(drift(back, x, 1.2), drift(sde, x, 1.2)), 1e-15);
  EXPECT_NEAR(back.dispersion.value(x, 0.1).item<double>(), std::sqrt(2.0), 1e-15);
  // In equilibrium nothing flows.
  const Sde flow = probability_flow(sde, [&](const Tensor& y, double) { return score(y); });
  EXPECT_LT(worst(drift(flow, x, 0.5), at::zeros_like(x)), 1e-15);
}

TEST(ForwardSde, HasTheMomentsOfItsProcess) {
  for (const auto* spec : {"vp", "sub-vp", "ve", "brownian:sigma=2"}) {
    const GaussianProcess p(make_schedule(spec));
    const Sde sde = forward_sde(p, 1);
    const Tensor one = at::ones({1, 1}, at::kDouble);
    const double t = 0.4, h = 1e-5;
    // d log alpha / dt = f and d sigma^2 / dt = 2 f sigma^2 + g^2.
    const double f = drift(sde, one, t).item<double>(), g = sde.dispersion.value(one, t).item<double>();
    const auto variance = [&](double u) { return p.sigma(u) * p.sigma(u); };
    EXPECT_NEAR(f, (std::log(p.alpha(t + h)) - std::log(p.alpha(t - h))) / (2 * h), 1e-7) << spec;
    EXPECT_NEAR(2 * f * variance(t) + g * g, (variance(t + h) - variance(t - h)) / (2 * h), 1e-6) << spec;
  }
}

TEST(Sde, RefusesWhatDoesNotFit) {
  const Tensor x = points(4, 2);
  EXPECT_THAT([&] { Dispersion().value(x, 0); }, message("expected a process with noise"));
  EXPECT_THAT([&] { Dispersion::diagonal([](const Tensor& y, double) { return y.sum(1); }).value(x, 0); },
              message("expected a diagonal of shape (4, 2) but received (4)"));
  EXPECT_THAT([&] { Dispersion::matrix([](const Tensor& y, double) { return y; }, 3).value(x, 0); },
              message("expected matrices of shape (4, 2, 3) but received (4, 2)"));
  EXPECT_THAT([&] { Dispersion::matrix(tall_matrix, 0); }, message("noise dimension > 0 but received 0"));
  const StateFunction score = [](const Tensor& y, double) { return -y; };
  EXPECT_THAT([&] { reverse(brownian_motion(2), score, 0.0); }, message("T > 0 but received 0"));
  EXPECT_THAT([&] { reverse(Sde(), score, 1.0); }, message("reverse: expected an Sde with a drift"));
  EXPECT_THAT([&] { probability_flow(brownian_motion(2), {}); }, message("expected a score"));
  const StateFunction short_score = [](const Tensor& y, double) { return y.slice(1, 0, 1); };
  EXPECT_THAT([&] { drift(reverse(brownian_motion(2), short_score, 1.0), x, 0.5); },
              message("expected a score of shape (4, 2) but received (4, 1)"));
}

}  // namespace
}  // namespace fokker
