// Every metric at once: units, sizes, precision.
#include <gmock/gmock.h>

#include "fokker/evaluate/metrics.h"
#include "fokker/target/toys.h"
#include "samples.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

const CompareOptions quick{.relabellings = 199, .modes = {}};

Tensor row_of(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

void expect_equal(const Comparison& a, const Comparison& b) {
  EXPECT_NEAR(a.energy_distance, b.energy_distance, 1e-9);
  EXPECT_NEAR(a.mmd, b.mmd, 1e-9);
  EXPECT_NEAR(a.sliced_wasserstein, b.sliced_wasserstein, 1e-9);
  EXPECT_EQ(a.classifier->accuracy, b.classifier->accuracy);
  EXPECT_EQ(a.verdict.p_value, b.verdict.p_value);
  EXPECT_NEAR(a.mean_error_relative, b.mean_error_relative, 1e-9);
  EXPECT_NEAR(a.covariance_error_relative, b.covariance_error_relative, 1e-9);
}

TEST(Compare, DoesNotDependOnUnits) {
  const Tensor x = normal_rows(22, 600, 3), y = normal_rows(23, 500, 3) + 0.2;
  const Tensor units = row_of({1e-3, 1, 1e4}), origin = row_of({5, -100, 3e5});
  const auto plain = compare(x, y, quick), scaled = compare(x * units + origin, y * units + origin, quick);
  EXPECT_TRUE(plain.scaled);
  expect_equal(scaled, plain);
  EXPECT_GT(scaled.mean_error, 1000 * plain.mean_error);
  EXPECT_LT(plain.verdict.p_value, 0.03);
  EXPECT_GT(plain.energy_distance, 0.01);
}

// Squares of these overflow, or vanish: the sets are five deviations apart all the same.
TEST(Compare, SeesDifferencesAtAnyScale) {
  const Tensor x = normal_rows(1, 300, 2), y = normal_rows(2, 300, 2) + 5;
  const auto plain = compare(x, y, quick);
  for (const double scale : {1e160, 1e-170, 1e300, 1e-300}) {
    SCOPED_TRACE(scale);
    const auto scaled = compare(scale * x, scale * y, quick);
    expect_equal(scaled, plain);
    EXPECT_NEAR(scaled.mean_error / scale, plain.mean_error, 1e-9);
    EXPECT_GT(scaled.energy_distance, 2);
    EXPECT_GT(scaled.classifier->accuracy, 0.99);
    // The distances themselves, too.
    EXPECT_NEAR(energy_distance(scale * x, scale * y) / scale, energy_distance(x, y), 1e-9);
    EXPECT_NEAR(sliced_wasserstein(scale * x, scale * y, 8, Rng(1)) / scale,
                sliced_wasserstein(x, y, 8, Rng(1)), 1e-9);
    EXPECT_NEAR(median_distance(scale * x, scale * y, Rng(1)) / scale, median_distance(x, y, Rng(1)), 1e-9);
    EXPECT_NEAR(mmd(scale * x, scale * y, 2 * scale), mmd(x, y, 2), 1e-9);
    EXPECT_NEAR(moments(scale * x).deviation[0].item<double>() / scale,
                moments(x).deviation[0].item<double>(), 1e-9);
  }
  EXPECT_EQ(compare(1e160 * x, 1e160 * x, quick).mean_error, 0);
}

// One row a long way off is named, and one row in 200 tells nothing apart: the verdict is that without it,
// not that of the rounding of its distances. Where only that is left of the energy distance, there is none.
TEST(Compare, NamesARowThatIsFarOff) {
  Tensor x = normal_rows(3, 200, 2), y = normal_rows(4, 200, 2);
  EXPECT_EQ(compare(x, y, quick).far.rows, 0);
  for (const double size : {1e7, 1e20, 1e100, 1e250, 1.7e308}) {
    SCOPED_TRACE(size);
    x[17][0] = size;
    const auto result = compare(x, y, quick);
    EXPECT_EQ(result.far.rows, 1);
    EXPECT_EQ(result.far.first, 17);
    EXPECT_NEAR(result.far.largest / std::min(size, 1e100), 1, 0.1);
    EXPECT_NEAR(result.mean_error / size, 1.0 / 200, 1e-6);
    EXPECT_NEAR(result.sliced_wasserstein / std::min(size, 1e100), std::sqrt(0.5 / 200), 0.01);
    EXPECT_TRUE(std::isfinite(result.mmd));
    // (2 / n)(mean |o - y| - mean |o - x|) of an outlier o beside what the others say.
    if (size < 1e10)
      EXPECT_LT(std::abs(result.energy_distance), 0.05);
    else
      EXPECT_TRUE(std::isnan(result.energy_distance));
    EXPECT_GT(result.verdict.p_value, 0.05);
    EXPECT_GT(result.verdict.energy, 0.05);
  }
  // Many of them are a difference.
  x.slice(0, 0, 20).fill_(1e250);
  const auto result = compare(x, y, quick);
  EXPECT_EQ(result.far.rows, 20);
  EXPECT_LT(result.verdict.p_value, 0.05);
}

TEST(Compare, FindsNothingBetweenEqualLawsAndIsRepeatable) {
  const auto target = make_target("two-modes");
  CompareOptions options = quick;
  options.modes = *as_gaussian_mixture(*target);
  options.energy_rows = options.mmd_rows = options.classifier_rows = options.test_rows = 1000;
  const Tensor x = target->sample(5000, Rng(24)), y = target->sample(4000, Rng(25));
  const auto result = compare(x, y, options);
  EXPECT_LT(std::abs(result.energy_distance), 0.02);
  EXPECT_LT(std::abs(result.mmd), 0.01);
  // Mostly the difference of the modes' weights, times their distance's mean projection, 14.1 * 2 / pi.
  EXPECT_LT(result.sliced_wasserstein, 4.5 * std::sqrt(0.16 * (1 / 5000.0 + 1 / 4000.0)) * 9);
  EXPECT_NEAR(result.classifier->accuracy, 0.5, 4.5 * result.classifier->standard_error);
  EXPECT_GT(result.verdict.p_value, 0.01);
  EXPECT_EQ(result.verdict.samples, 1000);
  EXPECT_NEAR(result.modes->weights[1].item<double>(), 0.8, 4.5 * std::sqrt(0.16 / 5000));
  EXPECT_EQ(compare(x, y, options).energy_distance, result.energy_distance);
  options.seed = 1;
  EXPECT_NE(compare(x, y, options).energy_distance, result.energy_distance);
}

// A column that is constant in the reference has its deviation in both sets as unit: no unit of the data
// decides.
TEST(Compare, GivesConstantColumnsAUnit) {
  const Tensor x = at::cat({normal_rows(26, 200, 1), at::full({200, 1}, 3.0, at::kDouble)}, 1);
  const Tensor y = at::cat({normal_rows(27, 200, 1), at::full({200, 1}, 2.5, at::kDouble)}, 1);
  for (const double scale : {1.0, 1e-9, 1e9}) {
    const auto result = compare(scale * x, scale * y, quick);
    // Two values half and half: their deviation is half their distance.
    EXPECT_NEAR(result.mean_error_relative, 2, 0.01);
    EXPECT_GT(result.energy_distance, 0.1);
    EXPECT_LT(result.verdict.p_value, 0.05);
  }
  const auto constant = compare(at::full({50, 2}, 7.0), at::full({60, 2}, 7.0), quick);
  EXPECT_EQ(constant.energy_distance, 0);
  EXPECT_EQ(constant.mean_error_relative, 0);
  EXPECT_EQ(constant.verdict.p_value, 1);
}

// A nearly constant pixel must not outweigh the picture: with one unit for all, it counts for what it is.
TEST(Compare, CommonUnitIsThatOfThePicture) {
  const Tensor scale = row_of({1, 1, 1, 1e-6});
  const Tensor x = normal_rows(5, 400, 4) * row_of({1, 1, 1, 1e-4}), y = normal_rows(6, 400, 4) * scale;
  CompareOptions common = quick;
  common.unit = DistanceUnit::common;
  EXPECT_GT(compare(x, y, quick).energy_distance, 10);
  EXPECT_LT(std::abs(compare(x, y, common).energy_distance), 0.05);
  // Units are the data's own whatever the columns' sizes.
  const auto shifted = compare(y + row_of({0.5, 0, 0, 0}), y, common);
  const double root = moments(y).deviation.square().mean().sqrt().item<double>();
  EXPECT_NEAR(shifted.mean_error_relative, 0.5 / root, 1e-9);
  EXPECT_NEAR(compare(1e-200 * (y + row_of({0.5, 0, 0, 0})), 1e-200 * y, common).mean_error_relative,
              0.5 / root, 1e-9);
}

TEST(Compare, RefusesBadSetsByName) {
  const Tensor good = normal_rows(28, 10, 2);
  Tensor bad = good.clone();
  bad[3][1] = NAN;
  EXPECT_THAT(refusal_of([&] { compare(bad, good); }),
              HasSubstr("samples: expected finite values but row 3"));
  EXPECT_THAT(refusal_of([&] { compare(good, bad); }),
              HasSubstr("reference: expected finite values but row 3"));
  EXPECT_THAT(refusal_of([&] { compare(good, normal_rows(1, 10, 3)); }),
              HasSubstr("one dimension but received 2 and 3"));
  EXPECT_THAT(refusal_of([&] {
                compare(at::zeros({0, 2}), good);
              }),
              HasSubstr("at least one row but received (0, 2)"));
  EXPECT_THAT(refusal_of([&] { compare(normal_rows(1, 1, 2), good); }), HasSubstr("at least 2 rows"));
  EXPECT_THAT(refusal_of([&] { classifier_test(normal_rows(1, 3, 2), good, Rng(1)); }),
              HasSubstr("at least 4 rows"));
  EXPECT_THAT(refusal_of([&] { energy_distance(normal_rows(1, 1, 2), good); }), HasSubstr("at least 2 rows"));
}

// Two or three rows: what they can say. Of 2 and 3 rows there are 10 labellings.
TEST(Compare, FewRowsSayWhatTheyCan) {
  for (const int64_t n : {2, 3}) {
    const Tensor x = normal_rows(7, n, 2) + 100, y = normal_rows(8, 3, 2);
    const auto result = compare(x, y, quick);
    EXPECT_FALSE(result.classifier.has_value());
    EXPECT_GT(result.mean_error, 95);
    const double labellings = n == 2 ? 10 : 20;
    // Their strictest cannot be rarer than one of these; 4.5 errors of a share of 199.
    EXPECT_GE(result.verdict.p_value, 1 / labellings - 4.5 * std::sqrt(1 / labellings / 199));
  }
  EXPECT_TRUE(compare(normal_rows(9, 4, 1), normal_rows(10, 4, 1), quick).classifier.has_value());
}

// 0.1 in float32 is another number than 0.1: the storage is no difference of the laws.
TEST(Compare, DoesNotTellPrecisionsApart) {
  const auto tenths = [](uint64_t seed) { return (normal_rows(seed, 500, 2) * 3).round() / 10; };
  const auto result = compare(tenths(1).to(at::kFloat), tenths(2), quick);
  EXPECT_GT(result.verdict.p_value, 0.01);
}

}  // namespace
}  // namespace fokker
