// Boosted trees on problems whose best answer is known.
#include <gmock/gmock.h>

#include <numeric>

#include "fokker/core/runtime.h"
#include "fokker/evaluate/table/boosting.h"
#include "fokker/evaluate/table/roc.h"
#include "support.h"
#include "tables.h"

namespace fokker {
namespace {

std::vector<int32_t> rows_between(int32_t begin, int32_t end) {
  std::vector<int32_t> rows(static_cast<size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return rows;
}

std::vector<double> numbers(const Tensor& x) {
  const Tensor y = x.to(at::kDouble).contiguous();
  return {y.data_ptr<double>(), y.data_ptr<double>() + y.numel()};
}

/// Learns from the first half of the rows, and what it predicts for the second.
std::vector<double> predicted_half(const Tensor& rows, const Schema& schema, const Tensor& targets,
                                   BoostingLoss loss = BoostingLoss::logistic,
                                   const BoostingOptions& options = {}) {
  const Tensor columns = rows.t().contiguous();
  const BinnedTable table = TableBins(columns, schema).apply(columns);
  const auto n = static_cast<int32_t>(rows.size(0));
  const BoostedTrees trees(table, rows_between(0, n / 2), numbers(targets), loss, options);
  return trees.predict(table, rows_between(n / 2, n));
}

RocArea area_of(const std::vector<double>& scores, const Tensor& targets) {
  std::vector<double> above, below;
  const std::vector<double> target = numbers(targets.slice(0, targets.size(0) / 2));
  for (size_t i = 0; i < scores.size(); ++i) (target[i] > 0.5 ? above : below).push_back(scores[i]);
  return roc_area(above, below);
}

Tensor coin(uint64_t seed, int64_t n, double p = 0.5) {
  return zero_one_rows(seed, n, 1, p).squeeze(1);
}

// 3 of 4 pairs are in order, a tie counts half. DeLong's variance by hand: placements of positives 1/2 and 1,
// of negatives 1/2 and 1, each of sample variance 1/8, in a mean of 2.
TEST(RocArea, ByHand) {
  const RocArea a = roc_area({1, 3}, {0, 2});
  EXPECT_EQ(a.area, 0.75);
  EXPECT_NEAR(a.variance, 0.125, 1e-15);
  EXPECT_EQ(roc_area({1, 1}, {1, 1}).area, 0.5);
  EXPECT_EQ(roc_area({1}, {0}).area, 1);
  expect_error([] { roc_area({}, {1}); }, ErrorKind::argument, "both classes");
}

// The variance is that of repeated draws: N(1, 1) against N(0, 1), 60 rows of each.
TEST(RocArea, VarianceIsThatOfRepeatedDraws) {
  std::vector<double> areas, variances;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const Tensor z = normal_rows(seed, 120, 1).squeeze(1);
    const RocArea a = roc_area(numbers(z.slice(0, 0, 60) + 1), numbers(z.slice(0, 60)));
    areas.push_back(a.area);
    variances.push_back(a.variance);
  }
  const double found = vector_of(areas).var().item<double>(), said = average(vector_of(variances));
  EXPECT_NEAR(found / said, 1, 4 * std::sqrt(2.0 / 399));
  EXPECT_NEAR(average(vector_of(areas)), 0.5 * std::erfc(-0.5), four_errors(vector_of(areas)));
}

// No rule is better than the Bayes rule, Phi(1 / sqrt 2) = 0.7602; trees lose little of it.
TEST(Boosting, NearlyReachesBayesOnTwoGaussians) {
  const int64_t n = 20'000;
  const Tensor target = coin(1, n), x = normal_rows(2, n, 1) + target.unsqueeze(1);
  const RocArea a = area_of(predicted_half(x, numbers_schema(1), target), target);
  const double bayes = 0.5 * std::erfc(-0.5), error = std::sqrt(a.variance);
  EXPECT_LT(a.area, bayes + 4 * error);
  EXPECT_GT(a.area, bayes - 0.015 - 4 * error);
}

// Neither column alone says anything.
TEST(Boosting, LearnsExclusiveOr) {
  const int64_t n = 4000;
  const Tensor x = normal_rows(3, n, 2), target = (x.select(1, 0) * x.select(1, 1) > 0).to(at::kDouble);
  EXPECT_GT(area_of(predicted_half(x, numbers_schema(2), target), target).area, 0.99);
}

// 1,000 levels, of a random half of which the odds are 9 to 1: the best area is 9/10.
TEST(Boosting, LearnsAmongAThousandLevels) {
  const int64_t n = 60'000;
  const Tensor level = Rng(4).integers(n, 1000), likely = coin(5, 1000).index({level});
  const Tensor target = (Rng(6).uniform({n}, {}, at::kDouble) < 0.1 + 0.8 * likely).to(at::kDouble);
  const Schema schema{.columns = {levels_called("level", 1000)}};
  const RocArea a = area_of(predicted_half(level.to(at::kDouble).unsqueeze(1), schema, target), target);
  EXPECT_NEAR(a.area, 0.9, 0.01 + 4 * std::sqrt(a.variance));
}

// The cells that are there say nothing, that one is missing says all.
TEST(Boosting, SeesMissingCells) {
  const int64_t n = 2000;
  const Tensor target = coin(7, n);
  Tensor x = normal_rows(8, n, 1);
  x.masked_fill_((target > 0.5).unsqueeze(1), missing_cell);
  EXPECT_EQ(area_of(predicted_half(x, numbers_schema(1), target), target).area, 1);
  const Schema schema{.columns = {levels_called("a", 3)}};
  const Tensor level = at::where(at::isnan(x), x, Rng(9).integers(n, 3).to(at::kDouble).unsqueeze(1));
  EXPECT_EQ(area_of(predicted_half(level, schema, target), target).area, 1);
}

// An exact value among values as near as may be: its bin is its own.
TEST(Boosting, SeesExactValuesAmongNearOnes) {
  const int64_t n = 4000;
  const Tensor target = coin(10, n);
  const Tensor x = (normal_rows(11, n, 1) * 1e-3).masked_fill((target > 0.5).unsqueeze(1), 0.0);
  EXPECT_EQ(area_of(predicted_half(x, numbers_schema(1), target), target).area, 1);
}

// Squares of a normal number with noise of variance 1/4: the rest is explained, 2 of 2.25.
TEST(Boosting, FitsNumbers) {
  const int64_t n = 20'000;
  const Tensor x = normal_rows(12, n, 1);
  const Tensor y = x.square().squeeze(1) + 0.5 * normal_rows(13, n, 1).squeeze(1);
  const Tensor predicted = vector_of(predicted_half(x, numbers_schema(1), y, BoostingLoss::squared));
  const Tensor test = y.slice(0, n / 2);
  const double r2 = 1 - ((predicted - test).square().mean() / test.var()).item<double>();
  EXPECT_NEAR(r2, 2 / 2.25, 0.02);
}

// One round at rate 1 and two leaves is the best division: means -1 and 2 left and right of 0.
TEST(Boosting, OneStumpIsTheBestDivision) {
  const Tensor x = at::linspace(-1, 1, 200, at::kDouble).unsqueeze(1);
  const Tensor y =
      at::where(x.squeeze(1) < 0, at::full({200}, -1.0, at::kDouble), at::full({200}, 2.0, at::kDouble));
  const Tensor columns = x.t().contiguous();
  const BinnedTable table = TableBins(columns, numbers_schema(1)).apply(columns);
  const BoostedTrees trees(table, rows_between(0, 200), numbers(y), BoostingLoss::squared,
                           {.rounds = 1, .rate = 1, .tree = {.leaves = 2}});
  EXPECT_LT(worst(vector_of(trees.predict(table, rows_between(0, 200))), y), 1e-12);
}

// Leaves hold as many rows as they must: with half of the rows in each there is one division in the middle.
TEST(Boosting, KeepsToTheLeastRowsOfALeaf) {
  const Tensor x = normal_rows(14, 400, 1), y = x.squeeze(1);
  const Tensor columns = x.t().contiguous();
  const BinnedTable table = TableBins(columns, numbers_schema(1)).apply(columns);
  const BoostedTrees one(table, rows_between(0, 400), numbers(y), BoostingLoss::squared,
                         {.rounds = 1, .tree = {.rows = 190}});
  EXPECT_EQ(one.trees()[0].nodes.size(), 3);
  const BoostedTrees none(table, rows_between(0, 400), numbers(y), BoostingLoss::squared,
                          {.rounds = 1, .tree = {.rows = 201}});
  EXPECT_EQ(none.trees()[0].nodes.size(), 1);
}

TEST(Boosting, ThreadsChangeNothing) {
  const Tensor x = mixed_rows(15, 6000), target = coin(16, 6000);
  const int before = thread_count();
  set_threads(1);
  const std::vector<double> one = predicted_half(x, mixed_schema(), target);
  set_threads(4);
  EXPECT_EQ(predicted_half(x, mixed_schema(), target), one);
  set_threads(before);
}

TEST(Boosting, RefusesTargetsThatDoNotFit) {
  const Tensor x = normal_rows(17, 100, 1);
  expect_error([&] { predicted_half(x, numbers_schema(1), 2 * at::ones({100}, at::kDouble)); },
               ErrorKind::argument, "does not fit the loss");
  expect_error([&] { predicted_half(x, numbers_schema(1), at::ones({99}, at::kDouble)); },
               ErrorKind::argument, "expected rows, and 100 targets");
}

// Frequent levels have bins of their own; the rest, and what is no level, share one.
TEST(TableBins, OfRareLevels) {
  const Schema schema{.columns = {levels_called("a", 5)}};
  const Tensor cells = vector_of({4, 4, 4, 2, 2, 0, 1, missing_cell}).unsqueeze(0);
  const TableBins bins(cells, schema, {.level_bins = 2});
  const ColumnBins& column = bins.columns()[0];
  EXPECT_EQ(column.count, 4);
  EXPECT_EQ(column.bin(4), 0);
  EXPECT_EQ(column.bin(2), 1);
  for (const double rare : {0.0, 1.0, 3.0, 9.0, 1.5}) EXPECT_EQ(column.bin(rare), 2) << rare;
  EXPECT_EQ(column.bin(missing_cell), 3);
}

// Values that few have are shared out evenly; between two bins the nearer one counts.
TEST(TableBins, OfNumbers) {
  const Tensor even = at::arange(1000, at::kDouble).unsqueeze(0);
  const BinnedTable table = TableBins(even, numbers_schema(1), {.number_bins = 10}).apply(even);
  const Tensor counts =
      at::bincount(at::tensor(std::vector<int64_t>(table.codes.begin(), table.codes.end()), at::kLong));
  EXPECT_TRUE(at::equal(counts, at::full({10}, 100, at::kLong)));
  const TableBins few(vector_of({1, 2, 2, 4}).unsqueeze(0), numbers_schema(1));
  EXPECT_EQ(few.columns()[0].bin(2.9), 1);
  EXPECT_EQ(few.columns()[0].bin(3.1), 2);
  EXPECT_EQ(few.columns()[0].bin(missing_cell), 3);
}

}  // namespace
}  // namespace fokker
