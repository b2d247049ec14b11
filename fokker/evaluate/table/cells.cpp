#include "fokker/evaluate/table/cells.h"

#include "fokker/core/check.h"

namespace fokker {

Tensor columns_of_cells(const Tensor& cells, const Schema& schema, const char* set) {
  check(cells.defined() && cells.dim() == 2 && cells.size(1) == schema.size() && cells.size(0) > 0,
        "{}: expected cells of shape (n, {}), n > 0, but received {}", set, schema.size(),
        cells.defined() ? shape_string(cells) : "nothing");
  const Tensor columns = cells.to(at::kDouble).t().contiguous();
  check(!at::isinf(columns).any().item<bool>(), "{}: expected finite or missing cells but found inf", set);
  return columns;
}

Tensor draw_rows(const Tensor& columns, int64_t count, const Rng& rng) {
  const int64_t rows = columns.size(1);
  if (rows <= count) return columns;
  return columns.index_select(1, std::get<0>(rng.permutation(rows).slice(0, 0, count).sort()));
}

}  // namespace fokker
