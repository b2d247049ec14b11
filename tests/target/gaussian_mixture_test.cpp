#include "fokker/target/gaussian_mixture.h"

#include <gmock/gmock.h>

#include "target/reference.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

GaussianMixture full_mixture() {
  const Tensor covariances = numbers({2, 0.6, 0.6, 1, 0.5, -0.2, -0.2, 0.3}).reshape({2, 2, 2});
  return {numbers({1, 3}), numbers({-1, 2, 3, 0}).reshape({2, 2}), covariances};
}

std::vector<GaussianMixture> mixtures() {
  const Tensor weights = numbers({1, 3}), means = numbers({-1, 2, 3, 0}).reshape({2, 2});
  return {full_mixture(), GaussianMixture(weights, means, number(0.5)),
          GaussianMixture(weights, means, numbers({0.5, 2})),
          GaussianMixture(weights, means, numbers({0.5, 2, 1, 0.1}).reshape({2, 2}))};
}

TEST(GaussianMixture, DensityIsTheClosedForm) {
  const auto normal = GaussianMixture::standard_normal(3);
  const Tensor x = numbers({0, 0, 0, 1, 2, -3}).reshape({2, 3});
  const double at_zero = -1.5 * std::log(2 * std::numbers::pi);
  EXPECT_NEAR(normal.log_density(x)[0].item<double>(), at_zero, 1e-15);
  EXPECT_NEAR(normal.log_density(x)[1].item<double>(), at_zero - 7, 1e-14);
  EXPECT_TRUE(at::allclose(normal.score(x), -x, 0, 1e-15));
  // Covariance ((2, 1), (1, 2)): determinant 3, inverse ((2, -1), (-1, 2)) / 3.
  const auto gaussian = GaussianMixture::gaussian(numbers({1, 0}), numbers({2, 1, 1, 2}).reshape({2, 2}));
  const Tensor y = numbers({2, 3}).unsqueeze(0);
  EXPECT_NEAR(gaussian.log_density(y).item<double>(),
              -0.5 * (2 - 6 + 18) / 3.0 - std::log(2 * std::numbers::pi) - 0.5 * std::log(3), 1e-13);
  EXPECT_LT((gaussian.score(y) - numbers({1.0 / 3, -5.0 / 3})).abs().max().item<double>(), 1e-13);
}

TEST(GaussianMixture, DensityIntegratesToOne) {
  const double step = 0.05;
  const Tensor axis = at::arange(-14, 16, step, at::kDouble);
  const auto grid = at::meshgrid({axis, axis}, "ij");
  const Tensor points = at::stack({grid[0].flatten(), grid[1].flatten()}, 1);
  for (const auto& mixture : mixtures())
    EXPECT_NEAR(mixture.log_density(points).exp().sum().item<double>() * step * step, 1, 1e-9);
}

TEST(GaussianMixture, ScoreIsTheGradientOfTheLogDensity) {
  const Tensor x = 3 * Rng(1).normal({20, 2}, {}, at::kDouble);
  const double h = 1e-5;
  for (const auto& mixture : mixtures()) {
    const Tensor score = mixture.score(x);
    for (int64_t j = 0; j < 2; ++j) {
      Tensor e = at::zeros({2}, at::kDouble);
      e[j] = h;
      const Tensor slope = (mixture.log_density(x + e) - mixture.log_density(x - e)) / (2 * h);
      EXPECT_LT(relative_gap(slope, score.select(1, j)), 1e-7);
    }
  }
}

TEST(GaussianMixture, RecordsGradientsWithRespectToX) {
  const double h = 1e-5;
  auto all = mixtures();
  all.push_back(GaussianMixture::empirical(numbers({-1, 2, 3, 0, 1, 1}).reshape({3, 2})).noised(1, 0.05));
  for (const auto& mixture : all) {
    const Tensor x = Rng(2).normal({10, 2}, {}, at::kDouble).set_requires_grad(true);
    const Tensor score = mixture.score(x.detach());
    EXPECT_LT(relative_gap(gradients(mixture.log_density(x), {x}, false)[0], score), 1e-10);
    // The divergence of the score, as a likelihood needs it.
    const Tensor recorded = gradients(mixture.score(x).select(1, 1), {x}, false)[0].select(1, 1);
    const Tensor e = numbers({0, h});
    const Tensor slope =
        (mixture.score(x.detach() + e) - mixture.score(x.detach() - e)).select(1, 1) / (2 * h);
    EXPECT_LT(relative_gap(recorded, slope), 1e-5);
  }
}

TEST(GaussianMixture, NoisingTwiceIsNoisingOnce) {
  const Tensor x = 3 * Rng(3).normal({10, 2}, {}, at::kDouble);
  for (const auto& mixture : mixtures()) {
    const auto twice = mixture.noised(0.8, 0.5).noised(0.6, 0.7);
    const auto once = mixture.noised(0.48, std::sqrt(0.36 * 0.25 + 0.49));
    EXPECT_LT(relative_gap(twice.log_density(x), once.log_density(x)), 1e-13);
    EXPECT_LT(relative_gap(twice.score(x), once.score(x)), 1e-13);
    EXPECT_LT(relative_gap(mixture.noised(1, 0).log_density(x), mixture.log_density(x)), 1e-14);
    const Tensor gap = mixture.noised(0.8, 0.5).covariance() - 0.64 * mixture.covariance();
    EXPECT_TRUE(at::allclose(gap, 0.25 * at::eye(2, at::kDouble), 0, 1e-13));
  }
}

TEST(GaussianMixture, WithoutSignalOnlyNoiseRemains) {
  const Tensor x = 3 * Rng(4).normal({10, 2}, {}, at::kDouble);
  for (const auto& mixture : mixtures())
    EXPECT_LT(
        relative_gap(mixture.noised(0, 1).log_density(x), GaussianMixture::standard_normal(2).log_density(x)),
        1e-14);
}

TEST(GaussianMixture, EveryFormOfCovarianceIsTheSameDistribution) {
  const Tensor x = 3 * Rng(5).normal({10, 2}, {}, at::kDouble),
               means = numbers({-1, 2, 3, 0}).reshape({2, 2});
  const Tensor weights = numbers({1, 3}), identity = at::eye(2, at::kDouble).repeat({2, 1, 1});
  const GaussianMixture scalar(weights, means, number(2));
  // The rotated form cannot be recognised as isotropic in its entries: it takes the general path.
  Tensor nearly = 2 * identity.clone();
  nearly[0][0][1] = nearly[0][1][0] = 1e-14;
  for (const Tensor& covariances :
       {numbers({2, 2}), at::full({2, 2}, 2.0, at::kDouble), 2 * identity, nearly}) {
    const GaussianMixture other(20 * weights, means, covariances);
    EXPECT_LT(relative_gap(other.log_density(x), scalar.log_density(x)), 1e-12);
    EXPECT_LT(relative_gap(other.posterior(x, 0.3, 0.7).denoised, scalar.posterior(x, 0.3, 0.7).denoised),
              1e-12);
    EXPECT_LT(relative_gap(other.responsibilities(x), scalar.responsibilities(x)), 1e-12);
  }
}

TEST(GaussianMixture, ResponsibilitiesAreBayesRule) {
  const auto mixture = full_mixture();
  const Tensor x = 2 * Rng(6).normal({10, 2}, {}, at::kDouble);
  const Tensor share = mixture.responsibilities(x);
  for (int64_t k = 0; k < 2; ++k) {
    const auto alone = GaussianMixture::gaussian(mixture.means()[k], mixture.component_covariance(k));
    const Tensor expected =
        (mixture.weights()[k].log() + alone.log_density(x) - mixture.log_density(x)).exp();
    EXPECT_LT((share.select(1, k) - expected).abs().max().item<double>(), 1e-12);
  }
}

TEST(GaussianMixture, MomentsOfTheWhole) {
  const auto mixture = full_mixture();
  EXPECT_TRUE(at::allclose(mixture.weights(), numbers({0.25, 0.75}), 0, 1e-16));
  EXPECT_TRUE(at::allclose(mixture.mean(), numbers({2, 0.5}), 0, 1e-15));
  // 1/4 S1 + 3/4 S2 + 3/16 (4, -2)(4, -2)^T
  EXPECT_TRUE(
      at::allclose(mixture.covariance(), numbers({3.875, -1.5, -1.5, 1.225}).reshape({2, 2}), 0, 1e-14));
  EXPECT_NEAR(mixture.mean_square(),
              (mixture.covariance().diagonal() + mixture.mean().square()).mean().item<double>(), 1e-13);
  EXPECT_TRUE(at::allclose(mixture.component_covariance(1), numbers({0.5, -0.2, -0.2, 0.3}).reshape({2, 2}),
                           0, 1e-15));
  EXPECT_TRUE(at::allclose(
      GaussianMixture(numbers({1, 1}), numbers({-3, 3}).unsqueeze(1), numbers({1, 3})).covariance(),
      numbers({11}).reshape({1, 1})));
}

TEST(GaussianMixture, SamplesHaveItsMomentsAndWeights) {
  constexpr int64_t n = 100'000;
  for (const auto& mixture : mixtures()) {
    const Tensor x = mixture.sample(n, Rng(7));
    const Tensor centred = x - mixture.mean();
    EXPECT_TRUE(
        (centred.mean(0).abs() < 4.5 * (mixture.covariance().diagonal() / n).sqrt()).all().item<bool>());
    const Tensor products = centred.unsqueeze(2) * centred.unsqueeze(1);  // (n, 2, 2)
    const Tensor error = products.std(0, true) / std::sqrt(static_cast<double>(n));
    EXPECT_TRUE(((products.mean(0) - mixture.covariance()).abs() < 4.5 * error).all().item<bool>());
    // E[p(k | x)] = w_k for samples of the mixture.
    const Tensor share = mixture.responsibilities(x).select(1, 0);
    EXPECT_NEAR(share.mean().item<double>(), 0.25, 4.5 * std::sqrt(0.25 * 0.75 / n));
    // The score has mean zero, and E[x . score] = -d (Stein).
    const Tensor stein = (x * mixture.score(x)).sum(1);
    EXPECT_NEAR(stein.mean().item<double>(), -2, 4.5 * stein.std().item<double>() / std::sqrt(n));
  }
}

TEST(GaussianMixture, SamplesAreKeyedByIndex) {
  for (const auto& mixture : mixtures()) {
    const Tensor few = mixture.sample(100, Rng(8)), many = mixture.sample(200, Rng(8));
    EXPECT_TRUE(at::equal(few, many.slice(0, 0, 100)));
    EXPECT_FALSE(at::equal(few, mixture.sample(100, Rng(9))));
  }
}

TEST(GaussianMixture, SamplesOfDataAreItsPoints) {
  const Tensor points = Rng(10).normal({7, 3}, {}, at::kDouble) + 100;
  const Tensor x = GaussianMixture::empirical(points).sample(7000, Rng(11));
  const Tensor same = (x.unsqueeze(1) == points).all(2);
  EXPECT_TRUE((same.sum(1) == 1).all().item<bool>());
  const double error = 4.5 * std::sqrt(7000 * 6.0 / 49);
  EXPECT_LT((same.sum(0) - 1000).abs().max().item<double>(), error);
}

TEST(GaussianMixture, SemiDefiniteSamplesStayInTheSubspace) {
  const Tensor v = numbers({3, 4}) / 5;
  const auto line = GaussianMixture::gaussian(numbers({1, 1}), 9 * at::outer(v, v));
  const Tensor x = line.sample(50'000, Rng(12)) - 1;
  EXPECT_LT(x.matmul(numbers({4, -3})).abs().max().item<double>(), 1e-12);
  EXPECT_NEAR(x.matmul(v).var().item<double>(), 9, 4.5 * 9 * std::sqrt(2.0 / 50'000));
}

TEST(GaussianMixture, RefusesBadParametersByName) {
  const Tensor means = at::zeros({2, 2}), weights = at::ones({2}), identity = at::eye(2).repeat({2, 1, 1});
  const auto refused = [&](const Tensor& w, const Tensor& m, const Tensor& c) {
    return error_of([&] { GaussianMixture(w, m, c); });
  };
  EXPECT_THAT(refused(at::ones({3}), means, number(1)), HasSubstr("expected 2 weights"));
  EXPECT_THAT(refused(numbers({1, 0}), means, number(1)), HasSubstr("weights[1]: expected a number > 0"));
  EXPECT_THAT(refused(numbers({1, NAN}), means, number(1)), HasSubstr("finite weights but received nan"));
  EXPECT_THAT(refused(weights, at::zeros({2}), number(1)),
              HasSubstr("means of shape (k, d) but received (2)"));
  EXPECT_THAT(refused(weights, means, number(-1)), HasSubstr("variances >= 0 but received -1"));
  EXPECT_THAT(refused(weights, means, numbers({1, -2})),
              HasSubstr("covariances[1]: expected variances >= 0"));
  EXPECT_THAT(refused(weights, means, at::ones({2, 3})), HasSubstr("(2, 2, 2) but received (2, 3)"));
  Tensor skew = identity.clone();
  skew[1][0][1] = 0.5;
  EXPECT_THAT(refused(weights, means, skew), HasSubstr("covariances[1]: expected a symmetric matrix"));
  Tensor indefinite = identity.clone();
  indefinite[1][0][1] = indefinite[1][1][0] = 2;
  EXPECT_THAT(
      refused(weights, means, indefinite),
      HasSubstr(
          "covariances[1]: expected a positive semi-definite matrix but its smallest eigenvalue is -1"));
}

}  // namespace
}  // namespace fokker
