// The posterior of a Gaussian mixture, against long double, quadrature and linear algebra.
#include <gmock/gmock.h>

#include "fokker/target/gaussian_mixture.h"
#include "target/reference.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

struct Case {
  GaussianMixture mixture;
  Tensor variances;  // (k, d)
};

void expect_agrees(const Case& test, const Tensor& x, double alpha, double sigma, double tolerance) {
  const auto posterior = test.mixture.posterior(x, alpha, sigma);
  for (int64_t i = 0; i < x.size(0); ++i) {
    const auto truth =
        reference_posterior(x[i], test.mixture.weights(), test.mixture.means(), test.variances, alpha, sigma);
    const auto scale = std::max(1.0L, std::abs(truth.log_density));
    EXPECT_NEAR(posterior.log_density[i].item<double>() / scale, truth.log_density / scale, tolerance)
        << "alpha " << alpha << " sigma " << sigma;
    double denoised_gap = 0, noise_gap = 0;
    for (int64_t j = 0; j < x.size(1); ++j) {
      const long double d = truth.denoised[j], e = truth.noise[j];
      denoised_gap =
          std::max(denoised_gap, std::abs(static_cast<double>(posterior.denoised[i][j].item<double>() - d)) /
                                     (1 + std::abs(static_cast<double>(d))));
      noise_gap =
          std::max(noise_gap, std::abs(static_cast<double>(posterior.noise[i][j].item<double>() - e)) /
                                  (1 + std::abs(static_cast<double>(e))));
    }
    EXPECT_LT(denoised_gap, tolerance) << "alpha " << alpha << " sigma " << sigma << " row " << i;
    EXPECT_LT(noise_gap, tolerance) << "alpha " << alpha << " sigma " << sigma << " row " << i;
  }
}

/// One mixture for each form of covariance, k = 4, d = 3.
std::vector<Case> cases() {
  const Rng rng(1);
  const Tensor means = 3 * rng.stream("means").normal({4, 3}, {}, at::kDouble);
  const Tensor weights = numbers({1, 2, 3, 4});
  const Tensor diagonal = rng.stream("variances").uniform({4, 3}, {}, at::kDouble);
  const Tensor each = diagonal.select(1, 0);
  Tensor partly = diagonal.clone();
  partly.select(1, 1).zero_();
  const Tensor zeros = at::zeros({4, 3}, at::kDouble);
  return {{GaussianMixture(weights, means, number(0.7)), zeros + 0.7},
          {GaussianMixture(weights, means, number(0)), zeros},
          {GaussianMixture(weights, means, each), each.unsqueeze(1).expand({4, 3})},
          {GaussianMixture(weights, means, diagonal), diagonal},
          {GaussianMixture(weights, means, partly), partly}};
}

TEST(Posterior, AgreesWithLongDoubleForEveryCovarianceNoiseAndDistance) {
  const Tensor z = Rng(2).normal({4, 3}, {}, at::kDouble);
  for (const auto& test : cases())
    for (const double alpha : {1.0, 0.3, 1e-6, 0.0})
      for (const double sigma : {1e-4, 1e-2, 1.0, 1e3})
        for (const double distance : {0.1, 3.0, 400.0}) {  // in standard deviations from each component
          const Tensor deviation = (alpha * alpha * test.variances + sigma * sigma).sqrt();
          expect_agrees(test, alpha * test.mixture.means() + distance * deviation * z, alpha, sigma, 1e-9);
        }
}

TEST(Posterior, AgreesNearThePointsOfDataAtSmallNoise) {
  const Case test = cases()[1];
  const Tensor z = Rng(3).normal({4, 3}, {}, at::kDouble);
  for (const double sigma : {1e-4, 1e-3, 1e-2, 0.1})
    expect_agrees(test, 0.9 * test.mixture.means() + sigma * z, 0.9, sigma, 1e-10);
}

TEST(Posterior, AgreesInThreeThousandDimensions) {
  const Rng rng(4);
  const Tensor points = rng.stream("points").normal({20, 3072}, {}, at::kDouble);
  const Case data{GaussianMixture::empirical(points), at::zeros_like(points)};
  const Case smooth{GaussianMixture(at::ones({20}), points, number(0.01)), at::full_like(points, 0.01)};
  const Tensor z = rng.stream("z").normal({2, 3072}, {}, at::kDouble);
  for (const double sigma : {1e-4, 1.0, 40.0, 1e3}) {
    for (const auto& test : {data, smooth}) {
      expect_agrees(test, 0.8 * points.slice(0, 0, 2) + sigma * z, 0.8, sigma, 1e-10);
      expect_agrees(test, 100 * z, 0.8, sigma, 1e-9);
    }
  }
}

// Two points 2 apart, seen from 100 away across their bisector: log-odds 2 x_1 / sigma^2 = 0.2 out of
// exponents of 5e11. Squared distances in double would be off by 1e-4.
TEST(Posterior, ResolvesNearTiesFarAway) {
  const auto pair = GaussianMixture::empirical(numbers({-1, 0, 1, 0}).reshape({2, 2}));
  const auto posterior = pair.posterior(numbers({1e-9, 100}).reshape({1, 2}), 1, 1e-4);
  EXPECT_NEAR(posterior.denoised[0][0].item<double>(), std::tanh(0.1), 1e-12);
  EXPECT_EQ(posterior.denoised[0][1].item<double>(), 0);
}

TEST(Posterior, DataFarFromTheOriginLosesNothing) {
  for (const int64_t d : {1, 20}) {
    const Tensor points = Rng(5).normal({30, d}, {}, at::kDouble).mul(16).round().div(16) + 1048576.0;
    const Case test{GaussianMixture::empirical(points), at::zeros_like(points)};
    const Tensor z = Rng(6).normal({3, d}, {}, at::kDouble);
    for (const double sigma : {0.0625, 1.0, 10.0}) {
      const Tensor x = (points.slice(0, 0, 3) + sigma * z).mul(1024).round().div(1024);
      const auto posterior = test.mixture.posterior(x, 1, sigma);
      for (int64_t i = 0; i < 3; ++i) {
        const auto truth =
            reference_posterior(x[i], test.mixture.weights(), points, test.variances, 1, sigma);
        for (int64_t j = 0; j < d; ++j) {
          EXPECT_NEAR(posterior.noise[i][j].item<double>(), truth.noise[j], 1e-7);
          EXPECT_NEAR(posterior.denoised[i][j].item<double>() - 1048576.0, truth.denoised[j] - 1048576.0L,
                      1e-8);
        }
      }
    }
  }
}

// Bayes' rule by the trapezoidal rule, which converges faster than any power here.
TEST(Posterior, IsBayesRuleInOneDimension) {
  const GaussianMixture mixture(numbers({0.3, 0.7}), numbers({-2, 1}).unsqueeze(1), numbers({0.25, 1.5}));
  const double alpha = 0.6, sigma = 0.8, step = 0.005;
  for (const double x : {-3.0, -0.4, 0.0, 0.9, 4.0}) {
    double evidence = 0, first = 0, noise = 0;
    for (double x0 = -15; x0 < 15; x0 += step) {
      double prior = 0;
      for (const auto& [w, m, v] : {std::tuple{0.3, -2.0, 0.25}, {0.7, 1.0, 1.5}})
        prior += w * std::exp(-0.5 * (x0 - m) * (x0 - m) / v) / std::sqrt(2 * std::numbers::pi * v);
      const double e = (x - alpha * x0) / sigma;
      const double joint = prior * std::exp(-0.5 * e * e) / (sigma * std::sqrt(2 * std::numbers::pi)) * step;
      evidence += joint;
      first += joint * x0;
      noise += joint * e;
    }
    const auto posterior = mixture.posterior(numbers({x}).unsqueeze(1), alpha, sigma);
    EXPECT_NEAR(posterior.log_density.item<double>(), std::log(evidence), 1e-11);
    EXPECT_NEAR(posterior.denoised.item<double>(), first / evidence, 1e-11);
    EXPECT_NEAR(posterior.noise.item<double>(), noise / evidence, 1e-11);
  }
}

Tensor random_covariances(int64_t k, int64_t d, int64_t rank, const Rng& rng) {
  const Tensor factor = rng.normal({k, d, rank}, {}, at::kDouble);
  return factor.matmul(factor.transpose(1, 2));
}

TEST(Posterior, FullCovariancesAgreeWithLinearSolves) {
  const Rng rng(7);
  const double alpha = 0.7, sigma = 0.5;
  for (const int64_t rank : {5, 2}) {  // the second is singular
    const Tensor covariances = random_covariances(3, 5, rank, rng.stream("covariances"));
    const Tensor means = rng.stream("means").normal({3, 5}, {}, at::kDouble),
                 weights = numbers({0.2, 0.3, 0.5});
    const GaussianMixture mixture(weights, means, covariances);
    EXPECT_EQ(mixture.has_density(), rank == 5);
    const Tensor x = 2 * rng.stream("x").normal({6, 5}, {}, at::kDouble);
    const auto posterior = mixture.posterior(x, alpha, sigma);
    const Tensor noisy = alpha * alpha * covariances + sigma * sigma * at::eye(5, at::kDouble);
    const Tensor r = (x.unsqueeze(0) - alpha * means.unsqueeze(1)).transpose(1, 2);  // (k, d, n)
    const Tensor solved = at::linalg_solve(noisy, r);
    const Tensor logits = weights.log().unsqueeze(1) - 0.5 * (r * solved).sum(1) -
                          0.5 * std::get<1>(at::linalg_slogdet(noisy)).unsqueeze(1) -
                          2.5 * std::log(2 * std::numbers::pi);
    const Tensor share = logits.softmax(0).unsqueeze(1);
    const Tensor denoised = (share * (means.unsqueeze(2) + alpha * covariances.matmul(solved))).sum(0).t();
    const Tensor noise = sigma * (share * solved).sum(0).t();
    EXPECT_LT((posterior.log_density - logits.logsumexp(0)).abs().max().item<double>(), 1e-11);
    EXPECT_LT((posterior.denoised - denoised).abs().max().item<double>(), 1e-11);
    EXPECT_LT((posterior.noise - noise).abs().max().item<double>(), 1e-11);
  }
}

// In the null directions of a covariance only noise is seen, in the others at small noise only data.
TEST(Posterior, SemiDefiniteCovarianceSplitsSpaceExactly) {
  const double h = std::sqrt(0.5);
  const Tensor along = numbers({h, h}), across = numbers({h, -h});
  const auto line = GaussianMixture::gaussian(numbers({1, 2}), 4 * at::outer(along, along));
  const double sigma = 1e-4;
  const Tensor x = (numbers({1, 2}) + 3 * along + 2 * sigma * across).unsqueeze(0);
  const auto posterior = line.posterior(x, 1, sigma);
  const double gain = 4 / (4 + sigma * sigma);
  EXPECT_NEAR((posterior.denoised[0] - numbers({1, 2})).dot(along).item<double>(), 3 * gain, 1e-13);
  EXPECT_NEAR((posterior.denoised[0] - numbers({1, 2})).dot(across).item<double>(), 0, 1e-13);
  EXPECT_NEAR(posterior.noise[0].dot(across).item<double>(), 2, 1e-10);
  EXPECT_NEAR(posterior.noise[0].dot(along).item<double>(), 3 * sigma / 4, 1e-10);
  EXPECT_THAT(error_of([&] { line.log_density(x); }), HasSubstr("no density"));
}

TEST(Posterior, SplitsXIntoItsTwoPartsAndObeysTweedie) {
  const Tensor x = 4 * Rng(8).normal({16, 3}, {}, at::kDouble);
  for (const auto& test : cases())
    for (const auto& [alpha, sigma] : {std::pair{0.9, 0.4}, {0.2, 0.98}, {1.0, 5.0}}) {
      const auto posterior = test.mixture.posterior(x, alpha, sigma);
      EXPECT_LT(relative_gap(alpha * posterior.denoised + sigma * posterior.noise, x), 1e-13);
      const auto noised = test.mixture.noised(alpha, sigma);
      const Tensor score = noised.score(x);
      EXPECT_LT(relative_gap(-posterior.noise / sigma, score), 1e-12);
      EXPECT_LT(relative_gap((x + sigma * sigma * score) / alpha, posterior.denoised), 1e-11);
      EXPECT_LT(relative_gap(noised.log_density(x), posterior.log_density), 1e-12);
    }
}

TEST(Posterior, TakesOneCoefficientPerSample) {
  const Tensor x = Rng(9).normal({5, 3}, {}, at::kDouble);
  const Tensor alpha = numbers({1, 0.5, 0, 0.1, 0.9}), sigma = numbers({1e-4, 0.5, 1, 1000, 0.2});
  for (const auto& test : cases()) {
    const auto together = test.mixture.posterior(x, alpha, sigma);
    for (int64_t i = 0; i < 5; ++i) {
      const auto alone =
          test.mixture.posterior(x.slice(0, i, i + 1), alpha[i].item<double>(), sigma[i].item<double>());
      EXPECT_LT(relative_gap(together.denoised[i], alone.denoised[0]), 1e-13);
      EXPECT_LT(relative_gap(together.noise[i], alone.noise[0]), 1e-13);
      EXPECT_LT(relative_gap(together.log_density[i], alone.log_density[0]), 1e-13);
    }
  }
}

TEST(Posterior, BlocksOfRowsAndComponentsDoNotShow) {
  const Tensor points = Rng(10).normal({3000, 40}, {}, at::kDouble);
  const Tensor each = Rng(11).uniform({3000}, {}, at::kDouble);
  const Tensor x = Rng(12).normal({2000, 40}, {}, at::kDouble);
  for (const auto& mixture :
       {GaussianMixture::empirical(points), GaussianMixture(at::ones({3000}), points, each)}) {
    const int64_t n = mixture.has_density() ? 40 : 2000;  // 40 rows of 3000 x 40 already make several blocks
    const auto all = mixture.posterior(x.slice(0, 0, n), 0.5, 0.9);
    const auto last = mixture.posterior(x.slice(0, n - 1, n), 0.5, 0.9);
    EXPECT_LT(relative_gap(all.denoised[n - 1], last.denoised[0]), 1e-13);
    EXPECT_LT(relative_gap(all.noise[n - 1], last.noise[0]), 1e-13);
    EXPECT_LT(relative_gap(all.log_density[n - 1], last.log_density[0]), 1e-13);
  }
  // One row that does not fit: the components are taken in blocks.
  const Tensor wide = Rng(13).normal({3000, 1000}, {}, at::kDouble),
               row = Rng(14).normal({1, 1000}, {}, at::kDouble);
  const GaussianMixture kernels(at::ones({3000}), wide, each + 50);
  const auto blocked = kernels.posterior(row, 0.5, 0.9);
  const auto truth = reference_posterior(row[0], kernels.weights(), wide,
                                         (each + 50).unsqueeze(1).expand({3000, 1000}), 0.5, 0.9);
  EXPECT_NEAR(blocked.log_density.item<double>(), truth.log_density, 1e-9);
  for (int64_t j = 0; j < 1000; j += 97) {
    EXPECT_NEAR(blocked.denoised[0][j].item<double>(), truth.denoised[j], 1e-11);
    EXPECT_NEAR(blocked.noise[0][j].item<double>(), truth.noise[j], 1e-12);
  }
}

TEST(Posterior, KeepsShapeAndDtypeAndComputesInDouble) {
  const auto mixture = GaussianMixture::empirical(Rng(15).normal({10, 1, 2, 3}));
  EXPECT_EQ(mixture.dimension(), 6);
  const Tensor x = Rng(16).normal({4, 1, 2, 3});
  const auto single = mixture.posterior(x, 0.5, 0.1), exact = mixture.posterior(x.to(at::kDouble), 0.5, 0.1);
  EXPECT_EQ(single.denoised.sizes(), x.sizes());
  EXPECT_EQ(single.log_density.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(single.noise, exact.noise.to(at::kFloat)));
  EXPECT_TRUE(at::equal(single.denoised, exact.denoised.to(at::kFloat)));
}

TEST(Posterior, OfNothingIsNothing) {
  for (const auto& test : cases()) {
    const auto posterior = test.mixture.posterior(at::zeros({0, 3}), 0.5, 0.5);
    EXPECT_EQ(posterior.denoised.sizes(), (IntArrayRef{0, 3}));
    EXPECT_EQ(posterior.log_density.sizes(), (IntArrayRef{0}));
    EXPECT_EQ(test.mixture.sample(0, Rng(1)).sizes(), (IntArrayRef{0, 3}));
  }
}

// A sampler that blows up must see it, in the rows concerned alone.
TEST(Posterior, PassesNanOn) {
  Tensor x = Rng(17).normal({3, 3}, {}, at::kDouble);
  x[1][0] = NAN;
  for (const auto& test : cases()) {
    const auto posterior = test.mixture.posterior(x, 0.5, 1e-3);
    EXPECT_TRUE(std::isnan(posterior.log_density[1].item<double>()));
    EXPECT_TRUE(std::isnan(posterior.denoised[1][0].item<double>()));
    EXPECT_TRUE(at::isfinite(posterior.noise[0]).all().item<bool>());
    EXPECT_TRUE(at::isfinite(posterior.noise[2]).all().item<bool>());
  }
}

TEST(Posterior, RefusesWhatMakesNoSense) {
  const auto data = GaussianMixture::empirical(at::zeros({2, 3}));
  const Tensor x = at::zeros({1, 3}, at::kDouble);
  EXPECT_THAT(error_of([&] { data.posterior(x, 1, -1); }), HasSubstr("sigma >= 0 but received 1 and -1"));
  EXPECT_THAT(error_of([&] { data.posterior(x, NAN, 1); }), HasSubstr("finite alpha"));
  EXPECT_THAT(error_of([&] { data.posterior(x, 1, 0); }), HasSubstr("has no density"));
  EXPECT_THAT(error_of([&] {
                data.posterior(at::zeros({1, 4}), 1, 1);
              }),
              HasSubstr("(n, 3) but received (1, 4)"));
  EXPECT_THAT(error_of([&] { data.posterior(x.to(at::kLong), 1, 1); }), HasSubstr("floating-point"));
  EXPECT_THAT(error_of([&] {
                data.posterior(x, numbers({1, 1}), numbers({1}));
              }),
              HasSubstr("alpha of shape (1) but received (2)"));
}

}  // namespace
}  // namespace fokker
