#pragma once
#include "fokker/core/tensor.h"

namespace fokker {

/// root^-1 right for lower triangles (n, k, k) and right sides (n, k, m).
inline Tensor solve_lower(const Tensor& root, const Tensor& right) {
  return at::linalg_solve_triangular(root, right, /*upper=*/false);
}

}  // namespace fokker
