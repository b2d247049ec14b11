#pragma once
// Shared by the tests of diffusions.
#include "fokker/course/problem/known_diffusions.h"
#include "support.h"

namespace fokker {

inline const Rng rng(7);

inline Tensor points(int64_t n, int64_t d) {
  return 0.5 * rng.normal({n, d}, {}, at::kDouble);
}

/// Sample covariance of rows x and y (n, d), each about its own mean.
inline Tensor sample_covariance(const Tensor& x, const Tensor& y) {
  return (x - x.mean(0)).t().matmul(y - y.mean(0)) / static_cast<double>(x.size(0));
}
inline Tensor sample_covariance(const Tensor& x) {
  return sample_covariance(x, x);
}

/// sigma(x, t) of shape (n, 3, 2), every entry different.
inline Tensor tall_matrix(const Tensor& x, double t) {
  const Tensor a = x.select(1, 0), b = x.select(1, 1), c = x.select(1, 2);
  const auto row = [](const Tensor& u, const Tensor& v) { return at::stack({u, v}, 1); };
  return at::stack({row(a * b, c.sin()), row(1 + t * a.square(), b * c), row((a - c).exp(), b)}, 1);
}

}  // namespace fokker
