#pragma once
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker {

struct ConjugateGradients {
  Tensor solution;         ///< (n, m)
  int64_t iterations = 0;  ///< products with the matrix
};

/// Solves M_i u_i = r_i for each row of r (n, m) float64 at once, with symmetric positive semi-definite M_i:
/// `product` maps rows u to rows M u. A row is left as it is once its residual is below `tolerance` of r's,
/// or where the curvature along its direction is not positive.
ConjugateGradients conjugate_gradients(const std::function<Tensor(const Tensor&)>& product, const Tensor& r,
                                       int64_t iterations, double tolerance);

}  // namespace fokker
