#pragma once
#include "fokker/core/tensor.h"

namespace fokker {

/// The squared Fréchet distance (Dowson and Landau 1982) of Gaussians with the means and covariances of two
/// sets, (n, d) and (m, d), n, m >= 2:
///   |m_x - m_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^{1/2}).
/// On features of the Inception network that is FID (Heusel et al. 2017); on any others it is not comparable
/// with FID. Sets from one law come out above 0, the more so the fewer there are: compare with the value of
/// two such sets. Float64. Argument errors as in metrics.h.
double frechet_distance(const Tensor& x, const Tensor& y);

}  // namespace fokker
