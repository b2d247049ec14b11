#include "fokker/plot/figure/ticks.h"

#include <algorithm>
#include <functional>

#include "plot/refusal.h"

namespace fokker::plot {
namespace {

using testing::ElementsAre;

TEST(Ticks, StepIsOneTwoOrFiveTimesAPowerOfTen) {
  EXPECT_DOUBLE_EQ(nice_step(10, 10), 1);
  EXPECT_DOUBLE_EQ(nice_step(10.1, 10), 2);
  EXPECT_DOUBLE_EQ(nice_step(1, 3), 0.5);
  EXPECT_DOUBLE_EQ(nice_step(100, 9), 20);
  EXPECT_DOUBLE_EQ(nice_step(6e-9, 6), 1e-9);
  EXPECT_DOUBLE_EQ(nice_step(3e200, 1), 5e200);
  // The least such step: the next smaller one would need more intervals.
  for (double span = 1e-5; span < 1e6; span *= 1.37)
    for (int intervals = 1; intervals <= 12; ++intervals) {
      const double step = nice_step(span, intervals);
      EXPECT_LE(span / step, intervals * (1 + 1e-8));
      EXPECT_GT(span / (step / 2), intervals * (1 - 1e-8) * 0.8);
    }
}

TEST(Ticks, LieInsideTheLimitsAndReachThem) {
  for (const Range limits :
       {Range{0.13, 9.7}, {-1e-7, 3e-7}, {-55, 1234}, {1e6, 1.5e6}, {-3, 3}, {0.999, 1.001}}) {
    const Ticks ticks = linear_ticks(limits, 7);
    ASSERT_GE(ticks.positions.size(), 2u);
    ASSERT_LE(ticks.positions.size(), 8u);
    const double step = ticks.positions[1] - ticks.positions[0];
    for (const double position : ticks.positions) {
      EXPECT_GE(position, limits.low - 1e-8 * step);
      EXPECT_LE(position, limits.high + 1e-8 * step);
    }
    // No further tick would fit at either end.
    EXPECT_LT(ticks.positions.front() - step, limits.low);
    EXPECT_GT(ticks.positions.back() + step, limits.high);
    EXPECT_EQ(ticks.labels.size(), ticks.positions.size());
  }
}

// Above 2^53 adding 1 to a double may leave it as it is: these limits hold five doubles.
TEST(Ticks, EndWhereDoublesAreSparserThanIntegers) {
  const Range limits{1e18, 1e18 + 512};
  const Ticks ticks = linear_ticks(limits, 7);
  EXPECT_EQ(ticks.labels.size(), ticks.positions.size());
  ASSERT_GE(ticks.positions.size(), 2u);
  EXPECT_LE(ticks.positions.size(), 8u);
  EXPECT_GE(ticks.positions.front(), limits.low);
  EXPECT_LE(ticks.positions.back(), limits.high);
  EXPECT_EQ(std::adjacent_find(ticks.positions.begin(), ticks.positions.end(), std::greater_equal<>()),
            ticks.positions.end());
}

TEST(Ticks, AtTheLimitsAreKeptInSpiteOfRounding) {
  EXPECT_THAT(linear_ticks({0.1, 0.3}, 2).positions, ElementsAre(0.1, 0.2, 0.3));
  EXPECT_THAT(linear_ticks({-1, 1}, 4).positions, ElementsAre(-1, -0.5, 0, 0.5, 1));
  EXPECT_FALSE(std::signbit(linear_ticks({-1, 1}, 4).positions[2]));
}

TEST(Ticks, LabelsShareTheirDecimals) {
  EXPECT_THAT(linear_ticks({-1, 1}, 4).labels, ElementsAre("−1.0", "−0.5", "0", "0.5", "1.0"));
  EXPECT_THAT(linear_ticks({0, 400}, 4).labels, ElementsAre("0", "100", "200", "300", "400"));
  EXPECT_THAT(linear_ticks({0, 0.02}, 2).labels, ElementsAre("0", "0.01", "0.02"));
}

TEST(Ticks, LargeAndSmallLabelsHavePowersOfTen) {
  EXPECT_THAT(linear_ticks({0, 2e6}, 4).labels,
              ElementsAre("0", "0.5×10^{6}", "1.0×10^{6}", "1.5×10^{6}", "2.0×10^{6}"));
  EXPECT_THAT(linear_ticks({-1e-9, 2e-9}, 3).labels, ElementsAre("−10^{−9}", "0", "10^{−9}", "2×10^{−9}"));
  const Ticks factored = linear_ticks({-1e-9, 2e-9}, 3, true);
  EXPECT_THAT(factored.labels, ElementsAre("−1", "0", "1", "2"));
  EXPECT_EQ(factored.common, "×10^{−9}");
}

TEST(Ticks, ALongLeadingPartIsSaidOnce) {
  const Ticks ticks = linear_ticks({1e6 - 0.002, 1e6 + 0.002}, 4);
  EXPECT_EQ(ticks.common, "+10^{6}");
  EXPECT_THAT(ticks.labels, ElementsAre("−0.002", "−0.001", "0", "0.001", "0.002"));
  const Ticks negative = linear_ticks({-5000000.2, -4999999.8}, 4);
  EXPECT_EQ(negative.common, "−5×10^{6}");
  EXPECT_TRUE(linear_ticks({99990, 100000}, 5).common.empty());
}

TEST(Ticks, NumbersAsLabels) {
  EXPECT_EQ(format_number(0), "0");
  EXPECT_EQ(format_number(-0.5), "−0.5");
  EXPECT_EQ(format_number(1e6), "10^{6}");
  EXPECT_EQ(format_number(1e-9), "10^{−9}");
  EXPECT_EQ(format_number(-1e-9), "−10^{−9}");
  EXPECT_EQ(format_number(2.5e-9), "2.5×10^{−9}");
  EXPECT_EQ(format_number(1200), "1200");
  EXPECT_EQ(format_number(123456), "123456");
  EXPECT_EQ(format_number(0.001), "0.001");
  EXPECT_EQ(format_number(6.02214076e23), "6.02214×10^{23}");
}

TEST(Ticks, LogarithmicOnesArePowersOfTen) {
  EXPECT_THAT(logarithmic_ticks({1, 1e4}, 6).labels, ElementsAre("1", "10", "100", "1000", "10000"));
  EXPECT_THAT(logarithmic_ticks({1e-8, 1e-5}, 6).labels,
              ElementsAre("10^{−8}", "10^{−7}", "10^{−6}", "10^{−5}"));
  EXPECT_THAT(logarithmic_ticks({1e-12, 1}, 6).positions, testing::Each(testing::Gt(0)));
  EXPECT_LE(logarithmic_ticks({1e-12, 1}, 6).positions.size(), 7u);
  EXPECT_THAT(logarithmic_ticks({0.9, 11}, 6).labels, ElementsAre("1", "2", "5", "10"));
  EXPECT_THAT(logarithmic_ticks({2.1, 2.4}, 6).labels, testing::Contains("2.20"));
  EXPECT_GE(logarithmic_ticks({1e-300, 1e300}, 5).positions.size(), 2u);
  EXPECT_LE(logarithmic_ticks({1e-300, 1e300}, 5).positions.size(), 6u);
}

TEST(Ticks, NonsenseIsRefused) {
  expect_refusal(ErrorKind::argument, "positive finite span but received 0", [] { linear_ticks({1, 1}, 5); });
  expect_refusal(ErrorKind::argument, "at least 1 interval but received 0", [] { linear_ticks({0, 1}, 0); });
  expect_refusal(ErrorKind::argument, "positive limits on a logarithmic axis but received -1", [] {
    logarithmic_ticks({-1, 1}, 5);
  });
}

}  // namespace
}  // namespace fokker::plot
