#include "fokker/plot/chart/cells.h"

namespace fokker::plot {

Tensor places_of_cells(const Tensor& cells, const Schema& schema, const Rng& rng) {
  constexpr double spread = 0.7, below = 0.08;
  const Tensor jitter = spread * (rng.uniform(cells.sizes(), {}, at::kDouble) - 0.5);
  std::vector<Tensor> columns;
  for (int64_t j = 0; j < schema.size(); ++j) {
    const Column& column = schema.columns[static_cast<size_t>(j)];
    const Tensor cell = cells.select(1, j).to(at::kDouble);
    const bool levels = column.has_levels();
    const double missing = levels ? static_cast<double>(column.levels.size())
                                  : column.low - below * std::max(column.high - column.low, 1e-300);
    const Tensor known = at::where(cell.isnan(), at::full_like(cell, missing), cell);
    columns.push_back(levels ? known + jitter.select(1, j) : known);
  }
  return at::stack(columns, 1);
}

}  // namespace fokker::plot
