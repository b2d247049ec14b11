#include "fokker/evaluate/table/impossible.h"

#include <cmath>
#include <limits>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"
#include "fokker/evaluate/table/cells.h"

namespace fokker {
namespace {

/// Whether so many decimals write the value: it is a whole number of their unit, but for rounding.
bool is_written_in(double value, int decimals) {
  const double units = value * std::pow(10.0, decimals);
  return std::abs(units - std::round(units)) <= 4 * std::numeric_limits<double>::epsilon() * std::abs(units);
}

void count_cell(double cell, const Column& column, ImpossibleCells& count) {
  const auto levels = static_cast<int64_t>(column.levels.size());
  if (std::isnan(cell))
    count.missing += column.missing.empty();
  else if (column.has_levels())
    count.levels += level_code(cell, levels) > levels;
  else if (cell < column.low || cell > column.high)
    ++count.outside;
  else if (column.kind == ColumnKind::integer)
    count.fractions += cell != std::floor(cell);
  else if (column.kind == ColumnKind::real && column.decimals >= 0)
    count.decimals += !is_written_in(cell, column.decimals);
}

}  // namespace

std::vector<ImpossibleCells> impossible_cells(const Tensor& cells, const Schema& schema) try {
  const Tensor columns = columns_of_cells(cells, schema, "samples");
  std::vector<ImpossibleCells> counts(schema.columns.size());
  run_jobs(counts.size(), thread_count(), [&](size_t c) {
    const double* cell = columns.data_ptr<double>() + static_cast<int64_t>(c) * columns.size(1);
    for (int64_t i = 0; i < columns.size(1); ++i) count_cell(cell[i], schema.columns[c], counts[c]);
  });
  return counts;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
