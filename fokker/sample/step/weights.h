#pragma once
#include <vector>

namespace fokker {

/// phi_k(z) = sum_j z^j / (j + k)!, the functions of exponential integrators: phi_0 = e^z,
/// phi_{k+1}(z) = (phi_k(z) - 1/k!)/z (Hochbruck and Ostermann 2010, eq. 2.10). Without cancellation near 0.
double phi(int k, double z);

/// The weights w of a rule on distinct nodes that is exact on polynomials: sum_j w_j nodes_j^k = moments_k
/// for k = 0..n-1. What a multistep method needs: its past as nodes, the integrals of monomials as moments.
std::vector<double> interpolatory_weights(const std::vector<double>& nodes,
                                          const std::vector<double>& moments);

/// Gauss-Legendre nodes and weights on [0, 1].
struct GaussRule {
  std::vector<double> nodes, weights;
};
GaussRule gauss_legendre(int points);

}  // namespace fokker
