#include "fokker/target/mixture_posterior.h"

#include <gtest/gtest.h>

#include "support.h"
#include "target/posterior_reference.h"

namespace fokker {
namespace {

/// A mixture of three Gaussians with full covariances in d dimensions.
GaussianMixture some_mixture(int64_t d, uint64_t seed) {
  const Rng rng(seed);
  const Tensor root =
      rng.stream("root").normal({3, d, d}, {}, at::kDouble) / std::sqrt(static_cast<double>(d));
  const Tensor covariance = root.matmul(root.transpose(1, 2)) + 0.1 * at::eye(d, at::kDouble);
  return GaussianMixture(vector_of({0.2, 0.5, 0.3}), 1.5 * rng.stream("mean").normal({3, d}, {}, at::kDouble),
                         covariance);
}

Tensor log_normal(const Tensor& r, const Tensor& covariance) {
  const Tensor solved = at::linalg_solve(covariance, r.t());
  const auto d = static_cast<double>(r.size(1));
  return -0.5 *
         ((r.t() * solved).sum(0) + std::get<1>(at::linalg_slogdet(covariance)) + d * std::log(2 * M_PI));
}

/// log p(x | y) by Bayes' rule itself: log p(x) + log p(y | x) - log p(y), dense and without any posterior
/// mean.
Tensor by_bayes(const GaussianMixture& prior, const Tensor& a, const Tensor& y, double noise,
                const Tensor& x) {
  std::vector<Tensor> joint, evidence;
  const Tensor s2 = noise * noise * at::eye(a.size(0), at::kDouble);
  for (int64_t k = 0; k < prior.components(); ++k) {
    const Tensor log_weight = prior.weights()[k].log(), mean = prior.means()[k],
                 c = prior.component_covariance(k);
    joint.push_back(log_weight + log_normal(x - mean, c));
    evidence.push_back(log_weight +
                       log_normal((y - a.matmul(mean)).unsqueeze(0), a.matmul(c).matmul(a.t()) + s2));
  }
  return at::logsumexp(at::stack(joint), {0}) + log_normal(y - x.matmul(a.t()), s2) -
         at::logsumexp(at::stack(evidence), {0});
}

// An independent formula, at points of the posterior itself, in 2, 10 and 100 dimensions.
TEST(MixturePosterior, IsBayesRule) {
  for (const int64_t d : {2, 10, 100})
    for (const int64_t m : {int64_t{1}, d / 2, d, d + 3})
      for (const double noise : {0.05, 0.7}) {
        const GaussianMixture prior = some_mixture(d, static_cast<uint64_t>(d));
        const Tensor a = Rng(7).normal({m, d}, {}, at::kDouble) / std::sqrt(static_cast<double>(d));
        const Tensor y = a.matmul(prior.sample(1, Rng(8))[0]) + noise * Rng(9).normal({m}, {}, at::kDouble);
        const GaussianMixture found = posterior(prior, a, y, noise);
        const Tensor x = found.sample(20, Rng(10));
        const Tensor exact = by_bayes(prior, a, y, noise, x), log_density = found.log_density(x);
        EXPECT_LT(worst(log_density, exact), 1e-10 * std::max(1.0, exact.abs().max().item<double>()))
            << d << " " << m << " " << noise;
      }
}

// Numbers of numpy, float64 (posterior_reference.py).
TEST(MixturePosterior, AgreesWithNumpy) {
  for (const PosteriorReference& r : posterior_references()) {
    const GaussianMixture prior(vector_of(r.weights), rows_of(r.means), vector_of(r.variances));
    const GaussianMixture found = posterior(prior, rows_of(r.matrix), vector_of(r.y), r.noise);
    EXPECT_LT(worst(found.weights(), vector_of(r.posterior_weights)), 1e-12);
    EXPECT_LT(worst(found.means(), rows_of(r.posterior_means)), 1e-12);
    EXPECT_LT(worst(found.log_density(rows_of(r.points)), vector_of(r.log_density)), 1e-10);
    EXPECT_NEAR(log_evidence(prior, rows_of(r.matrix), vector_of(r.y), r.noise), r.log_evidence, 1e-11);
  }
}

// Weights of many far components, of which exp(-r^2) underflows.
TEST(MixturePosterior, WeighsInLogarithms) {
  const GaussianMixture prior(vector_of({1, 1, 1}), rows_of({{0}, {1}, {1000}}),
                              vector_of({1e-4, 1e-4, 1e-4}));
  // Squares of 400, 399 and 600: 400 nats between the first two, and 1e5 to the third.
  const GaussianMixture found = posterior(prior, rows_of({{1}}), vector_of({400.0}), 1.0);
  ASSERT_EQ(found.components(), 2);
  const double odds = (found.weights()[1] / found.weights()[0]).log().item<double>();
  EXPECT_NEAR(odds, 0.5 * (400.0 * 400 - 399.0 * 399) / (1 + 1e-4), 1e-6);
  EXPECT_EQ(posterior(prior, rows_of({{1}}), vector_of({900.0}), 1.0).components(), 1);
}

TEST(MixturePosterior, ReweighsPoints) {
  const Tensor points = rows_of({{0, 0}, {1, 3}, {2, -1}});
  const GaussianMixture found =
      posterior(GaussianMixture::empirical(points), rows_of({{1, 0}}), vector_of({0.8}), 0.5);
  EXPECT_TRUE(found.is_discrete());
  EXPECT_EQ(worst(found.means(), points), 0);
  const Tensor log = -2 * (points.select(1, 0) - 0.8).square();
  EXPECT_LT(worst(found.weights(), log.softmax(0)), 1e-14);
}

// Without noise: the limit of ever less of it.
TEST(MixturePosterior, IsTheLimitOfLessNoise) {
  const GaussianMixture prior = some_mixture(4, 3);
  const Tensor a = Rng(7).normal({2, 4}, {}, at::kDouble), y = vector_of({0.3, -0.4});
  const GaussianMixture exact = posterior(prior, a, y, 0), near = posterior(prior, a, y, 1e-7);
  EXPECT_LT(worst(exact.weights(), near.weights()), 1e-8);
  EXPECT_LT(worst(exact.means(), near.means()), 1e-8);
  EXPECT_LT(worst(exact.covariance(), near.covariance()), 1e-8);
  EXPECT_LT(worst(exact.sample(50, Rng(1)).matmul(a.t()), y), 1e-7) << "samples lie where y is exact";
  // A repeated row says nothing new, and must not contradict itself.
  const Tensor twice = at::cat({a, a}), same = at::cat({y, y}), other = at::cat({y, y + 0.1});
  EXPECT_LT(worst(posterior(prior, twice, same, 0).means(), exact.means()), 1e-8);
  EXPECT_THAT([&] { posterior(prior, twice, other, 0); },
              message("no component of the mixture can give this y"));
}

// Points and Gaussians that cannot give y are left out; of the rest the most constrained has all the weight.
TEST(MixturePosterior, ChoosesAmongDegenerateComponents) {
  const Tensor flat = rows_of({{1, 0}, {0, 0}}), full = at::eye(2, at::kDouble);
  const GaussianMixture prior(vector_of({0.5, 0.5}), rows_of({{0, 1}, {0, 0}}), at::stack({flat, full}));
  const GaussianMixture on_line = posterior(prior, rows_of({{0, 1}}), vector_of({1.0}), 0);
  ASSERT_EQ(on_line.components(), 1);
  EXPECT_LT(worst(on_line.means(), rows_of({{0, 1}})), 1e-12);
  const GaussianMixture off_line = posterior(prior, rows_of({{0, 1}}), vector_of({0.7}), 0);
  ASSERT_EQ(off_line.components(), 1);
  EXPECT_LT(worst(off_line.means(), rows_of({{0, 0.7}})), 1e-12);
  const GaussianMixture points = GaussianMixture::empirical(rows_of({{0, 0}, {1, 3}}));
  EXPECT_EQ(posterior(points, rows_of({{1, 0}}), vector_of({1.0}), 0).components(), 1);
  EXPECT_THAT(
      [&] {
        posterior(points, rows_of({{1, 0}}), vector_of({0.5}), 0);
      },
      message("expected noise > 0"));
}

TEST(MixturePosterior, RefusesWhatDoesNotFit) {
  const GaussianMixture prior = GaussianMixture::standard_normal(2);
  EXPECT_THAT(
      [&] {
        posterior(prior, rows_of({{1, 2, 3}}), vector_of({0}), 1);
      },
      message("expected a matrix of shape (m, 2) but received (1, 3)"));
  EXPECT_THAT(
      [&] {
        posterior(prior, rows_of({{1, 2}}), vector_of({0, 1}), 1);
      },
      message("expected y of shape (1) but received (2)"));
  EXPECT_THAT([&] { posterior(prior, rows_of({{1, 2}}), vector_of({NAN}), 1); }, message("finite numbers"));
  EXPECT_THAT([&] { posterior(prior, rows_of({{1, 2}}), vector_of({0}), -1); }, message("noise >= 0"));
}

}  // namespace
}  // namespace fokker
