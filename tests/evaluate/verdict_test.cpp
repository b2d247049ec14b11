// The verdict of several two-sample tests: calibrated under equal laws, and what it sees.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "fokker/evaluate/metrics.h"
#include "fokker/evaluate/two_sample/relabelling.h"
#include "samples.h"

namespace fokker {
namespace {

Verdict verdict_of(const Tensor& x, const Tensor& y, int64_t relabellings = 199, uint64_t seed = 0) {
  return compare(x, y, {.seed = seed, .relabellings = relabellings, .modes = {}}).verdict;
}

/// Families of laws with ties, spikes and few columns or many.
Tensor draw(int law, uint64_t seed, int64_t n) {
  const Tensor z = normal_rows(seed, n, 3);
  switch (law) {
    case 0:
      return z;
    case 1:
      return zero_one_rows(seed, n, 12, 0.03);  // sparse
    case 2:
      return z.round();
    case 3:
      return at::where(z > 0.3, z.exp(), at::zeros_like(z));  // zero-inflated, skew
    default:
      return z.matmul(at::ones({3, 3}, at::kDouble) + at::eye(3, at::kDouble));  // dependent
  }
}

/// The tests alone, without the distances that `compare` measures beside them.
double p_value_of(const Tensor& x, const Tensor& y, uint64_t seed, bool classify) {
  std::optional<ClassifierTest> classifier;
  if (classify) classifier = classifier_test(x, y, Rng(seed));
  return two_sample_verdict({.x = x, .y = y, .distance_x = x, .distance_y = y, .classifier = classifier}, 99,
                            Rng(seed))
      .p_value;
}

/// How many of `runs` p-values of equal laws are at most a tenth and a half.
struct Below {
  int64_t tenth = 0, half = 0;
  Below(int law, int64_t runs, bool classify) {
    for (int64_t i = 0; i < runs; ++i) {
      const double p =
          p_value_of(draw(law, 7000 + i, 60), draw(law, 9000 + i, i % 2 ? 45 : 130), i, classify);
      tenth += p <= 0.1;
      half += p <= 0.5;
    }
  }
};

// The share of verdicts at most p is p for every law, with ties, spikes and unequal sizes: the correction is
// the law of the strictest test. Where everything is discrete it may be less.
TEST(Verdict, IsCalibratedUnderEqualLaws) {
  const int64_t runs = 120;
  const auto error = [&](double p) { return 4 * std::sqrt(p * (1 - p) * runs); };
  for (int law = 0; law < 5; ++law) {
    const Below below(law, runs, false);
    EXPECT_LT(below.tenth, 0.1 * runs + error(0.1)) << law;
    EXPECT_LT(below.half, 0.5 * runs + error(0.5)) << law;
    if (law == 0) {  // continuous: neither more nor less
      EXPECT_GT(below.half, 0.5 * runs - error(0.5));
    }
  }
  // With the classifier's, by Bonferroni's rule: at most that, and at least the four fifths of the others.
  const Below below(0, runs, true);
  EXPECT_LT(below.tenth, 0.1 * runs + error(0.1));
  EXPECT_LT(below.half, 0.5 * runs + error(0.5));
  EXPECT_GT(below.half, 0.4 * runs - error(0.4));
}

// In groups (more than 1024 rows) as one by one, and for sizes that groups do not fit.
TEST(Verdict, IsCalibratedInGroups) {
  const int64_t runs = 60;
  int64_t below = 0;
  for (int64_t i = 0; i < runs; ++i)
    below += p_value_of(normal_rows(100 + i, 901, 2), normal_rows(900 + i, 400, 2), i, false) <= 0.2;
  EXPECT_NEAR(static_cast<double>(below), 0.2 * runs, 4 * std::sqrt(0.16 * runs));
}

// 300 sparse 0/1 columns against the same, blurred: every value of one set tells, and nearest neighbours are
// blind.
TEST(Verdict, SeesBlurredZeroOneColumns) {
  const Tensor y = zero_one_rows(1, 400, 100, 0.03);
  const Tensor x = 0.97 * zero_one_rows(2, 400, 100, 0.03) + 0.08 * normal_rows(3, 400, 100);
  const auto result = compare(x, y, {.relabellings = 199, .modes = {}});
  EXPECT_GT(result.classifier->accuracy, 0.95);
  EXPECT_EQ(result.classifier->rule, "columns");
  EXPECT_EQ(result.verdict.columns, 1 / 200.0);
  EXPECT_LT(result.verdict.p_value, 1e-10);  // the classifier's
  EXPECT_EQ(result.verdict.by_column[5].repeated_reference, 1);
  EXPECT_LT(result.verdict.by_column[5].repeated_samples, 0.05);
}

TEST(Verdict, SeesOneShiftedColumnAmongFifty) {
  Tensor x = normal_rows(4, 1000, 50);
  x.select(1, 31) += 0.25;
  const auto verdict = verdict_of(x, normal_rows(5, 1000, 50));
  EXPECT_LT(verdict.p_value, 0.03);
  EXPECT_EQ(verdict.decided_by, "columns");
  EXPECT_EQ(verdict.by_column[31].p_value, 1 / 200.0);
  EXPECT_EQ(verdict.by_column[31].kind, "location");
  EXPECT_GT(verdict.by_column[30].p_value, 0.05);
}

// Columns are scored 32 at a time: also where they are just so many.
TEST(Verdict, NamesEachOfThirtyTwoColumns) {
  Tensor x = normal_rows(14, 300, 32);
  x.select(1, 31) += 1;
  const auto verdict = verdict_of(x, normal_rows(15, 300, 32));
  ASSERT_EQ(verdict.by_column.size(), 32u);
  EXPECT_EQ(verdict.by_column[31].column, 31);
  EXPECT_EQ(verdict.by_column[31].p_value, 1 / 200.0);
}

// A small set keeps groups of few rows, whatever the size of the other: at most the root of its own.
TEST(Relabelling, GroupsAreAsSmallAsTheSmallerSetNeeds) {
  const Relabelling many(60'000, 900, 3, Rng(1));
  EXPECT_EQ(many.groups(), 60'900 / 30);
  const Relabelling few(60'000, 160, 3, Rng(1));
  EXPECT_EQ(few.groups(), 60'160 / 10);
  // One row against others still changes places with each of them.
  const Relabelling one(1, 40, 3, Rng(1));
  EXPECT_EQ(one.groups(), 41);
  EXPECT_THAT([] { Relabelling(0, 4, 3, Rng(1)); },
              ::testing::ThrowsMessage<Error>(::testing::HasSubstr("expected rows in both sets")));
}

TEST(Verdict, SeesSpreadAndShape) {
  // Spread 1.2, and a uniform law of the same mean and variance.
  const auto wide = verdict_of(1.2 * normal_rows(6, 1000, 4), normal_rows(7, 1000, 4));
  EXPECT_LT(wide.columns, 0.01);
  EXPECT_EQ(wide.by_column[0].kind, "spread");
  const Tensor uniform = (Rng(8).uniform({1000, 4}, {}, at::kDouble) - 0.5) * std::sqrt(12.0);
  EXPECT_LT(verdict_of(uniform, normal_rows(9, 1000, 4)).columns, 0.01);
}

TEST(Verdict, SeesAnotherCorrelationOfEqualMargins) {
  // Correlation 1/2 of two columns among ten, and of |x| with |y| (no correlation at all).
  Tensor x = normal_rows(10, 1000, 10), y = normal_rows(11, 1000, 10);
  x.select(1, 7).copy_(0.5 * x.select(1, 2) + std::sqrt(0.75) * x.select(1, 7));
  const auto linear = verdict_of(x, y);
  EXPECT_EQ(linear.pairs, 1 / 200.0);
  EXPECT_EQ(linear.decided_by, "pairs");
  EXPECT_EQ(linear.strongest_pairs[0].first, 2);
  EXPECT_EQ(linear.strongest_pairs[0].second, 7);
  EXPECT_GT(linear.columns, 0.01);
  x = normal_rows(12, 1000, 10);
  x.select(1, 7).copy_(x.select(1, 7).sign() * x.select(1, 2).abs());
  EXPECT_EQ(verdict_of(x, y).pairs, 1 / 200.0);
}

TEST(Verdict, SeesRounding) {
  const Tensor x = (normal_rows(13, 1000, 3) * 20).round() / 20;
  const auto verdict = verdict_of(x, normal_rows(14, 1000, 3));
  EXPECT_LT(verdict.p_value, 0.03);
  EXPECT_EQ(verdict.by_column[0].kind, "repeated values");
  EXPECT_GT(verdict.energy, 0.01);  // which distances do not see
  // Three digits against two.
  EXPECT_LT(verdict_of((normal_rows(15, 1000, 2) * 100).round() / 100,
                       (normal_rows(16, 1000, 2) * 1000).round() / 1000)
                .columns,
            0.01);
}

// Samples are float32, as rows of a file of samples are, data often float64: equal float32 numbers are no
// spikes. At 1000 they are 6e-5 apart, so that some 80 pairs of 3,000 numbers are equal by chance.
TEST(Verdict, DoesNotTakeRoundingToFloatForSpikes) {
  const Tensor data = normal_rows(3, 3000, 2) + 1000,
               rounded = (normal_rows(4, 3000, 2) + 1000).to(at::kFloat);
  const Tensor floats = rounded.to(at::kDouble), written = floats.clone();
  for (int64_t i = 0; i < written.numel(); ++i)
    written.data_ptr<double>()[i] = std::stod(fmt::format("{}", rounded.data_ptr<float>()[i]));
  EXPECT_FALSE(at::equal(written, floats));
  EXPECT_EQ(std::get<0>(at::_unique(data)).numel(), 6000);
  EXPECT_LT(std::get<0>(at::_unique(floats)).numel(), 5950);
  for (const Tensor& samples : {floats, written}) {
    const Verdict verdict = verdict_of(samples, data);
    EXPECT_GT(verdict.columns, 0.05);
    for (const ColumnDifference& column : verdict.by_column)
      EXPECT_NEAR(column.repeated_samples, column.repeated_reference, 0.02);
  }
  EXPECT_LT(verdict_of((floats * 1000).round() / 1000, data).columns, 0.01);
}

TEST(Verdict, SeesAModeThatIsMissing) {
  // A twentieth of the reference is four deviations away.
  const Tensor away = zero_one_rows(17, 1000, 1, 0.05) * 4;
  const auto verdict = verdict_of(normal_rows(18, 1000, 2), normal_rows(19, 1000, 2) + away);
  EXPECT_LT(verdict.p_value, 0.03);
}

TEST(Verdict, SeesRepeatedRows) {
  // The right law, by no more than a few hundred rows, each several times; whole numbers, so that no single
  // value tells.
  const auto digits = [](uint64_t seed, int64_t n) { return (normal_rows(seed, n, 6) * 4).round(); };
  const Tensor few = digits(20, 300);
  const Tensor x = few.index_select(0, Rng(21).integers(1000, 300));
  const auto verdict = verdict_of(x, digits(22, 1000));
  EXPECT_EQ(verdict.repeated_rows, 1 / 200.0);
  EXPECT_LT(verdict.p_value, 0.03);
}

TEST(Verdict, SeesSpikesOfAnotherWeight) {
  const auto spiked = [](uint64_t seed, double zeros) {
    const Tensor z = normal_rows(seed, 2000, 1).exp();
    return at::where(Rng(seed + 1).uniform({2000, 1}, {}, at::kDouble) < zeros, at::zeros_like(z), z);
  };
  EXPECT_LT(verdict_of(spiked(30, 0.6), spiked(40, 0.52)).p_value, 0.03);
  // Zeros that became small numbers, which no distance sees.
  const Tensor smeared = spiked(50, 0.6) + 1e-6 * normal_rows(52, 2000, 1).abs();
  const auto verdict = verdict_of(smeared, spiked(60, 0.6));
  EXPECT_EQ(verdict.columns, 1 / 200.0);
}

// p-values of one pair of sets under several seeds differ by the error of so many relabellings, no more: all
// rows are used.
TEST(Verdict, DoesNotJumpWithTheSeed) {
  const Tensor x = normal_rows(23, 2000, 2), y = normal_rows(24, 2000, 2);
  double least = 1, most = 0;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const auto verdict = verdict_of(x, y, 499, seed);
    EXPECT_EQ(verdict.samples, 2000);
    EXPECT_EQ(verdict.reference, 2000);
    least = std::min(least, verdict.energy);
    most = std::max(most, verdict.energy);
  }
  // Two of six are at most 2.5 deviations apart on average; groups (of 4) vary a little too.
  EXPECT_LT(most - least, 6 * std::sqrt(0.25 / 499));
}

TEST(Verdict, NamesTheRowsItUsed) {
  const Tensor x = normal_rows(25, 3000, 1), y = normal_rows(26, 2500, 1);
  const auto verdict = compare(x, y, {.test_rows = 400, .relabellings = 99, .modes = {}}).verdict;
  EXPECT_EQ(verdict.samples, 400);
  EXPECT_EQ(verdict.reference, 400);
  EXPECT_EQ(verdict_of(x, y, 99).samples, 3000);
  // Forty columns have 780 pairs; fifty have 1225, of which a thousand.
  EXPECT_EQ(verdict_of(normal_rows(1, 50, 40), normal_rows(2, 50, 40), 9).pairs_tested, 780);
  const auto wide = verdict_of(normal_rows(1, 50, 50), normal_rows(2, 50, 50), 9);
  EXPECT_EQ(wide.pairs_tested, 1000);
  EXPECT_EQ(wide.pairs_possible, 1225);
}

// Copies of the other set's rows, in another order or some of them: nothing to tell, and it is said.
TEST(Copies, AreCountedAndDoNotAnswerForEachOther) {
  const Tensor x = normal_rows(27, 2000, 3);
  for (const Tensor& y :
       {shuffled(x, 1), shuffled(x, 2).slice(0, 0, 1000), at::cat({x, normal_rows(28, 500, 3)})}) {
    const auto result = classifier_test(y, x, Rng(1));
    EXPECT_NEAR(result.accuracy, 0.5, 3.5 * result.standard_error);
    const auto copies = count_copies(y, x, Rng(2));
    EXPECT_EQ(copies.rows, std::min<int64_t>(2000, y.size(0)));
    EXPECT_TRUE(copies.beyond_chance);
    const auto [first, second] = without_copies(y, x, Rng(3));
    EXPECT_EQ(count_copies(first, second, Rng(4)).rows, 0);
    EXPECT_EQ(first.size(0) + second.size(0), y.size(0) + 2000 - copies.rows);
  }
}

// The accuracy over many draws of copies: its mean is 1/2, which a vote that trains on originals misses by
// 0.036.
TEST(Copies, LeaveTheClassifierUnbiased) {
  double total = 0;
  const int64_t runs = 20;
  double error = 0;
  for (int64_t i = 0; i < runs; ++i) {
    const Tensor x = normal_rows(200 + i, 400, 2);
    const auto result = classifier_test(shuffled(x, i), x, Rng(i));
    total += result.accuracy;
    error = result.standard_error;
  }
  EXPECT_NEAR(total / runs, 0.5, 4 * error / std::sqrt(static_cast<double>(runs)));
}

// Laws of few values share rows by chance alone.
TEST(Copies, ByChanceAreNone) {
  int64_t found = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    const auto copies =
        count_copies(zero_one_rows(i, 200, 6, 0.3), zero_one_rows(100 + i, 150, 6, 0.3), Rng(i));
    EXPECT_GT(copies.rows, 80);
    EXPECT_NEAR(static_cast<double>(copies.rows), copies.expected, 40);
    found += copies.beyond_chance;
  }
  EXPECT_EQ(found, 0);
  // Zero and minus zero are one value.
  EXPECT_EQ(count_copies(at::zeros({3, 1}, at::kDouble), -at::zeros({2, 1}, at::kDouble), Rng(1)).rows, 2);
}

}  // namespace
}  // namespace fokker
