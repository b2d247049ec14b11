// Shape and trend of typed tables: closed forms.
#include <gmock/gmock.h>

#include "expect_error.h"
#include "fokker/core/runtime.h"
#include "fokker/evaluate/table/contingency.h"
#include "fokker/evaluate/table/shape.h"
#include "fokker/evaluate/table/trend.h"
#include "support.h"
#include "tables.h"

namespace fokker {
namespace {

double ks(const std::vector<double>& x, const std::vector<double>& y) {
  return kolmogorov_smirnov(x, y);
}

// By hand: the distribution functions of {1, 2, 2, 3} and {2, 2, 4} are 1/4 and 0 at 1, 3/4 and 2/3 at 2, 1
// and 2/3 at 3.
TEST(TableShape, KolmogorovSmirnovByHand) {
  EXPECT_NEAR(ks({1, 2, 2, 3}, {2, 2, 4}), 1.0 / 3, 1e-15);
  EXPECT_EQ(ks({3, 1, 2}, {2, 3, 1}), 0);
  EXPECT_EQ(ks({1, 2}, {3, 4, 5}), 1);
  EXPECT_EQ(ks({0, 0, 0, 5}, {0, 5}), 0.25);  // ties
  expect_error([] { ks({}, {1}); }, ErrorKind::argument, "not empty");
  expect_error([] { ks({missing_cell}, {1}); }, ErrorKind::argument, "NaN");
}

// Shares (1/2, 1/4, 0; 1/4 missing) and (1/4, 1/4, 1/4; 0; 1/4 of no level) differ by 1 in sum.
TEST(TableShape, TotalVariationByHand) {
  const Schema schema{.columns = {levels_called("a", 3)}};
  const Tensor x = rows_of({{0}, {0}, {1}, {missing_cell}}), y = rows_of({{0}, {1}, {2}, {7}});
  const ShapeErrors errors = shape_errors(x, y, schema);
  EXPECT_NEAR(errors.mean, 0.5, 1e-15);
  EXPECT_NEAR(errors.columns[0].missing, 0.25, 1e-15);
}

// Present cells agree; a quarter is missing in one set alone.
TEST(TableShape, MissingNumbersCountByTheirShare) {
  const Schema schema = numbers_schema(2);
  const Tensor x = rows_of({{1, 1}, {2, 2}, {1, missing_cell}, {2, missing_cell}});
  const Tensor y = rows_of({{1, 1}, {2, 2}, {1, 1}, {2, missing_cell}});
  const ShapeErrors errors = shape_errors(x, y, schema);
  EXPECT_EQ(errors.columns[0].error, 0);
  EXPECT_NEAR(errors.columns[1].distance, 1.0 / 6, 1e-15);  // {1, 2} and {1, 2, 1}
  EXPECT_EQ(errors.columns[1].error, 0.25);
  EXPECT_EQ(errors.mean, 0.125);
  const Tensor none = at::full({3, 2}, missing_cell, at::kDouble);
  EXPECT_EQ(shape_errors(none, y, schema).mean, 1);
  EXPECT_EQ(shape_errors(none, none, schema).mean, 0);
}

TEST(TableShape, RefusesOtherCells) {
  const Schema schema = numbers_schema(2);
  const Tensor right = at::zeros({3, 2}, at::kDouble);
  expect_error(
      [&] {
        shape_errors(at::zeros({3, 1}, at::kDouble), right, schema);
      },
      ErrorKind::argument, "samples: expected cells of shape (n, 2)");
  expect_error(
      [&] {
        shape_errors(right, at::full({3, 2}, HUGE_VAL, at::kDouble), schema);
      },
      ErrorKind::argument, "reference: expected finite");
}

// Correlations 1 and -1/2 by hand: half their difference.
TEST(TableTrend, CorrelationByHand) {
  const Schema schema = numbers_schema(2);
  const Tensor x = rows_of({{0, 0}, {1, 2}, {2, 4}});
  const Tensor y = rows_of({{-1, 1}, {0, -2}, {1, 1}, {1, -1}, {-1, 1}, {0, 0}});
  // Sums of y: products -1 + 1 - 1 - 1 = -2, squares 4 and 8, means 0.
  const double expected = -2 / std::sqrt(32.0);
  EXPECT_NEAR(correlations(y.t())[0][1].item<double>(), expected, 1e-14);
  EXPECT_NEAR(trend_errors(x, y, schema).mean, (1 - expected) / 2, 1e-14);
  EXPECT_NEAR(trend_errors(shuffled(x, 1), shuffled(y, 2), schema).mean, (1 - expected) / 2, 1e-14);
}

// Rows where both are there; a large offset does not cancel; a constant has no correlation.
TEST(TableTrend, CorrelationsOfCompleteRows) {
  const Tensor columns =
      vector_of({1, 2, 3, missing_cell, 5, 2, 4, 6, 100, missing_cell, 7, 7, 7, 7, 7}).reshape({3, 5});
  const Tensor c = correlations(columns + 1e8);
  EXPECT_NEAR(c[0][1].item<double>(), 1, 1e-12);
  EXPECT_TRUE(std::isnan(c[0][2].item<double>()));
}

// A pair that does not vary in the reference is left out; in the samples alone its correlation counts as 0.
TEST(TableTrend, ConstantNumbers) {
  const Schema schema = numbers_schema(2);
  const Tensor varied = rows_of({{0, 0}, {1, 2}, {2, 4}}), constant = rows_of({{0, 1}, {1, 1}, {2, 1}});
  EXPECT_EQ(trend_errors(varied, constant, schema).pairs, 0);
  EXPECT_TRUE(std::isnan(trend_errors(varied, constant, schema).mean));
  EXPECT_NEAR(trend_errors(constant, varied, schema).mean, 0.5, 1e-14);
}

// Tables ((1/2, 0), (0, 1/2)) and ((1/4, 1/4), (1/4, 1/4)): half of 4 times 1/4.
TEST(TableTrend, ContingencyByHand) {
  const Schema schema{.columns = {levels_called("a", 2), levels_called("b", 2)}};
  const Tensor x = rows_of({{0, 0}, {1, 1}}), y = rows_of({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  const TrendErrors errors = trend_errors(x, y, schema);
  EXPECT_EQ(errors.mean, 0.5);
  ASSERT_EQ(errors.worst.size(), 1);
  EXPECT_EQ(errors.worst[0].second, 1);
}

// 0, ..., 9 and 10 fall into ten bins and the maximum's; twice as wide numbers into those of their own range,
// but not into the reference's.
TEST(TableTrend, NumbersBesideLevelsAreCutByTheirRange) {
  const Schema schema{.columns = {numbers_called("x"), levels_called("a", 2)}};
  Tensor y = at::zeros({11, 2}, at::kDouble);
  y.select(1, 0).copy_(at::arange(11));
  Tensor x = y.clone();
  x.select(1, 0).mul_(2);
  EXPECT_EQ(trend_errors(x, y, schema).mean, 0);
  // 0, 2, 4, 6, 8 have their own bins; ten and what is more, 6/11, belongs to the maximum's, which has 1/11.
  EXPECT_NEAR(trend_errors(x, y, schema).mean_in_common_bins, 5.0 / 11, 1e-14);
}

// The hash table and the table of all cells are one law: the same codes, spread over many more cells.
TEST(TableTrend, SparseTablesAreDenseOnes) {
  std::vector<int32_t> codes[4], spread[4];
  for (int k = 0; k < 4; ++k) {
    const Tensor drawn = Rng(k).integers(k < 2 ? 3000 : 2000, 30);
    for (int64_t i = 0; i < drawn.size(0); ++i) {
      codes[k].push_back(static_cast<int32_t>(drawn[i].item<int64_t>()));
      spread[k].push_back(codes[k].back() * 331);
    }
  }
  ContingencyComparison comparison;
  const double dense = comparison.distance({codes[0], codes[1]}, {codes[2], codes[3]}, 30, 30);
  EXPECT_EQ(comparison.distance({spread[0], spread[1]}, {spread[2], spread[3]}, 10'000, 10'000), dense);
  EXPECT_EQ(comparison.distance({spread[0], spread[1]}, {spread[0], spread[1]}, 10'000, 10'000), 0);
  EXPECT_GT(dense, 0.1);
}

// Rows are left out alike, and told; threads change nothing.
TEST(TableTrend, BoundsItsWork) {
  const Schema schema = mixed_schema();
  const Tensor x = mixed_rows(1, 3000), y = mixed_rows(2, 5000);
  const TrendErrors some = trend_errors(x, y, schema, {.most_cells = 6 * 2 * 2000});
  EXPECT_EQ(some.samples, 2000);
  EXPECT_EQ(some.reference, 2000);
  EXPECT_EQ(some.pairs, 6);
  const double all = trend_errors(x, y, schema).mean;
  EXPECT_NEAR(some.mean, all, 0.03);
  const int before = thread_count();
  set_threads(1);
  EXPECT_EQ(trend_errors(x, y, schema).mean, all);
  set_threads(before);
}

// Columns in orders of their own keep their shapes and lose their trends.
TEST(TableTrend, SeesWhatShapeDoesNot) {
  const Schema schema = mixed_schema();
  const Tensor x = mixed_rows(1, 4000);
  const Tensor y = columns_shuffled(x, 5);
  EXPECT_EQ(shape_errors(y, x, schema).mean, 0);
  EXPECT_GT(trend_errors(y, x, schema).mean, 0.2);
  EXPECT_EQ(trend_errors(shuffled(x, 3), x, schema).mean < 1e-12, true);
}

}  // namespace
}  // namespace fokker
