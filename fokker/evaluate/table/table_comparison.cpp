#include "fokker/evaluate/table/table_comparison.h"

#include <algorithm>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

TableFigures figures_of(const Tensor& cells, const Tensor& reference, const Schema& schema,
                        const TableCompareOptions& options) {
  TableFigures figures{.rows = cells.size(0),
                       .shape = shape_errors(cells, reference, schema),
                       .trend = trend_errors(cells, reference, schema, {.seed = options.seed}),
                       .detection = {},
                       .impossible = impossible_cells(cells, schema)};
  const DetectionOptions detection{.seed = options.seed, .ranks = options.ranks};
  if (std::min(cells.size(0), reference.size(0)) >= 2 * detection.folds)
    figures.detection = detect(cells, reference, schema, detection);
  return figures;
}

/// Whether a column has two values that can be predicted.
bool varies(const Tensor& cells, const Column& column, int64_t place) {
  Tensor values = cells.select(1, place);
  values = values.index({at::isnan(values).logical_not()});
  if (column.has_levels())
    values = values.index({(values >= 0).logical_and(values < static_cast<double>(column.levels.size()))});
  return values.numel() > 0 && (values != values[0]).any().item<bool>();
}

}  // namespace

int64_t TableFigures::impossible_total() const {
  int64_t total = 0;
  for (const ImpossibleCells& column : impossible) total += column.total();
  return total;
}

TableComparison compare_tables(const Tensor& samples, const Tensor& reference, const Tensor& held_out,
                               const Schema& schema, const TableCompareOptions& options) try {
  TableComparison result{.reference = reference.size(0),
                         .samples = figures_of(samples, reference, schema, options),
                         .held_out = {},
                         .privacy = privacy(samples, reference, held_out, schema,
                                            {.seed = options.seed, .ranks = options.ranks}),
                         .utility = {}};
  if (!held_out.defined()) {
    check(!options.target, "compare_tables: expected held-out rows to predict the target in");
    return result;
  }
  result.held_out = figures_of(held_out, reference, schema, options);
  if (schema.size() < 2) return result;
  const int64_t target = options.target.value_or(default_target(schema));
  if (options.target || varies(held_out, schema.columns[static_cast<size_t>(target)], target))
    result.utility =
        utility(samples, reference, held_out, schema, target, {.seed = options.seed, .ranks = options.ranks});
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
