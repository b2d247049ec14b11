#include "fokker/core/finite_rows.h"

#include "fokker/core/error.h"

namespace fokker {

int64_t first_row_not_finite(const Tensor& x) {
  if (x.numel() == 0) return -1;
  const Tensor bad = x.isfinite().flatten(x.dim() > 1 ? 1 : 0).logical_not();
  const Tensor rows = x.dim() > 1 ? bad.any(1) : bad;
  return rows.any().item<bool>() ? rows.nonzero()[0][0].item<int64_t>() : -1;
}

void check_finite_rows(const Tensor& x, const std::string& reason) {
  if (const int64_t row = first_row_not_finite(x); row >= 0) throw RowError(ErrorKind::failed, row, reason);
}

}  // namespace fokker
