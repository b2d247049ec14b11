#include "fokker/sde/linear_sde.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusions.h"
#include "fokker/core/error.h"
#include "fokker/sde/scalar_linear_sde.h"
#include "fokker/sde/simulate.h"

namespace fokker {
namespace {

Tensor eye(int64_t d) {
  return at::eye(d, at::kDouble);
}

/// Decay at rate `decay` while turning at rate `turn`, with isotropic noise.
LinearSde rotation(double decay, double turn, double g) {
  return {rows_of({{-decay, -turn}, {turn, -decay}}), g * eye(2)};
}

/// Three coupled coordinates, two noises, a constant force.
LinearSde general() {
  return {rows_of({{-1.0, 2.0, 0.3}, {-1.5, -0.4, 0.0}, {0.2, 0.1, -0.7}}),
          rows_of({{0.5, 0.1}, {0.0, 0.8}, {0.3, -0.2}}), vector_of({0.3, -0.6, 1.0})};
}
const Tensor general_diffusion =
    rows_of({{0.5, 0.1}, {0.0, 0.8}, {0.3, -0.2}}).matmul(rows_of({{0.5, 0.1}, {0.0, 0.8}, {0.3, -0.2}}).t());
const Tensor general_A = rows_of({{-1.0, 2.0, 0.3}, {-1.5, -0.4, 0.0}, {0.2, 0.1, -0.7}});

TEST(LinearSde, OfARotationIsClosedForm) {
  const double decay = 0.7, turn = 3.0, g = 1.3;
  const LinearSde sde = rotation(decay, turn, g);
  for (double t : {0.0, 1e-6, 0.1, 1.0, 25.0, 4000.0}) {
    const double shrink = std::exp(-decay * t), c = std::cos(turn * t), s = std::sin(turn * t);
    const LinearTransition law = sde.transition(t);
    const double error = 1e-13 + 1e-12 * t * shrink;  // the angle itself is known to t epsilon
    EXPECT_LT(worst(law.F, shrink * rows_of({{c, -s}, {s, c}})), error) << t;
    const double variance = -std::expm1(-2 * decay * t) * g * g / (2 * decay);
    EXPECT_LE(worst(law.Q, variance * eye(2)), 1e-12 * variance) << t;
    EXPECT_LT(worst(sde.covariance(t, 2 * eye(2)), (2 * shrink * shrink + variance) * eye(2)), 1e-12);
  }
  EXPECT_LT(worst(sde.stationary_covariance(), g * g / (2 * decay) * eye(2)), 1e-13);
}

// Integrated Brownian motion: A is nilpotent and G G^T singular, yet Q is not.
TEST(LinearSde, OfIntegratedBrownianMotionIsClosedForm) {
  const LinearSde sde(rows_of({{0, 1}, {0, 0}}), rows_of({{0}, {2}}), vector_of({0, 3}));
  for (double t : {0.01, 1.0, 30.0}) {
    const LinearTransition law = sde.transition(t);
    const Tensor Q = 4 * rows_of({{t * t * t / 3, t * t / 2}, {t * t / 2, t}});
    EXPECT_LT(((law.Q - Q) / Q).abs().max().item<double>(), 1e-13) << t;
    EXPECT_LT(worst(law.F, rows_of({{1, t}, {0, 1}})), 1e-13 * t);
    const Tensor mean = vector_of({1 + 2 * t + 1.5 * t * t, 2 + 3 * t});
    EXPECT_LT(worst(sde.mean(t, vector_of({1, 2})), mean), 1e-12 * (1 + t * t)) << t;
  }
}

TEST(LinearSde, OfBrownianMotionIsExactAtAnyScale) {
  const LinearSde sde(at::zeros({2, 2}, at::kDouble), 1e-9 * eye(2), vector_of({1e6, 0}));
  const LinearTransition law = sde.transition(50);
  EXPECT_LT(worst(law.Q / 5e-17, eye(2)), 1e-13);
  EXPECT_LT(worst(law.offset / 5e7, vector_of({1, 0})), 1e-14);
}

// dm/dt = A m + c and dP/dt = A P + P A^T + G G^T.
TEST(LinearSde, MomentsSolveTheirEquations) {
  const LinearSde sde = general();
  const Tensor m0 = vector_of({1, -1, 0.5}), P0 = rows_of({{1, 0.2, 0}, {0.2, 0.5, 0.1}, {0, 0.1, 2}});
  const double h = 1e-4;
  for (double t : {0.3, 2.0, 9.0}) {
    const Tensor dm = (sde.mean(t + h, m0) - sde.mean(t - h, m0)) / (2 * h);
    EXPECT_LT(worst(dm, general_A.matmul(sde.mean(t, m0)) + vector_of({0.3, -0.6, 1.0})), 1e-7) << t;
    const Tensor P = sde.covariance(t, P0);
    const Tensor dP = (sde.covariance(t + h, P0) - sde.covariance(t - h, P0)) / (2 * h);
    EXPECT_LT(worst(dP, general_A.matmul(P) + P.matmul(general_A.t()) + general_diffusion), 1e-7) << t;
  }
  EXPECT_EQ(worst(sde.covariance(0, P0), P0), 0);
}

TEST(LinearSde, TransitionsCompose) {
  const LinearSde sde = general();
  const LinearTransition a = sde.transition(0.13), b = sde.transition(2.4), whole = sde.transition(2.53);
  EXPECT_LT(worst(whole.F, b.F.matmul(a.F)), 1e-14);
  EXPECT_LT(worst(whole.Q, b.F.matmul(a.Q).matmul(b.F.t()) + b.Q), 1e-14);
  EXPECT_LT(worst(whole.offset, b.F.matmul(a.offset) + b.offset), 1e-14);
  const Tensor rows = rows_of({{1, 2, 3}, {0, 0, 1}});
  EXPECT_LT(worst(sde.mean(0.4, rows)[1], sde.mean(0.4, rows[1])), 1e-15);
}

TEST(LinearSde, StationaryMomentsSolveLyapunov) {
  const LinearSde sde = general();
  const Tensor P = sde.stationary_covariance(), m = sde.stationary_mean();
  EXPECT_LT(worst(general_A.matmul(P) + P.matmul(general_A.t()), -general_diffusion), 1e-14);
  EXPECT_LT(worst(sde.covariance(1.7, P), P), 1e-14);
  EXPECT_LT(worst(sde.mean(1.7, m), m), 1e-14);
  EXPECT_LT(worst(sde.covariance(200, at::zeros({3, 3}, at::kDouble)), P), 1e-13);
  // Fast and slow directions together.
  const LinearSde stiff(rows_of({{-1e4, 0}, {1, -1e-3}}), eye(2));
  const Tensor S = stiff.stationary_covariance();
  EXPECT_NEAR(S[0][0].item<double>(), 0.5e-4, 1e-14);
  const double s12 = 0.5e-4 / (1e4 + 1e-3);
  EXPECT_NEAR(S[0][1].item<double>() / s12, 1, 1e-8);
  EXPECT_NEAR(S[1][1].item<double>() / ((1 + 2 * s12) / 2e-3), 1, 1e-8);
}

TEST(LinearSde, SamplesHaveTheExactMoments) {
  const LinearSde sde = general();
  const int64_t n = 20000;
  const std::vector<double> times{1.0, 1.4, 1.45, 4.0};
  const Tensor x0 = vector_of({1, -1, 0.5}).expand({n, 3});
  const Tensor paths = sde.sample_paths(x0, times, rng);
  const Tensor zero = at::zeros({3, 3}, at::kDouble);
  EXPECT_EQ(worst(paths[0], x0), 0);
  for (int64_t i = 1; i < 4; ++i) {
    const double t = times[static_cast<size_t>(i)] - 1, s = times[1] - 1;
    const Tensor P = sde.covariance(t, zero), v = P.diagonal(), C = sde.cross_covariance(t, s, zero);
    const Tensor vs = sde.covariance(s, zero).diagonal();
    EXPECT_TRUE(((paths[i].mean(0) - sde.mean(t, x0[0])).abs() < 4.5 * (v / n).sqrt()).all().item<bool>());
    const Tensor spread = ((v.unsqueeze(1) * vs.unsqueeze(0) + C.square()) / n).sqrt();
    const Tensor error = (sample_covariance(paths[i], paths[1]) - C).abs();
    EXPECT_TRUE((error < 4.5 * spread).all().item<bool>()) << t << error / spread;
  }
}

TEST(LinearSde, SamplesDoNotDependOnTheSplit) {
  const LinearSde sde = general();
  const Tensor x0 = at::zeros({8, 3}, at::kFloat);
  const Tensor whole = sde.sample_paths(x0, {0, 1, 2}, rng),
               tail = sde.sample_paths(x0.slice(0, 5), {0, 1, 2}, rng, 5);
  EXPECT_EQ(whole.scalar_type(), at::kFloat);
  EXPECT_LT(worst(whole.slice(1, 5), tail), 1e-6);
}

TEST(LinearSde, AgreesWithItsSimulation) {
  const LinearSde sde = general();
  const int64_t n = 10000, steps = 200;
  const Tensor start = vector_of({1, -1, 0.5}), zero = at::zeros({3, 3}, at::kDouble);
  const double h = 1.0 / steps;
  const Tensor x = simulate(sde.sde(), start.expand({n, 3}), uniform_times(0, 1, steps),
                            {.noise = wiener_increments(rng)});
  const Tensor P = sde.covariance(1, zero), v = P.diagonal();
  EXPECT_TRUE(((x.mean(0) - sde.mean(1, start)).abs() < 4 * (v / n).sqrt() + 3 * h).all().item<bool>());
  const Tensor spread = ((v.unsqueeze(1) * v.unsqueeze(0) + P.square()) / n).sqrt();
  EXPECT_TRUE(((sample_covariance(x) - P).abs() < 4 * spread + 3 * h).all().item<bool>());
  // The moments of Euler-Maruyama follow a recursion; extrapolated to step 0 it is the exact law.
  const auto recursion = [&](int64_t count) {
    const Tensor M = eye(3) + general_A / static_cast<double>(count);
    Tensor C = zero;
    for (int64_t i = 0; i < count; ++i)
      C = M.matmul(C).matmul(M.t()) + general_diffusion / static_cast<double>(count);
    return C;
  };
  EXPECT_LT(worst(2 * recursion(2000) - recursion(1000), P), 1e-5);
}

// A stationary linear diffusion reversed in time is the linear one with drift -A - G G^T P^-1.
TEST(LinearSde, ReversedInEquilibriumIsLinear) {
  const LinearSde sde = general();
  const Tensor P = sde.stationary_covariance(), m = sde.stationary_mean(), inverse = at::linalg_inv(P);
  const StateFunction score = [&](const Tensor& x, double) { return -(x - m).matmul(inverse); };
  const Sde back = reverse(sde.sde(), score, 2.0);
  const Tensor B = -general_A - general_diffusion.matmul(inverse);
  const Tensor x = rng.normal({10, 3}, {}, at::kDouble);
  EXPECT_LT(worst(drift(back, x, 0.5), (x - m).matmul(B.t())), 1e-12);
  // Its own stationary covariance is P again.
  EXPECT_LT(worst(LinearSde(B, rows_of({{0.5, 0.1}, {0.0, 0.8}, {0.3, -0.2}})).stationary_covariance(), P),
            1e-12);
}

TEST(LinearSde, RefusesWhatDoesNotFit) {
  EXPECT_THAT([] { LinearSde(rows_of({{1, 2}}), eye(2)); }, message("A of shape (d, d) but received (1, 2)"));
  EXPECT_THAT([] { LinearSde(eye(2), eye(3)); }, message("G of shape (2, m) but received (3, 3)"));
  EXPECT_THAT([] { LinearSde(eye(2), eye(2), vector_of({1})); }, message("c of shape (2) but received (1)"));
  EXPECT_THAT([] { LinearSde(eye(2) / 0.0, eye(2)); }, message("expected finite A"));
  EXPECT_THAT([] { general().transition(-1); }, message("t >= 0 but received -1"));
  EXPECT_THAT([] { LinearSde(0.5 * eye(2), eye(2)).stationary_covariance(); },
              message("negative real part but received one with real part 0.5"));
  EXPECT_THAT([] { general().mean(1, vector_of({1})); }, message("(3) or (n, 3) but received (1)"));
  EXPECT_THAT([] { general().covariance(1, eye(2)); }, message("(3, 3) but received (2, 2)"));
  EXPECT_THAT(
      [] {
        general().sample_paths(at::zeros({2, 3}), {0, 0}, rng);
      },
      message("received times[1] = 0"));
}

/// S0 Example 12.1 (Theorem 12.1 for a standard normal target).
ScalarLinearSde example(double sigma) {
  const double s2 = sigma * sigma;
  return {.rate = [s2](double t) { return -s2 / (s2 * (1 - t) + 1); },
          .dispersion = [sigma](double) { return sigma; },
          .phi = [s2](double t) { return (s2 * (1 - t) + 1) / (s2 + 1); }};
}

// Exercise 12.1: X_t ~ N(0, sigma^2 (1 - t) + 1).
TEST(ScalarLinearSde, OfExample121HasTheLawsOfExercise121) {
  for (double sigma : {0.5, 3.0}) {
    const double s2 = sigma * sigma;
    ScalarLinearSde sde = example(sigma);
    for (double t : {0.0, 0.3, 0.9, 1.0})
      EXPECT_NEAR(sde.variance(t, 1 + s2), s2 * (1 - t) + 1, 1e-12 * (1 + s2)) << t;
    sde.noise_integral = [s2](double t) {
      return (s2 + 1) * (s2 + 1) * (1 / (s2 * (1 - t) + 1) - 1 / (s2 + 1));
    };
    for (double t : {0.0, 0.3, 0.9, 1.0})
      EXPECT_NEAR(sde.variance(t, 1 + s2), s2 * (1 - t) + 1, 1e-13 * (1 + s2)) << t;
  }
}

TEST(ScalarLinearSde, PhiIsTheExponentialOfTheRate) {
  const ScalarLinearSde sde = example(1.5);
  const double h = 1e-5;
  for (double t : {0.1, 0.6})
    EXPECT_NEAR((sde.phi(t + h) - sde.phi(t - h)) / (2 * h), sde.rate(t) * sde.phi(t), 1e-9);
}

TEST(ScalarLinearSde, TransitionsComposeAndMatchTheConstantCase) {
  const ScalarLinearSde sde = example(1.5);
  const auto a = sde.transition(0.2, 0.5), b = sde.transition(0.5, 0.8), whole = sde.transition(0.2, 0.8);
  EXPECT_NEAR(whole.scale, a.scale * b.scale, 1e-15);
  EXPECT_NEAR(whole.variance, b.scale * b.scale * a.variance + b.variance, 1e-13);
  const ScalarLinearSde constant{.rate = [](double) { return -2.0; },
                                 .dispersion = [](double) { return 0.5; },
                                 .phi = [](double t) { return std::exp(-2 * t); }};
  const LinearSde matrix(-2 * eye(1), 0.5 * eye(1));
  EXPECT_NEAR(constant.transition(0.1, 1.3).variance, matrix.transition(1.2).Q.item<double>(), 1e-13);
  EXPECT_NEAR(constant.transition(0.1, 1.3).scale, matrix.transition(1.2).F.item<double>(), 1e-15);
}

// Simulated, it ends as the standard normal that Theorem 12.1 promises.
TEST(ScalarLinearSde, SimulatedReachesTheTarget) {
  const double sigma = 1.5;
  const int64_t n = 20000, steps = 100;
  const Tensor x0 = std::sqrt(1 + sigma * sigma) * rng.normal({n, 1}, {}, at::kDouble);
  const Tensor x =
      simulate(example(sigma).sde(1), x0, uniform_times(0, 1, steps), {.noise = wiener_increments(rng)});
  EXPECT_NEAR(average(x), 0, 4 / std::sqrt(n));
  EXPECT_NEAR(average(x.square()), 1, 4 * std::sqrt(2.0 / n) + 2.0 / steps);
}

TEST(ScalarLinearSde, RefusesWhatDoesNotFit) {
  EXPECT_THAT([] { example(1).transition(0.5, 0.2); }, message("received s = 0.5, t = 0.2"));
  EXPECT_THAT([] { ScalarLinearSde().transition(0, 1); },
              message("expected the functions rate, dispersion and phi"));
}

}  // namespace
}  // namespace fokker
