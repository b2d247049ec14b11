#pragma once
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker {

struct CovarianceSystem {
  Tensor ridge;               ///< the diagonal of R, (m) float64, >= 0
  int64_t iterations = 5;     ///< products at the most; m of them span everything
  double tolerance = 1e-6;    ///< of a residual in units of r's length, at which a row is left
  double resolution = 1e-15;  ///< of products with C, relative: the epsilon of the type that they come from
};

struct CovarianceSolution {
  Tensor solution;       ///< (n, m)
  int64_t products = 0;  ///< with C
};

/// Solves (C_i + R) u_i = r_i for each row of r (n, m) float64 at once, where C_i should be a covariance and
/// R is diagonal: `product` maps rows u to rows C u. For covariances this is what conjugate gradients give
/// after as many products, computed as r Q T^-1 e_1 from Lanczos's vectors Q, all made orthogonal to one
/// another, and the tridiagonal T = Q^T (C + R) Q. It takes the fewer of them, and loses the less to
/// rounding, the more alike the numbers on the diagonal of C + R are.
///
/// The C of a network is neither quite symmetric nor quite positive, on which conjugate gradients break down
/// and amplify rounding without bound. Here T is symmetric however C is; an eigenvalue v < 0 of Q^T C Q in
/// units of Q^T R Q, which no covariance has, gets a weight that fades from 1 at v = 0 to 0 at v = -1, and
/// where R^-1/2 C u is longer than R^-1/2 r in the space, which a covariance's never is, u is shortened. So
/// |R^1/2 u| <= |R^-1/2 r|, u depends continuously on C and r, and their errors reach it times |C|/R. What is
/// less in R than the largest of C + R times `resolution`, as without noise, or than 1e-8 of the largest of
/// R, counts as that much.
CovarianceSolution solve_covariance_system(const std::function<Tensor(const Tensor&)>& product,
                                           const Tensor& r, const CovarianceSystem& system);

}  // namespace fokker
