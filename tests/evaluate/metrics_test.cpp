#include "fokker/evaluate/metrics.h"

#include <gmock/gmock.h>

#include <numbers>

#include "expect_error.h"
#include "fokker/core/error.h"
#include "fokker/target/toys.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

Tensor numbers(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}
Tensor normal(uint64_t seed, int64_t n, int64_t d) {
  return Rng(seed).normal({n, d}, {}, at::kDouble);
}

/// E|Z| for Z ~ N(m, v).
double folded_mean(double m, double v) {
  return std::sqrt(2 * v / std::numbers::pi) * std::exp(-m * m / (2 * v)) +
         m * std::erf(m / std::sqrt(2 * v));
}

TEST(EnergyDistance, IsTheDefinitionByHand) {
  // x = {0, 1}, y = {0, 3, 5}: between 17/6, within 1 and 20/6.
  EXPECT_NEAR(energy_distance(numbers({0, 1}), numbers({0, 3, 5})), 2 * 15.0 / 6 - 1 - 20.0 / 6, 1e-14);
  // The same points on a line in the plane take the blocked path.
  const Tensor line = numbers({0.6, 0.8}).unsqueeze(0);
  EXPECT_NEAR(energy_distance(numbers({0, 1}).unsqueeze(1) * line, numbers({0, 3, 5}).unsqueeze(1) * line),
              2 * 15.0 / 6 - 1 - 20.0 / 6, 1e-14);
}

TEST(EnergyDistance, OfTwoGaussiansIsTheClosedForm) {
  const int64_t n = 200'000;
  const Tensor x = normal(1, n, 1), y = 0.5 + 2 * normal(2, n, 1);
  const double truth = 2 * folded_mean(0.5, 5) - folded_mean(0, 2) - folded_mean(0, 8);
  // Influence of one sample: 2 E|x - Y| - 2 E|x - X'|, at most a few units; 4.5 of its standard errors.
  EXPECT_NEAR(energy_distance(x, y), truth, 4.5 * 2.0 / std::sqrt(n));
  EXPECT_NEAR(energy_distance(3 * x, 3 * y), 3 * energy_distance(x, y), 1e-9);
}

TEST(EnergyDistance, SortedBlockedAndProductFormsAgree) {
  const Tensor x = normal(3, 1500, 1), y = normal(4, 700, 1) + 0.1;
  const double sorted = energy_distance(x, y);
  for (const int64_t d : {2, 8, 9, 30}) {  // the line along the diagonal of d dimensions
    const Tensor line = at::full({1, d}, 1 / std::sqrt(static_cast<double>(d)), at::kDouble);
    EXPECT_NEAR(energy_distance(x * line, y * line), sorted, 1e-9) << d;
  }
  EXPECT_NEAR(energy_distance(x + 1e6, y + 1e6), sorted, 1e-8);
}

TEST(EnergyDistance, IsUnbiasedForEqualLaws) {
  Tensor values = at::empty({200}, at::kDouble);
  for (int64_t i = 0; i < 200; ++i)
    values[i] = energy_distance(normal(100 + i, 40, 2), normal(500 + i, 60, 2));
  const double error = values.std().item<double>() / std::sqrt(200.0);
  EXPECT_NEAR(values.mean().item<double>(), 0, 4.5 * error);
  EXPECT_LT(error, 0.01);
}

TEST(EnergyDistance, OfASetAndItselfIsMinusTheDiagonal) {
  const Tensor x = normal(5, 300, 3);
  const double total = (x.unsqueeze(0) - x.unsqueeze(1)).norm(2, {2}).sum().item<double>();
  EXPECT_NEAR(energy_distance(x, x), -2 * total / (300.0 * 300 * 299), 1e-12);
}

TEST(Mmd, IsTheDefinitionByHandAndTheClosedForm) {
  const double k1 = std::exp(-0.5), k4 = std::exp(-2.0), k9 = std::exp(-4.5);
  // x = {0, 1}, y = {2, 3}: between distances 2, 3, 1, 2.
  EXPECT_NEAR(mmd(numbers({0, 1}), numbers({2, 3}), 1), 2 * k1 - 0.5 * (2 * k4 + k9 + k1), 1e-15);
  // N(0, I) against N(m, I): with h = 1, E k = 3^(-d/2) exp(-|m|^2 / 6).
  const int64_t n = 4000, d = 2;
  const Tensor x = normal(6, n, d), y = normal(7, n, d) + 0.5;
  EXPECT_NEAR(mmd(x, y, 1), 2.0 / 3 * (1 - std::exp(-0.5 / 6)), 4.5 * 0.5 / std::sqrt(n));
  EXPECT_NEAR(mmd(x, normal(8, n, d), 1), 0, 4.5 / static_cast<double>(n));
}

TEST(Mmd, BandwidthIsTheMedianDistance) {
  const Tensor x = normal(9, 900, 1), y = normal(10, 900, 1);
  // |x - y| ~ sqrt(2) |Z|, median 0.6745 sqrt(2).
  EXPECT_NEAR(median_distance(x, y, Rng(1)), 0.67449 * std::sqrt(2.0), 0.05);
  EXPECT_NEAR(median_distance(10 * x, 10 * y, Rng(1)), 10 * median_distance(x, y, Rng(1)), 1e-9);
  EXPECT_THAT(refusal_of([&] { mmd(x, y, 0); }), HasSubstr("bandwidth > 0 but received 0"));
}

TEST(SlicedWasserstein, OfAShiftIsTheShift) {
  const Tensor x = normal(11, 1000, 1);
  EXPECT_NEAR(sliced_wasserstein(x, x + 3, 1, Rng(1)), 3, 1e-12);
  EXPECT_EQ(sliced_wasserstein(x, x, 1, Rng(1)), 0);
  // In d dimensions the mean square of a projection of the shift is |shift|^2 / d.
  const Tensor z = normal(12, 500, 4), shift = numbers({1, 2, 2, 4});
  EXPECT_NEAR(sliced_wasserstein(z, z + shift, 4000, Rng(1)), std::sqrt(25.0 / 4),
              4.5 * 2.5 / std::sqrt(4000.0));
}

TEST(SlicedWasserstein, TransportsUnequalSizesExactly) {
  // Quantiles of {0, 6} against those of {0, 3, 6}: thirds and halves. Squares: (0, 3, 3, 0)^2 over (1/3,
  // 1/6, 1/6, 1/3).
  EXPECT_NEAR(sliced_wasserstein(numbers({6, 0}), numbers({3, 6, 0}), 1, Rng(1)), std::sqrt(3.0), 1e-14);
  // Repeating every point changes no law.
  const Tensor x = normal(13, 90, 2), y = normal(14, 60, 2);
  EXPECT_NEAR(sliced_wasserstein(x.repeat({2, 1}), y.repeat({3, 1}), 16, Rng(2)),
              sliced_wasserstein(x, y, 16, Rng(2)), 1e-12);
  // Scaling by c: W_2 of N(0, 1) and N(0, c^2) is |c - 1|; the same sample transports to itself, scaled.
  const Tensor z = normal(15, 2000, 1);
  EXPECT_NEAR(sliced_wasserstein(z, 3 * z, 1, Rng(1)), 2 * z.square().mean().sqrt().item<double>(), 1e-12);
}

TEST(EnergyTest, PValuesAreUniformForEqualLaws) {
  int64_t below_fifth = 0, below_half = 0;
  const int64_t runs = 200;
  for (int64_t i = 0; i < runs; ++i) {
    const double p = energy_test(normal(1000 + i, 30, 2), normal(3000 + i, 20, 2), 99, Rng(i)).p_value;
    below_fifth += p <= 0.2;
    below_half += p <= 0.5;
  }
  EXPECT_NEAR(static_cast<double>(below_fifth), 0.2 * runs, 4.5 * std::sqrt(0.16 * runs));
  EXPECT_NEAR(static_cast<double>(below_half), 0.5 * runs, 4.5 * std::sqrt(0.25 * runs));
}

TEST(EnergyTest, FindsDifferencesAndTies) {
  const Tensor x = normal(16, 300, 2);
  EXPECT_EQ(energy_test(x, normal(17, 300, 2) + 0.5, 999, Rng(1)).p_value, 0.001);
  EXPECT_EQ(energy_test(x, 1.6 * normal(17, 300, 2), 999, Rng(1)).p_value, 0.001);
  const auto same = energy_test(x, x, 99, Rng(1));
  EXPECT_NEAR(same.statistic, 0, 1e-12);
  EXPECT_EQ(same.p_value, 1);
  EXPECT_EQ(energy_test(at::zeros({900, 1}), at::zeros({200, 1}), 9, Rng(1)).p_value, 1);
}

TEST(ClassifierTest, IsHalfForEqualLawsAndOneForDisjointSets) {
  const Tensor x = normal(18, 1000, 2);
  const auto equal = classifier_test(x, normal(19, 1200, 2), Rng(1));
  EXPECT_NEAR(equal.accuracy, 0.5, 4.5 * equal.standard_error);
  EXPECT_NEAR(equal.standard_error, 0.5 / std::sqrt(1000.0), 1e-15);
  EXPECT_EQ(equal.neighbours % 2, 1);
  EXPECT_EQ(classifier_test(x, x + 100, Rng(1)).accuracy, 1);
  // Two unit Gaussians 2 apart: the best classifier is right with probability Phi(1) = 0.8413.
  const auto shifted = classifier_test(x, normal(20, 1000, 2) + std::sqrt(2.0), Rng(1));
  EXPECT_NEAR(shifted.accuracy, 0.8413, 0.03);
}

TEST(ClassifierTest, SpreadUnderEqualLawsIsTheStatedError) {
  const int64_t runs = 60;
  double total = 0;
  for (int64_t i = 0; i < runs; ++i) {
    const auto result = classifier_test(normal(2 * i, 200, 2), normal(2 * i + 1, 200, 2), Rng(i));
    total += std::pow((result.accuracy - 0.5) / result.standard_error, 2);
  }
  // A mean of `runs` squares of mean 1 and variance 2, or below, were the halves independent (1/2).
  EXPECT_LT(total / runs, 1 + 4.5 * std::sqrt(2.0 / runs));
  EXPECT_GT(total / runs, 0.5 - 4.5 * 0.5 * std::sqrt(2.0 / runs));
}

TEST(Moments, AreTheSampleMoments) {
  const auto m = moments(numbers({1, 2, 3, 6, 5, 10}).reshape({3, 2}));
  EXPECT_TRUE(at::equal(m.mean, numbers({3, 6})));
  EXPECT_TRUE(at::allclose(m.covariance, numbers({4, 8, 8, 16}).reshape({2, 2})));
  EXPECT_TRUE(at::allclose(m.deviation, numbers({2, 4})));
  const auto other = moments(numbers({2, 2, 4, 6, 6, 7}).reshape({3, 2}));
  EXPECT_EQ(mean_error(m, other), 1);
  EXPECT_NEAR(covariance_error(m, other), 9, 1e-12);              // 16 against 7
  EXPECT_NEAR(covariance_error(m, other, true), 9 / 7.0, 1e-12);  // the same entry, in units of 7
  EXPECT_NEAR(mean_error(other, m, true), 0.5, 1e-15);            // 1 in units of 2
  EXPECT_EQ(moments(at::full({1000, 1}, 0.1, at::kDouble)).deviation.item<double>(), 0);
}

TEST(ModeWeights, CountsAndDescribesEachMode) {
  const auto target = make_target("two-modes");
  const auto& mixture = *as_gaussian_mixture(*target);
  const int64_t n = 50'000;
  const auto modes = mode_weights(mixture.sample(n, Rng(21)), mixture);
  EXPECT_NEAR(modes.weights[0].item<double>(), 0.2, 4.5 * std::sqrt(0.16 / n));
  EXPECT_EQ(modes.counts.sum().item<int64_t>(), n);
  EXPECT_LT((modes.means - mixture.means()).abs().max().item<double>(), 4.5 / std::sqrt(0.2 * n));
  for (int64_t k = 0; k < 2; ++k)
    EXPECT_LT((modes.covariances[k] - at::eye(2, at::kDouble)).abs().max().item<double>(),
              4.5 * std::sqrt(2 / (0.2 * n)));
}

TEST(ModeWeights, WithoutDensityTakesTheNearestPoint) {
  const auto target = make_target("four-points");
  const auto& mixture = *as_gaussian_mixture(*target);  // -15, 1, -5, 15
  const auto modes = mode_weights(numbers({-14, -9.9, 7.9, 0, 8.1, 100, 1}), mixture);
  EXPECT_TRUE(at::equal(modes.counts, at::tensor({1, 3, 1, 2}, at::kLong)));
  EXPECT_NEAR(modes.means[3].item<double>(), 54.05, 1e-12);
  EXPECT_TRUE(std::isnan(modes.covariances[0].item<double>()));
}

TEST(Subsample, DrawsDistinctRows) {
  const Tensor x = at::arange(100, at::kDouble).unsqueeze(1);
  const Tensor drawn = subsample(x, 40, Rng(1));
  EXPECT_EQ(drawn.size(0), 40);
  EXPECT_EQ(std::get<0>(at::_unique(drawn)).numel(), 40);
  EXPECT_FALSE(at::equal(drawn, x.slice(0, 0, 40)));
  EXPECT_TRUE(at::equal(subsample(x, 100, Rng(1)), x));
}

}  // namespace
}  // namespace fokker
