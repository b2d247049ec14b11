#pragma once
#include <string>

#include "fokker/core/tensor.h"

namespace fokker {

/// The first row of x (n, ...) that holds nan or inf, counted from 0; -1 where all are finite.
int64_t first_row_not_finite(const Tensor& x);

/// A RowError of kind `failed` for that row, where there is one.
void check_finite_rows(const Tensor& x, const std::string& reason);

}  // namespace fokker
