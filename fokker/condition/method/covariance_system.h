#pragma once
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker {

struct CovarianceSystem {
  double ridge = 0;           ///< S^2
  int64_t iterations = 5;     ///< products at the most; m of them span everything
  double tolerance = 1e-6;    ///< of a residual in units of r's length, at which a row is left
  double resolution = 1e-15;  ///< of products with C, relative: the epsilon of the type that they come from
};

struct CovarianceSolution {
  Tensor solution;       ///< (n, m)
  int64_t products = 0;  ///< with C
};

/// Solves (C_i + S^2 I) u_i = r_i for each row of r (n, m) float64 at once, where C_i should be a covariance:
/// `product` maps rows u to rows C u. For covariances this is what conjugate gradients give after as many
/// products, computed as r Q (T + S^2 I)^-1 e_1 from Lanczos's vectors Q, all made orthogonal to one another,
/// and the tridiagonal T = Q^T C Q.
///
/// The C of a network is neither quite symmetric nor quite positive, on which conjugate gradients break down
/// and amplify rounding without bound. Here T is symmetric however C is; an eigenvalue v < 0 of it, which no
/// covariance has, gets a weight that fades from 1/S^2 at v = 0 to 0 at v = -S^2, and where C u is longer
/// than r in the space, which a covariance's never is, u is shortened. So |u| <= |r|/S^2, u depends
/// continuously on C and r, and their errors reach it times |C|/S^2. Below max(v + S^2) times `resolution`
/// the same holds in place of S^2, as without noise.
CovarianceSolution solve_covariance_system(const std::function<Tensor(const Tensor&)>& product,
                                           const Tensor& r, const CovarianceSystem& system);

}  // namespace fokker
