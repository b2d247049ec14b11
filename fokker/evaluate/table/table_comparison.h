#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/distributed/ranks.h"
#include "fokker/evaluate/table/detection.h"
#include "fokker/evaluate/table/impossible.h"
#include "fokker/evaluate/table/privacy.h"
#include "fokker/evaluate/table/shape.h"
#include "fokker/evaluate/table/trend.h"
#include "fokker/evaluate/table/utility.h"

namespace fokker {

/// Rows of a table against its reference.
struct TableFigures {
  int64_t rows = 0;
  ShapeErrors shape;
  TrendErrors trend;
  std::optional<Detection> detection;  ///< absent below ten rows of either
  std::vector<ImpossibleCells> impossible;
  int64_t impossible_total() const;
};

struct TableCompareOptions {
  uint64_t seed = 0;
  /// The column that `utility` predicts; by default the last categorical or ordinal one, else the last.
  std::optional<int64_t> target = {};
  Ranks ranks = {};  ///< which call it together, share what costs the most
};

/// Samples of a table beside real rows that were held out, both against the rows that were trained on.
struct TableComparison {
  int64_t reference = 0;  ///< rows
  TableFigures samples;
  std::optional<TableFigures> held_out;
  Privacy privacy;
  /// Absent without held-out rows, in tables of one column, and where no target was named and the default one
  /// does not vary in the held-out rows.
  std::optional<Utility> utility;
};
/// Cells (n, D), (m, D), and (k, D) or undefined, as `schema` means them. Errors as of the parts.
TableComparison compare_tables(const Tensor& samples, const Tensor& reference, const Tensor& held_out,
                               const Schema& schema, const TableCompareOptions& options = {});

}  // namespace fokker
