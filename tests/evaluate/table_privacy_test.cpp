// Nearest rows, copies and impossible cells of typed tables.
#include <gmock/gmock.h>

#include "fokker/core/runtime.h"
#include "fokker/evaluate/table/impossible.h"
#include "fokker/evaluate/table/privacy.h"
#include "support.h"
#include "tables.h"

namespace fokker {
namespace {

/// Gower's distance, cell by cell.
double gower(const Tensor& a, const Tensor& b, const Schema& schema, const std::vector<double>& range) {
  double sum = 0;
  for (int64_t c = 0; c < schema.size(); ++c) {
    const double x = a[c].item<double>(), y = b[c].item<double>();
    if (std::isnan(x) || std::isnan(y))
      sum += std::isnan(x) != std::isnan(y);
    else if (schema.columns[c].has_levels())
      sum += x != y;
    else
      sum += std::min(1.0, std::abs(x - y) / range[c]);
  }
  return sum / static_cast<double>(schema.size());
}

// Against the definition, with missing cells, levels and rows that fill no block.
TEST(NearestRows, AreTheNearestByDefinition) {
  const Schema schema = mixed_schema();
  const Tensor rows = mixed_rows(1, 700), queries = mixed_rows(2, 20);
  std::vector<double> range;
  for (int64_t c = 0; c < 4; ++c) {
    const Tensor there = rows.select(1, c).index({at::isnan(rows.select(1, c)).logical_not()});
    range.push_back((there.max() - there.min()).item<double>());
  }
  const std::vector<float> found = NearestRows(rows, rows, schema).distances(queries);
  for (int64_t q = 0; q < 20; ++q) {
    double nearest = HUGE_VAL;
    for (int64_t i = 0; i < 700; ++i) nearest = std::min(nearest, gower(queries[q], rows[i], schema, range));
    EXPECT_NEAR(found[q], nearest, 1e-6);
  }
  for (const float distance : NearestRows(rows, rows, schema).distances(rows)) EXPECT_EQ(distance, 0);
}

// 7 planted copies among fresh rows, one of them twice; the held-out rows have 3 in 60, as many as 10 in 200.
TEST(TablePrivacy, CountsPlantedCopies) {
  const Schema schema = numbers_schema(3);
  const Tensor reference = normal_rows(3, 500, 3);
  Tensor samples = normal_rows(4, 200, 3), held_out = normal_rows(5, 60, 3);
  reference.slice(0, 0, 7).select(1, 1).fill_(missing_cell);
  reference.select(1, 2).slice(0, 0, 7).fill_(0.0);
  samples.slice(0, 10, 17).copy_(reference.slice(0, 0, 7));
  samples.select(1, 2).slice(0, 10, 17).fill_(-0.0);
  samples[30].copy_(reference[3]);
  held_out.slice(0, 0, 3).copy_(reference.slice(0, 100, 103));
  const Privacy p = privacy(samples, reference, held_out, schema);
  EXPECT_EQ(p.copies, 8);
  EXPECT_NEAR(p.copies_expected, 10, 1e-12);
  EXPECT_EQ(rows_found_in(held_out, reference), 3);
  EXPECT_EQ(rows_repeated(samples), 2);
}

// Without held-out rows: 4 of 100 rows of the reference stand in it more than once, as many as 2 in 50.
TEST(TablePrivacy, ExpectsCopiesAsTheReferenceHasTwins) {
  Tensor reference = normal_rows(6, 100, 2);
  reference[1].copy_(reference[0]);
  reference[3].copy_(reference[2]);
  const Privacy p = privacy(normal_rows(7, 50, 2), reference, {}, numbers_schema(2));
  EXPECT_EQ(p.copies, 0);
  EXPECT_NEAR(p.copies_expected, 2, 1e-12);
  EXPECT_TRUE(std::isnan(p.nearer_to_training));
  EXPECT_TRUE(p.closest_held_out.empty());
}

// Draws of one law are nearer to either set in half of the cases, whatever the sizes; copies always are.
TEST(TablePrivacy, NearerToTrainingIsHalfUnderOneLaw) {
  const Schema schema = mixed_schema();
  std::vector<double> shares;
  for (uint64_t seed = 0; seed < 24; ++seed) {
    const Privacy p = privacy(mixed_rows(3 * seed + 100, 300), mixed_rows(3 * seed + 101, 900),
                              mixed_rows(3 * seed + 102, 400), schema, {.seed = seed});
    EXPECT_EQ(p.searched, 400);
    shares.push_back(p.nearer_to_training);
  }
  EXPECT_NEAR(average(vector_of(shares)), 0.5, four_errors(vector_of(shares)));
  const Tensor reference = mixed_rows(8, 500);
  const Privacy copied = privacy(reference, reference, mixed_rows(9, 500), schema);
  EXPECT_GT(copied.nearer_to_training, 0.9);
  EXPECT_EQ(copied.copies, 500);
  EXPECT_EQ(copied.closest[2], 0);
  EXPECT_GT(copied.closest_held_out[2], 0);
}

// 0, 1, ..., 100 against the same and a half: every distance is a half of 100.
TEST(TablePrivacy, QuantilesOfTheNearestDistance) {
  const Tensor reference = at::arange(101, at::kDouble).unsqueeze(1);
  const Privacy p = privacy((reference + 0.5).slice(0, 0, 100), reference, reference, numbers_schema(1));
  for (const double q : p.closest) EXPECT_NEAR(q, 0.005, 1e-6);
  for (const double q : p.closest_held_out) EXPECT_EQ(q, 0);
}

TEST(ImpossibleCells, AreCountedByKind) {
  Column count{.name = "count", .kind = ColumnKind::integer, .low = 0, .high = 9};
  Column price{.name = "price", .kind = ColumnKind::real, .low = 0.1, .high = 123456.78, .decimals = 2};
  Column level = levels_called("level", 2);
  level.missing = {"?"};
  const Schema schema{.columns = {count, price, level}};
  const Tensor cells = rows_of({{3, 0.29, 1},
                                {3.5, 123456.78, missing_cell},
                                {-1, 1.234, 2},
                                {10, 0.1 + 0.2, 0.5},
                                {missing_cell, 0.05, 0}});
  const std::vector<ImpossibleCells> found = impossible_cells(cells, schema);
  EXPECT_EQ(found[0].fractions, 1);
  EXPECT_EQ(found[0].outside, 2);
  EXPECT_EQ(found[0].missing, 1);
  EXPECT_EQ(found[1].decimals, 1);
  EXPECT_EQ(found[1].outside, 1);
  EXPECT_EQ(found[2].levels, 2);
  EXPECT_EQ(found[2].total(), 2);
}

}  // namespace
}  // namespace fokker
