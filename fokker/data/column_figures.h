#pragma once
#include "fokker/data/rows/row_source.h"

namespace fokker {

/// What one pass over the rows of a table tells of each column, in float64: blocks of rows are taken in one
/// after another. Within a block the mean comes first and then the squares about it, in units of the block's
/// own range: nothing cancels, and nothing overflows. Blocks are put together as two samples are (Chan, Golub
/// and LeVeque, 1983).
class ColumnFigures {
 public:
  /// The figures of rows (n, event...) wherever they are, in blocks of rows_per_block.
  static ColumnFigures of(const RowSource& rows);

  /// Takes in rows (k, d) of float64, k >= 1.
  void add(const Tensor& block);

  int64_t count() const { return count_; }
  /// (d); undefined before the first block.
  const Tensor& low() const { return low_; }
  const Tensor& high() const { return high_; }
  const Tensor& mean() const { return mean_; }
  /// Standard deviations of the population (divided by n); 0 where all values are the same.
  const Tensor& deviation() const { return deviation_; }
  /// Whether all numbers are; without that, mean and deviation mean nothing.
  bool finite() const;

 private:
  void join(int64_t count, const Tensor& mean, const Tensor& deviation);

  int64_t count_ = 0;
  Tensor low_, high_, mean_, deviation_;
};

/// Where a range has no room for a reciprocal: such a column counts as constant.
Tensor constant_range(const Tensor& range);

}  // namespace fokker
