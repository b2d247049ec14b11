#pragma once
#include "fokker/target/gaussian_mixture.h"

namespace fokker {

/// The law of x given y = A x + S n, n ~ N(0, I), where x is from the mixture: a mixture again. For component
/// k with S_k = B B^T, and U diag(s) V^T the singular value decomposition of A B,
///   x = m_k + B w,  w | y ~ N(V s/(s^2 + S^2) U^T r, I - V s^2/(s^2 + S^2) V^T),  r = y - A m_k,
///   weight_k proportional to w_k N(y; A m_k, A S_k A^T + S^2 I),
/// so that no covariance is a difference of larger ones. Zero covariances are allowed: points keep their
/// places and get other weights. Components whose weight is below e^-690 of the largest are left out.
///
/// matrix: A (m, d); y: (m); noise: S >= 0 (standard deviation). All of them may have any real type; the work
/// is float64. Where S = 0 the measurement must be one that the mixture can give: components whose A x cannot
/// be y are left out; of the others those with the fewest free directions of A x have all the weight, as
/// their densities at y are infinitely larger. Argument errors: shapes, numbers that are not finite, and an y
/// that no component can give.
GaussianMixture posterior(const GaussianMixture& prior, const Tensor& matrix, const Tensor& y, double noise);

/// log p(y) in nats, of y = A x + S n with S > 0: the evidence.
double log_evidence(const GaussianMixture& prior, const Tensor& matrix, const Tensor& y, double noise);

}  // namespace fokker
