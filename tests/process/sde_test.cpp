#include "fokker/process/sde.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusions.h"
#include "fokker/core/error.h"
#include "fokker/process/jacobian.h"
#include "fokker/process/simulate.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const Rng rng(7);

Tensor points(int64_t n, int64_t d) {
  return 0.5 * rng.normal({n, d}, {}, at::kDouble);
}

/// sigma(x, t) of shape (n, 3, 2), every entry different.
Tensor tall_matrix(const Tensor& x, double t) {
  const Tensor a = x.select(1, 0), b = x.select(1, 1), c = x.select(1, 2);
  const auto row = [](const Tensor& u, const Tensor& v) { return at::stack({u, v}, 1); };
  return at::stack({row(a * b, c.sin()), row(1 + t * a.square(), b * c), row((a - c).exp(), b)}, 1);
}

Tensor unit(int64_t d, int64_t j) {
  return at::eye(d, at::kDouble)[j];
}

/// Central differences of a: sum over j of da_ij / dx_j.
Tensor divergence_by_differences(const Dispersion& sigma, const Tensor& x, double t) {
  Tensor sum = at::zeros_like(x);
  const double h = 1e-5;
  for (int64_t j = 0; j < x.size(1); ++j) {
    const Tensor step = h * unit(x.size(1), j);
    sum += ((sigma.diffusion(x + step, t) - sigma.diffusion(x - step, t)) / (2 * h)).select(2, j);
  }
  return sum;
}

TEST(Jacobian, DifferentiatesEachEntry) {
  const Tensor x = points(10, 2), a = x.select(1, 0), b = x.select(1, 1);
  const RowFunction f = [](const Tensor& y) {
    const Tensor p = y.select(1, 0), q = y.select(1, 1);
    return at::stack({p * q, q.exp(), at::ones_like(p)}, 1);
  };
  const Tensor zero = at::zeros_like(a);
  const Tensor expected =
      at::stack({at::stack({b, a}, 1), at::stack({zero, b.exp()}, 1), at::stack({zero, zero}, 1)}, 1);
  EXPECT_LT(worst(jacobian(f, x), expected), 1e-15);
  EXPECT_LT(worst(gradient_of_sum(f, x), expected.sum(1)), 1e-15);
  EXPECT_LT(worst(jacobian_diagonal([&](const Tensor& y) { return f(y).slice(1, 0, 2); }, x),
                  at::stack({b, b.exp()}, 1)),
            1e-15);
  // Rows and columns differ: [[p q, p], [q^2, exp(q)]] has row divergences q and exp(q).
  const RowFunction matrix = [](const Tensor& y) {
    const Tensor p = y.select(1, 0), q = y.select(1, 1);
    return at::stack({at::stack({p * q, p}, 1), at::stack({q.square(), q.exp()}, 1)}, 1);
  };
  EXPECT_LT(worst(row_divergence(matrix, x), at::stack({b, b.exp()}, 1)), 1e-15);
  const RowFunction constant = [](const Tensor& y) { return at::ones({y.size(0), 2, 2}, y.options()); };
  EXPECT_EQ(worst(row_divergence(constant, x), at::zeros_like(x)), 0);
}

TEST(Divergence, OfAFullMatrixIsExact) {
  const auto sigma = Dispersion::matrix(tall_matrix, 2);
  const Tensor x = points(20, 3);
  EXPECT_LT(worst(sigma.diffusion_divergence(x, 0.7), divergence_by_differences(sigma, x, 0.7)), 2e-8);
}

// Here a = J S J^T in closed form, so div a follows by hand.
TEST(Divergence, OfTheWarpedDiffusionAgreesWithTheFormula) {
  const WarpedLinear w;
  const Tensor x = points(50, 2), y = w.to_y(x);
  const Tensor a = y.select(1, 0), b = y.select(1, 1);
  const Tensor C1 = a.cosh(), C2 = b.cosh();
  const double s11 = 0.49, s12 = 0.21, s22 = 0.25, c = w.c;
  // Derivatives along x: y1_x1 = 1/C1, y2_x1 = -2 c y1 / (C1 C2), y2_x2 = 1/C2.
  const Tensor y2_x1 = -2 * c * a / (C1 * C2);
  const Tensor da11_d1 = 2 * s11 * a.sinh();
  const Tensor da12_d2 = s12 * C1 * b.sinh() / C2;
  const Tensor da21_d1 =
      s11 * 2 * c * (C1 + a * a.sinh()) / C1 + s12 * (a.sinh() * C2 / C1 + C1 * b.sinh() * y2_x1);
  const Tensor da22_d2 = (4 * c * a * s12 * b.sinh() + 2 * s22 * C2 * b.sinh()) / C2;
  const Tensor expected = at::stack({da11_d1 + da12_d2, da21_d1 + da22_d2}, 1);
  EXPECT_LT(worst(w.sde().dispersion.diffusion_divergence(x, 0), expected), 1e-10);
}

TEST(Divergence, OfADiagonalIsExact) {
  const auto sigma =
      Dispersion::diagonal([](const Tensor& x, double t) { return t + x.square() + x.sum(1, true); });
  const Tensor x = points(20, 3);
  const Tensor s = sigma.value(x, 0.3);
  EXPECT_LT(worst(sigma.diffusion_divergence(x, 0.3), 2 * s * (2 * x + 1)), 1e-12);
  EXPECT_LT(worst(sigma.diffusion_divergence(x, 0.3), divergence_by_differences(sigma, x, 0.3)), 2e-8);
}

TEST(Divergence, IsZeroWhereTheNoiseIgnoresTheState) {
  const Tensor x = points(5, 2);
  EXPECT_EQ(worst(Dispersion::scalar(2.0).diffusion_divergence(x, 0), at::zeros_like(x)), 0);
  const LinearSde linear(rows_of({{-1, 0}, {0, -1}}), rows_of({{1}, {2}}));
  EXPECT_EQ(worst(linear.sde().dispersion.diffusion_divergence(x, 0), at::zeros_like(x)), 0);
}

TEST(Divergence, WorksWhileGradientsAreOffAndLeavesNoGraph) {
  const GradientMode off(false);
  const auto sigma = Dispersion::matrix(tall_matrix, 2);
  const Tensor x = points(4, 3);
  const Tensor result = sigma.diffusion_divergence(x, 0.7);
  EXPECT_FALSE(result.requires_grad());
  EXPECT_LT(worst(result, divergence_by_differences(sigma, x, 0.7)), 2e-8);
}

TEST(Divergence, CanBeDifferentiatedAgain) {
  const auto sigma = Dispersion::matrix(tall_matrix, 2);
  const Tensor x = points(6, 3);
  const RowFunction divergence = [&](const Tensor& y) { return sigma.diffusion_divergence(y, 0.7); };
  const Tensor exact = jacobian(divergence, x);
  const double h = 1e-5;
  for (int64_t j = 0; j < 3; ++j) {
    const Tensor step = h * unit(3, j);
    EXPECT_LT(worst(exact.select(2, j), (divergence(x + step) - divergence(x - step)) / (2 * h)), 1e-7);
  }
}

TEST(Dispersion, EveryFormIsTheMatrixItStandsFor) {
  const Tensor x = points(5, 3), dB = rng.normal({5, 3}, {.step = 1}, at::kDouble);
  const auto diagonal_function = [](const Tensor& y, double t) { return t + y.exp(); };
  const auto diagonal = Dispersion::diagonal(diagonal_function);
  const auto full = Dispersion::matrix(
      [&](const Tensor& y, double t) { return at::diag_embed(diagonal_function(y, t)); }, 3);
  EXPECT_LT(worst(diagonal.times(x, 0.2, dB), full.times(x, 0.2, dB)), 1e-14);
  EXPECT_LT(worst(diagonal.diffusion(x, 0.2), full.diffusion(x, 0.2)), 1e-13);
  EXPECT_LT(worst(diagonal.diffusion_times(x, 0.2, dB), full.diffusion_times(x, 0.2, dB)), 1e-13);
  EXPECT_LT(worst(diagonal.diffusion_divergence(x, 0.2), full.diffusion_divergence(x, 0.2)), 1e-12);
  const auto scalar = Dispersion::scalar([](double t) { return 3 * t; });
  EXPECT_LT(worst(scalar.times(x, 0.5, dB), 1.5 * dB), 1e-15);
  EXPECT_LT(worst(scalar.diffusion(x, 0.5), 2.25 * at::eye(3, at::kDouble).expand({5, 3, 3})), 1e-15);
  const auto tall = Dispersion::matrix(tall_matrix, 2);
  const Tensor a = tall.diffusion(x, 0.5);
  EXPECT_LT(worst(tall.diffusion_times(x, 0.5, dB), a.matmul(dB.unsqueeze(2)).squeeze(2)), 1e-13);
  EXPECT_LT(worst(a, a.transpose(1, 2)), 1e-15);
  EXPECT_EQ(tall.noise_dimension(3), 2);
  EXPECT_EQ(diagonal.noise_dimension(3), 3);
  EXPECT_EQ(Dispersion().noise_dimension(3), 0);
}

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

TEST(WarpedLinear, HasTheScoreOfItsDensity) {
  const WarpedLinear w;
  const Tensor x = points(30, 2);
  const Tensor exact =
      jacobian([&](const Tensor& y) { return w.log_density(y, 0.6).unsqueeze(1); }, x).squeeze(1);
  EXPECT_LT(worst(w.score(x, 0.6), exact), 1e-10);
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
  const auto message = [](const char* text) { return ThrowsMessage<Error>(HasSubstr(text)); };
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
