#pragma once
#include <cstdint>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/table/schema.h"

namespace fokker {

/// Cells of a column that its schema does not have. A cell is counted once, as the first of these.
struct ImpossibleCells {
  int64_t missing = 0;    ///< where nothing is missing in the data
  int64_t levels = 0;     ///< no level of the column
  int64_t outside = 0;    ///< below the least or above the greatest value of the data
  int64_t fractions = 0;  ///< of an integer column
  int64_t decimals = 0;   ///< more than are written
  /// Of a file: what could not be read as a cell of the column at all, and is missing in the cells. For
  /// whoever read it to fill in.
  int64_t unreadable = 0;
  int64_t total() const { return missing + levels + outside + fractions + decimals + unreadable; }
};

/// Of each column of cells (n, D).
std::vector<ImpossibleCells> impossible_cells(const Tensor& cells, const Schema& schema);

}  // namespace fokker
