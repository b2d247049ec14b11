#pragma once
#include <cmath>
#include <cstdint>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"
#include "fokker/table/schema.h"

/// What the measures of typed tables share: sets of rows are cells (n, D) as a schema of D columns means them
/// (fokker/table/schema.h): numbers, places of levels, NaN where a cell is missing.
namespace fokker {

/// The columns of some cells, (D, n) contiguous float64. Argument error, naming the set, where they are not
/// (n, D) with n > 0, or where a cell is infinite.
Tensor columns_of_cells(const Tensor& cells, const Schema& schema, const char* set);

/// The columns of `count` rows drawn without replacement, in the order of the rows; all where there are no
/// more.
Tensor draw_rows(const Tensor& columns, int64_t count, const Rng& rng);

/// The code of a cell of a column with levels: its place, `levels` where it is missing, and one more where
/// the column has no such level.
inline int32_t level_code(double cell, int64_t levels) {
  if (std::isnan(cell)) return static_cast<int32_t>(levels);
  const bool known = cell >= 0 && cell < static_cast<double>(levels) && cell == std::floor(cell);
  return static_cast<int32_t>(known ? static_cast<int64_t>(cell) : levels + 1);
}

}  // namespace fokker
