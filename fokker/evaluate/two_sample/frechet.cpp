#include "fokker/evaluate/two_sample/frechet.h"

#include "fokker/core/check.h"
#include "fokker/evaluate/metrics.h"

namespace fokker {
namespace {

/// Of a symmetric positive semidefinite matrix; rounding may leave eigenvalues just below zero.
Tensor square_root(const Tensor& matrix) {
  const auto [values, vectors] = at::linalg_eigh(matrix);
  return vectors.mul(values.clamp_min(0).sqrt()).matmul(vectors.t());
}

}  // namespace

double frechet_distance(const Tensor& x, const Tensor& y) {
  check(x.dim() == 2 && y.dim() == 2 && x.size(1) == y.size(1) && x.size(0) > 1 && y.size(0) > 1,
        "frechet_distance: expected sets (n, d) and (m, d) of at least two but received {} and {}",
        shape_string(x), shape_string(y));
  const Moments a = moments(x), b = moments(y);
  const Tensor root = square_root(a.covariance);
  // tr (C_x C_y)^{1/2} = tr (R C_y R)^{1/2} with R = C_x^{1/2}, which is symmetric.
  const Tensor cross = at::linalg_eigvalsh(root.matmul(b.covariance).matmul(root)).clamp_min(0).sqrt().sum();
  const Tensor distance =
      (a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * cross;
  return distance.item<double>();
}

}  // namespace fokker
