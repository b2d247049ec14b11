#include "fokker/course/verify/evidence.h"

#include <gtest/gtest.h>

#include <limits>

#include "fokker/core/error.h"
#include "fokker/core/random/rng.h"
#include "support.h"

namespace fokker::verify {
namespace {

// Normal quantiles from published tables.
TEST(Statistics, NormalQuantile) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-12);
  EXPECT_NEAR(normal_quantile(1 - 0.5e-4), 3.890591886413, 1e-9);
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404, 1e-9);
  EXPECT_THROW(normal_quantile(1.0), Error);
}

TEST(Statistics, StandardErrorsByHand) {
  const Tensor v = vector_of({1, 2, 3, 6});
  EXPECT_DOUBLE_EQ(mean_of(v).value, 3);
  EXPECT_DOUBLE_EQ(mean_of(v).standard_error, std::sqrt(14.0 / 3 / 4));
  EXPECT_DOUBLE_EQ(variance_of(v).value, 14.0 / 3);
  // Squares of the deviations are 4, 1, 0, 9: their variance is 49/3.
  EXPECT_DOUBLE_EQ(variance_of(v).standard_error, std::sqrt(49.0 / 3 / 4));
  EXPECT_DOUBLE_EQ(fraction_of(v > 2, 0.25).value, 0.5);
  EXPECT_DOUBLE_EQ(fraction_of(v > 2, 0.25).standard_error, std::sqrt(0.25 * 0.75 / 4));
}

TEST(Statistics, KolmogorovSmirnovByHand) {
  const auto uniform = [](const Tensor& x) { return x; };
  EXPECT_NEAR(kolmogorov_smirnov(vector_of({0.1, 0.9}), uniform), 0.4 * std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(kolmogorov_smirnov(vector_of({1, 2}), vector_of({1.5, 3, 4, 5})), std::sqrt(8.0 / 6) * 0.75,
              1e-12);
  // Tied values step together.
  EXPECT_DOUBLE_EQ(kolmogorov_smirnov(vector_of({1, 1, 2}), vector_of({1, 1, 2})), 0);
}

TEST(Statistics, KolmogorovSmirnovTellsLawsApart) {
  const Tensor x = Rng(1).normal({20'000}, {}, at::kDouble);
  EXPECT_LT(kolmogorov_smirnov(x, normal_distribution), kolmogorov_critical());
  EXPECT_GT(kolmogorov_smirnov(x * 1.1, normal_distribution), kolmogorov_critical());
}

TEST(EvidenceTest, ToleranceGrowsWithTheNumberOfComparisons) {
  Evidence one, two;
  one.equal("a", {1.0, 0.1}, 1.3, 0.05);
  two.equal("a", {1.0, 0.1}, 1.3, 0.05);
  two.equal("b", {1.0, 0.1}, 1.0);
  EXPECT_NEAR(one.worst().tolerance, 0.05 + 0.1 * 3.890591886413, 1e-9);
  EXPECT_NEAR(two.worst().tolerance, 0.05 + 0.1 * 4.055626981, 1e-6);
  EXPECT_EQ(two.worst().what, "a");
  EXPECT_EQ(two.worst().comparisons, 2);
}

/// A tolerance cannot hide a shift of twice its size: what passes fails when the expected value is moved by
/// that.
TEST(EvidenceTest, MovedByTwiceTheToleranceFails) {
  const double tolerance = 0.05 + 0.1 * 3.890591886413;
  for (const double z : {-3.8, -1.0, 0.0, 0.7, 3.8})
    for (const double moved : {0.0, -2 * tolerance - 1e-9, 2 * tolerance + 1e-9}) {
      Evidence e;
      e.equal("a", {1.0 + 0.1 * z, 0.1}, 1.0 + moved, 0.05);
      EXPECT_EQ(e.worst().passed, moved == 0.0) << z << " " << moved;
    }
}

TEST(EvidenceTest, KolmogorovsDistanceHasItsOwnQuantile) {
  Evidence one;
  one.same_law("a", 2.2);
  EXPECT_NEAR(one.worst().tolerance, std::sqrt(0.5 * std::log(2e4)), 1e-12);
  EXPECT_TRUE(one.worst().passed);
  Evidence three = one;
  three.same_law("b", 2.6, 0.1);
  three.equal("c", {0, 1}, 0);
  EXPECT_EQ(three.worst().what, "b");
  EXPECT_NEAR(three.worst().tolerance, std::sqrt(0.5 * std::log(6e4)) + 0.1, 1e-12);
  EXPECT_FALSE(three.worst().passed);
}

TEST(EvidenceTest, MovesWhatIsExpected) {
  Evidence e;
  e.equal("a", {1.2, 0}, 1.0, 0.25);
  const Finding f = e.worst();
  EXPECT_TRUE(moved(f, 0).passed);
  EXPECT_TRUE(moved(f, 0.45).passed);
  EXPECT_FALSE(moved(f, 0.5).passed);
  EXPECT_FALSE(moved(f, -0.5).passed);
  EXPECT_EQ(moved(f, -0.5).expected, 0.5);
}

TEST(EvidenceTest, RelationsAndNumbersThatAreNone) {
  Evidence e;
  e.at_most("below", {1.0, 0}, 2.0);
  e.at_least("above", {3.0, 0}, 2.0);
  e.equal("exact", {1.0, 0}, 1.0);
  EXPECT_TRUE(e.worst().passed);
  Evidence nan = e;
  nan.at_most("none", {std::numeric_limits<double>::quiet_NaN(), 1.0}, 2.0);
  EXPECT_FALSE(nan.worst().passed);
  EXPECT_EQ(nan.worst().what, "none");
  Evidence wrong = e;
  wrong.at_most("over", {2.1, 0}, 2.0, 0.05);
  EXPECT_FALSE(wrong.worst().passed);
  EXPECT_THROW(Evidence().worst(), Error);
}

/// The promise that the tolerance makes: under the null hypothesis a check of ten comparisons fails at the
/// rate 1e-4. Ten thousand such checks, so 4 failures would be a one in 50 event, 8 one in a million.
TEST(EvidenceTest, FalseAlarmRate) {
  const Tensor z = Rng(2).normal({10'000, 10}, {}, at::kDouble);
  const auto rows = z.accessor<double, 2>();
  int failures = 0;
  for (int64_t i = 0; i < 10'000; ++i) {
    Evidence e;
    for (int64_t j = 0; j < 10; ++j) e.equal("z", {rows[i][j], 1.0}, 0);
    failures += !e.worst().passed;
  }
  EXPECT_LT(failures, 8);
}

}  // namespace
}  // namespace fokker::verify
