#pragma once
// Typed tables that the tests of their evaluation compare.
#include <fmt/format.h>

#include <limits>

#include "fokker/table/schema.h"
#include "samples.h"

namespace fokker {

constexpr double missing_cell = std::numeric_limits<double>::quiet_NaN();

inline Column numbers_called(const std::string& name) {
  return {.name = name, .kind = ColumnKind::real, .low = -1e6, .high = 1e6};
}
inline Column levels_called(const std::string& name, int64_t levels) {
  Column column{.name = name, .kind = ColumnKind::categorical};
  for (int64_t k = 0; k < levels; ++k) column.levels.push_back(fmt::format("level {}", k));
  return column;
}
inline Schema numbers_schema(int64_t columns) {
  Schema schema;
  for (int64_t c = 0; c < columns; ++c) schema.columns.push_back(numbers_called(fmt::format("x{}", c)));
  return schema;
}

/// A number, a number with missing cells, 5 levels and 50 levels, which depend on each other: (n, 4).
inline Schema mixed_schema() {
  Schema schema = numbers_schema(2);
  schema.columns[1].missing = {"?"};
  schema.columns.push_back(levels_called("five", 5));
  schema.columns.push_back(levels_called("fifty", 50));
  return schema;
}
inline Tensor mixed_rows(uint64_t seed, int64_t n) {
  const Tensor z = normal_rows(seed, n, 4);
  Tensor rows = at::empty({n, 4}, at::kDouble);
  const Tensor base = z.select(1, 0);
  rows.select(1, 0).copy_(base);
  rows.select(1, 1).copy_(at::where(z.select(1, 1) > 1, at::full_like(base, missing_cell),
                                    (10 * (base + z.select(1, 1))).round()));
  rows.select(1, 2).copy_((base + z.select(1, 2) + 2.5).floor().clamp(0, 4));
  rows.select(1, 3).copy_((12 * z.select(1, 3).abs() + 5 * rows.select(1, 2)).floor().clamp(0, 49));
  return rows;
}
/// Each column in an order of its own: the same columns, independent of each other.
inline Tensor columns_shuffled(const Tensor& x, uint64_t seed) {
  std::vector<Tensor> columns;
  for (int64_t c = 0; c < x.size(1); ++c)
    columns.push_back(shuffled(x.select(1, c), seed + static_cast<uint64_t>(c)));
  return at::stack(columns, 1);
}

}  // namespace fokker
