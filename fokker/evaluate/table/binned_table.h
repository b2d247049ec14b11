#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/table/schema.h"

namespace fokker {

/// How the cells of a column become a few bins, the last of which holds missing cells.
struct ColumnBins {
  /// Numbers, dates and ordinal levels: bin k holds what is above ends[k - 1] and at most ends[k].
  bool ordered = true;
  int32_t count = 0;
  std::vector<double> ends = {};
  /// Categories: the bin of each place. All that have no bin of their own, and what the column cannot hold,
  /// share the last but one.
  std::vector<int32_t> of_level = {};

  int32_t missing() const { return count - 1; }
  int32_t bin(double cell) const;
};

struct BinningOptions {
  /// Of a number: about as many, fewer where a table has many columns (in all 16,384 or 32 a column). A value
  /// that more rows have than a bin's share has one of its own, exactly.
  int64_t number_bins = 255;
  /// Of categories: the most frequent levels have their own, fewer in tables of many columns.
  int64_t level_bins = 1024;
};

/// Rows as the bins of their cells, what histograms are made of.
struct BinnedTable {
  std::shared_ptr<const std::vector<ColumnBins>> columns;
  int64_t rows = 0;
  std::vector<uint16_t> codes = {};  ///< (D, rows)
  const uint16_t* column(size_t c) const { return codes.data() + c * static_cast<size_t>(rows); }
};

/// Bins that some rows suggest, and tables cut into them.
class TableBins {
 public:
  /// From columns (D, n) float64.
  TableBins(const Tensor& columns, const Schema& schema, const BinningOptions& options = {});
  /// Columns (D, m) of the same schema.
  BinnedTable apply(const Tensor& columns) const;
  const std::vector<ColumnBins>& columns() const { return *columns_; }

 private:
  std::shared_ptr<const std::vector<ColumnBins>> columns_;
};

}  // namespace fokker
