#include "fokker/evaluate/calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support.h"

namespace fokker {
namespace {

/// Truth and posterior draws of theta ~ N(0, I), x = theta + 0.5 N(0, I), in 2 dimensions: the posterior is
/// N(x / 1.25, 0.2 I). The draws are shifted by so many of its deviations and scaled about their mean.
struct LinearGaussian {
  Tensor truth, draws;
  LinearGaussian(int64_t n, int64_t count, uint64_t seed, double shift = 0, double scale = 1) {
    const Rng rng(seed);
    truth = rng.stream("theta").normal({n, 2}, {}, at::kDouble);
    const Tensor x = truth + 0.5 * rng.stream("noise").normal({n, 2}, {}, at::kDouble);
    const double deviation = std::sqrt(0.2);
    draws = (x / 1.25).unsqueeze(1) +
            deviation * (shift + scale * rng.stream("draws").normal({n, count, 2}, {}, at::kDouble));
  }
};

Calibration calibrated(const LinearGaussian& problem, uint64_t seed = 9) {
  return calibrate(problem.truth, problem.draws, Rng(seed));
}

TEST(Uniformity, KolmogorovsLawIsTheTabulated) {
  // Of D sqrt(n) with Stephens' correction the upper 5 % point is 1.358.
  const int64_t n = 1000;
  const double root = std::sqrt(n), critical = 1.3581 / (root + 0.12 + 0.11 / root);
  // Numbers that are evenly spread but for a shift have D = shift + 1 / (2 n).
  const Tensor even = (at::arange(n, at::kDouble) + 0.5) / n;
  const UniformityTest test = kolmogorov_uniformity((even + critical - 0.5 / n).clamp_max(1));
  EXPECT_NEAR(test.statistic, critical, 1e-12);
  EXPECT_NEAR(test.p_value, 0.05, 1e-4);
}

TEST(Uniformity, ChiSquareIsPearsons) {
  // 60, 40 of 100 in two bins: 2 * 10^2 / 50 = 4, whose tail by one degree of freedom is erfc(sqrt(2)).
  const Tensor u = at::cat({at::full({60}, 0.25, at::kDouble), at::full({40}, 0.75, at::kDouble)});
  const UniformityTest test = chi_square_uniformity(u, 2);
  EXPECT_NEAR(test.statistic, 4, 1e-12);
  EXPECT_NEAR(test.p_value, std::erfc(std::sqrt(2.0)), 1e-12);
}

TEST(PosteriorRanks, AreThePlaceAmongTheDraws) {
  const Tensor draws = rows_of({{3}, {1}, {2}, {2}}).unsqueeze(0);  // (1, 4, 1)
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto rank = [&](double truth) {
      return posterior_ranks(rows_of({{truth}}), draws, Rng(seed)).item<double>();
    };
    EXPECT_TRUE(rank(0) > 0 && rank(0) < 0.2);
    EXPECT_TRUE(rank(1.5) > 0.2 && rank(1.5) < 0.4);
    EXPECT_TRUE(rank(2) > 0.2 && rank(2) < 0.8);  // two of equal value: anywhere among them
    EXPECT_TRUE(rank(9) > 0.8 && rank(9) < 1);
    EXPECT_TRUE(rank(std::nan("")) < 0.2);
  }
}

// Of a truth and draws of one law, also where its values are few: uniform ranks. 30 seeds, whose p-values
// are uniform too, within the 1 % point of their own distribution.
TEST(Calibrate, PValuesOfExactDrawsAreUniform) {
  std::vector<double> columns, tarp, coin, overall;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Calibration c = calibrated({300, 40, seed}, seed);
    columns.push_back(c.columns[0].kolmogorov.p_value);
    tarp.push_back(c.tarp_test.p_value);
    overall.push_back(c.p_value);
    const Rng rng(100 + seed);
    const Tensor flips = (rng.uniform({300, 11, 1}, {}, at::kDouble) < 0.3).to(at::kDouble);
    coin.push_back(
        kolmogorov_uniformity(posterior_ranks(flips.select(1, 0), flips.slice(1, 1), rng).select(1, 0))
            .p_value);
  }
  for (const auto& p : {columns, tarp, coin})
    EXPECT_GT(kolmogorov_uniformity(vector_of(p)).p_value, 0.01) << ::testing::PrintToString(p);
  EXPECT_LE(std::count_if(overall.begin(), overall.end(), [](double p) { return p < 0.01; }), 1);
}

TEST(Calibrate, RejectsDrawsThatAreTooWideTooNarrowOrElsewhere) {
  struct Wrong {
    double shift, scale;
  };
  for (const Wrong wrong : {Wrong{0, 1.4}, Wrong{0, 0.7}, Wrong{0.35, 1}}) {
    const Calibration c = calibrated({600, 100, 3, wrong.shift, wrong.scale});
    EXPECT_LT(c.p_value, 1e-4) << wrong.shift << " " << wrong.scale;
    // A shift is seen from a random point as farther as often as nearer.
    EXPECT_TRUE(wrong.scale == 1 || c.tarp_test.p_value < 0.01) << wrong.scale << ": " << c.tarp_test.p_value;
    for (const CalibrationColumn& column : c.columns)
      EXPECT_LT(std::min(column.chi_square.p_value, column.kolmogorov.p_value), 1e-3);
  }
}

// Central intervals of draws that are scaled by s cover P(|N(0,1)| < s q) of the truths.
TEST(Calibrate, CoverageOfIntervalsIsThatOfTheNormalLaw) {
  const auto normal_share = [](double q) { return std::erf(q / std::sqrt(2.0)); };
  const std::vector<double> quantiles{0.67449, 1.64485, 2.57583};
  for (const double scale : {1.0, 0.6}) {
    const Calibration c = calibrated({4000, 400, 5, 0, scale});
    for (size_t i = 0; i < quantiles.size(); ++i)
      for (const CalibrationColumn& column : c.columns)
        EXPECT_NEAR(column.coverage[i], normal_share(scale * quantiles[i]), 4 * c.coverage_error[0]) << i;
  }
}

TEST(Calibrate, ABinLiesWithinTheBandAsOftenAsItSays) {
  int64_t outside = 0, bins = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Calibration c = calibrated({400, 50, seed});
    for (const CalibrationColumn& column : c.columns)
      for (const int64_t count : column.histogram) {
        outside += count < c.band_low || count > c.band_high;
        ++bins;
      }
  }
  EXPECT_EQ(bins, 20 * 2 * 20);
  EXPECT_LE(outside, 0.01 * bins + 4 * std::sqrt(0.01 * bins));
  EXPECT_GE(outside, 1);
}

TEST(Calibrate, RefusesWhatDoesNotFit) {
  expect_error(
      [] {
        calibrate(at::zeros({30, 2}), at::zeros({30, 5, 3}), Rng(0));
      },
      ErrorKind::argument, "expected truth (n, d) and draws (n, L, d) but received (30, 2) and (30, 5, 3)");
  expect_error(
      [] {
        calibrate(at::zeros({5, 2}), at::zeros({5, 5, 2}), Rng(0));
      },
      ErrorKind::argument, "expected at least 20 rows but received 5");
}

}  // namespace
}  // namespace fokker
