#include "fokker/course/problem/joint_gaussian.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "fokker/core/error.h"
#include "fokker/target/gaussian_mixture.h"
#include "support.h"

namespace fokker {
namespace {

const Rng rng(9);
constexpr double exact = 1e-10;

Tensor eye(int64_t d) {
  return at::eye(d, at::kDouble);
}

/// A positive definite matrix.
Tensor definite(int64_t d, uint32_t key) {
  const Tensor B = rng.normal({d, d}, {.step = key}, at::kDouble);
  return B.matmul(B.t()) + 0.3 * eye(d);
}

Tensor points(int64_t n, int64_t d) {
  return rng.normal({n, d}, {.step = 100}, at::kDouble);
}

struct Model {
  Tensor mu = vector_of({1.0, -2.0, 0.5}), P = definite(3, 1), Q = definite(3, 2);
  GaussianSignal signal{mu, P, Q};
  Tensor inverse = at::linalg_inv(P + Q);
};

// S3, 2.1.
TEST(GaussianSignal, GainsShareTheObservation) {
  const Model m;
  EXPECT_LT(worst(m.signal.gain(), m.P.matmul(m.inverse)), exact);
  EXPECT_LT(worst(m.signal.noise_gain(), m.Q.matmul(m.inverse)), exact);
  EXPECT_LT(worst(eye(3) - m.signal.gain(), m.signal.noise_gain()), exact);
  const GaussianSignal scalar(vector_of({0}), rows_of({{3}}), rows_of({{1}}));
  EXPECT_NEAR(scalar.gain().item<double>(), 0.75, 1e-15);
}

TEST(GaussianSignal, PosteriorOfTheSignalHasAllItsForms) {
  const Model m;
  const Tensor x = points(20, 3), K = m.P.matmul(m.inverse), L = m.Q.matmul(m.inverse);
  const GaussianLaw law = m.signal.signal_given(x);
  EXPECT_LT(worst(law.mean, m.mu.matmul((eye(3) - K).t()) + x.matmul(K.t())), exact);
  EXPECT_LT(worst(law.mean, x - (x - m.mu).matmul(L.t())), exact);
  EXPECT_LT(worst(law.mean, m.mu.matmul(L.t()) + x.matmul(K.t())), exact);
  EXPECT_LT(worst(law.covariance, m.P - K.matmul(m.P)), exact);
  EXPECT_LT(worst(law.covariance, m.Q.matmul(m.inverse).matmul(m.P)), exact);
  EXPECT_LT(worst(at::linalg_inv(law.covariance), at::linalg_inv(m.P) + at::linalg_inv(m.Q)), 1e-9);
}

// S3, 2.2: estimating the noise and subtracting it is estimating the signal.
TEST(GaussianSignal, NoiseAndSignalAreTwoSidesOfOneEstimate) {
  const Model m;
  const Tensor x = points(20, 3);
  const GaussianLaw signal = m.signal.signal_given(x), noise = m.signal.noise_given(x);
  EXPECT_LT(worst(signal.mean + noise.mean, x), exact);
  EXPECT_LT(worst(noise.covariance, signal.covariance), exact);
  EXPECT_LT(worst(noise.covariance, m.Q - m.Q.matmul(m.inverse).matmul(m.Q)), exact);
  EXPECT_LT(worst(noise.mean, (x - m.mu).matmul(m.Q.matmul(m.inverse).t())), exact);
}

// S3, 2.3: E[s | x] = x + Q score, and the score is the gradient of the density of x.
TEST(GaussianSignal, ObeysTweediesFormula) {
  const Model m;
  const Tensor x = points(20, 3), score = m.signal.score(x);
  EXPECT_LT(worst(m.signal.signal_given(x).mean, x + score.matmul(m.Q)), exact);
  EXPECT_LT(worst(score, GaussianMixture::gaussian(m.mu, m.P + m.Q).score(x)), exact);
  EXPECT_LT(worst(m.signal.score(x[0]), score[0]), 1e-15);
  const double h = 1e-5;
  for (int64_t j = 0; j < 3; ++j) {
    const Tensor step = h * eye(3)[j];
    const Tensor slope =
        (m.signal.observation().log_density(x + step) - m.signal.observation().log_density(x - step)) /
        (2 * h);
    EXPECT_LT(worst(slope, score.select(1, j)), 1e-7);
  }
}

// p(s, x) = p(s) p(x | s) = p(x) p(s | x), and the same for the noise.
TEST(GaussianSignal, JointsFactoriseBothWays) {
  const Model m;
  const Tensor s = points(15, 3), n = rng.normal({15, 3}, {.step = 101}, at::kDouble), x = s + n;
  const auto log_normal = [](const Tensor& r, const Tensor& C) {
    return GaussianLaw{at::zeros({3}, at::kDouble), C}.log_density(r);
  };
  const Tensor together = m.signal.signal_and_observation().joint().log_density(at::cat({s, x}, 1));
  EXPECT_LT(worst(together, log_normal(s - m.mu, m.P) + log_normal(x - s, m.Q)), exact);
  EXPECT_LT(worst(together, m.signal.observation().log_density(x) + m.signal.signal_given(x).log_density(s)),
            exact);
  const Tensor noise = m.signal.noise_and_observation().joint().log_density(at::cat({n, x}, 1));
  EXPECT_LT(worst(noise, log_normal(n, m.Q) + log_normal(x - m.mu - n, m.P)), exact);
  EXPECT_LT(worst(noise, m.signal.observation().log_density(x) + m.signal.noise_given(x).log_density(n)),
            exact);
  // (s, x) and (n, x) are the same event: the map between them has determinant one.
  EXPECT_LT(worst(together, noise), exact);
}

TEST(GaussianSignal, PosteriorsAreTheConditionalsOfTheJoint) {
  const Model m;
  const Tensor x = points(10, 3);
  const GaussianLaw signal = m.signal.signal_and_observation().first_given(x);
  EXPECT_LT(worst(signal.mean, m.signal.signal_given(x).mean), exact);
  EXPECT_LT(worst(signal.covariance, m.signal.signal_given(x).covariance), exact);
  const GaussianLaw noise = m.signal.noise_and_observation().first_given(x);
  EXPECT_LT(worst(noise.mean, m.signal.noise_given(x).mean), exact);
  EXPECT_LT(worst(noise.covariance, m.signal.noise_given(x).covariance), exact);
  // Back again: x | s ~ N(s, Q).
  const GaussianLaw observed = m.signal.signal_and_observation().second_given(x);
  EXPECT_LT(worst(observed.mean, x), exact);
  EXPECT_LT(worst(observed.covariance, m.Q), exact);
}

TEST(GaussianSignal, SamplesHaveThePosteriorsMoments) {
  const Model m;
  const int64_t n = 20000;
  const Tensor x = vector_of({0.3, 0.1, -0.4});
  const Tensor s = m.signal.sample_signal(x.expand({n, 3}), rng);
  const GaussianLaw law = m.signal.signal_given(x);
  const Tensor v = law.covariance.diagonal(), r = s - law.mean;
  EXPECT_TRUE((r.mean(0).abs() < 4.5 * (v / n).sqrt()).all().item<bool>());
  const Tensor spread = ((v.unsqueeze(0) * v.unsqueeze(1) + law.covariance.square()) / n).sqrt();
  EXPECT_TRUE(((r.t().matmul(r) / n - law.covariance).abs() < 4.5 * spread).all().item<bool>());
}

TEST(GaussianSignal, AllowsASingularSignalOrNoise) {
  const Tensor flat = rows_of({{1, 1}, {1, 1}}), zero = at::zeros({2, 2}, at::kDouble);
  const GaussianSignal line(vector_of({0, 0}), flat, eye(2));
  // All that is known lies along (1, 1): the estimate is 2/3 of the average there.
  EXPECT_LT(worst(line.signal_given(vector_of({1, 2})).mean, vector_of({1, 1})), 1e-14);
  const GaussianSignal clean(vector_of({3, 4}), eye(2), zero);
  EXPECT_LT(worst(clean.signal_given(vector_of({1, 2})).mean, vector_of({1, 2})), 1e-15);
  EXPECT_LT(worst(clean.signal_given(vector_of({1, 2})).covariance, zero), 1e-15);
}

Tensor whole(const Tensor& a, const Tensor& b, const Tensor& c, const Tensor& d) {
  return at::cat({at::cat({a, b}, 1), at::cat({c, d}, 1)}, 0);
}

// S3, A.1, on matrices that need not be symmetric.
TEST(BlockInverse, OfEitherPivotIsTheInverse) {
  const Tensor a = definite(2, 3), d = definite(3, 4), b = 0.3 * points(2, 3), c = 0.2 * points(3, 2);
  const Tensor inverse = at::linalg_inv(whole(a, b, c, d));
  EXPECT_LT(worst(block_inverse(a, b, c, d, Pivot::first), inverse), exact);
  EXPECT_LT(worst(block_inverse(a, b, c, d, Pivot::second), inverse), exact);
  // Each needs only its own pivot.
  const Tensor zero = at::zeros({1, 1}, at::kDouble), one = eye(1);
  EXPECT_LT(worst(block_inverse(zero, one, one, one, Pivot::second), rows_of({{-1, 1}, {1, 0}})), 1e-15);
  EXPECT_LT(worst(block_inverse(one, one, one, zero, Pivot::first), rows_of({{0, 1}, {1, -1}})), 1e-15);
}

struct Blocks {
  Tensor joint = definite(5, 7), m1 = vector_of({1, 2}), m2 = vector_of({-1, 0, 3});
  Tensor S1 = joint.slice(0, 0, 2).slice(1, 0, 2), S12 = joint.slice(0, 0, 2).slice(1, 2),
         S2 = joint.slice(0, 2).slice(1, 2);
  BlockGaussian law{m1, m2, S1, S12, S2};
};

// S3, A.2.
TEST(BlockGaussian, FactorisesBothWays) {
  const Blocks b;
  const Tensor x1 = points(12, 2), x2 = rng.normal({12, 3}, {.step = 102}, at::kDouble);
  const Tensor together = b.law.joint().log_density(at::cat({x1, x2}, 1));
  EXPECT_LT(worst(together, b.law.first_given(x2).log_density(x1) + b.law.second().log_density(x2)), exact);
  EXPECT_LT(worst(together, b.law.second_given(x1).log_density(x2) + b.law.first().log_density(x1)), exact);
  EXPECT_LT(worst(b.law.joint().covariance, b.joint), 1e-15);
}

TEST(BlockGaussian, ConditionalsHaveTheirFormulas) {
  const Blocks b;
  const Tensor x1 = points(12, 2), x2 = rng.normal({12, 3}, {.step = 102}, at::kDouble);
  const Tensor G = b.S12.matmul(at::linalg_inv(b.S2)), H = b.S12.t().matmul(at::linalg_inv(b.S1));
  EXPECT_LT(worst(b.law.first_given(x2).mean, b.m1 + (x2 - b.m2).matmul(G.t())), exact);
  EXPECT_LT(worst(b.law.first_given(x2).covariance, b.S1 - G.matmul(b.S12.t())), exact);
  EXPECT_LT(worst(b.law.second_given(x1).mean, b.m2 + (x1 - b.m1).matmul(H.t())), exact);
  EXPECT_LT(worst(b.law.second_given(x1).covariance, b.S2 - H.matmul(b.S12)), exact);
  EXPECT_LT(worst(b.law.first_given(x2[4]).mean, b.law.first_given(x2).mean[4]), 1e-14);
  // The conditional covariance is the inverse of a block of the precision.
  const Tensor precision = at::linalg_inv(b.joint);
  EXPECT_LT(worst(at::linalg_inv(b.law.first_given(x2).covariance), precision.slice(0, 0, 2).slice(1, 0, 2)),
            1e-9);
}

TEST(GaussianLaw, HasTheTextbookDensity) {
  const GaussianLaw law{vector_of({1, 2}), rows_of({{2, 0}, {0, 0.5}})};
  const double expected = -std::log(2 * std::numbers::pi) - 0.5 * (1.0 / 2 + 4.0 / 0.5);
  EXPECT_NEAR(law.log_density(rows_of({{2, 4}})).item<double>(), expected, 1e-14);
}

TEST(JointGaussian, RefusesWhatDoesNotFit) {
  const Tensor m = vector_of({0, 0}), zero = at::zeros({2, 2}, at::kDouble);
  EXPECT_THAT([&] { GaussianSignal(m, zero, zero); },
              message("positive definite P + Q but received a singular"));
  EXPECT_THAT([&] { GaussianSignal(m, -eye(2), eye(2)); },
              message("semi-definite P but received one with eigenvalue -1"));
  EXPECT_THAT(
      [&] {
        GaussianSignal(m, rows_of({{1, 2}, {0, 1}}), eye(2));
      },
      message("expected a symmetric P"));
  EXPECT_THAT([&] { GaussianSignal(m, eye(3), eye(2)); }, message("P of shape (2, 2) but received (3, 3)"));
  EXPECT_THAT([&] { GaussianSignal(m, eye(2), eye(2)).signal_given(vector_of({1})); },
              message("x of shape (n, 2) but received (1)"));
  EXPECT_THAT([&] { BlockGaussian(m, m, eye(2), 2 * eye(2), eye(2)); },
              message("semi-definite joint covariance but received one with eigenvalue -1"));
  EXPECT_THAT([&] { BlockGaussian(m, m, eye(2), zero, zero).first_given(m); },
              message("positive definite S2 but received a singular matrix"));
  EXPECT_THAT([&] { block_inverse(eye(2), eye(2), eye(3), eye(2), Pivot::first); },
              message("S21 of shape (2, 2) but received (3, 3)"));
}

}  // namespace
}  // namespace fokker
