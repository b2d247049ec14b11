#pragma once
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"
#include "fokker/sde/sde.h"

namespace fokker {

/// Law of x(s + t) given x(s): normal with mean F x(s) + offset and covariance Q. All float64.
struct LinearTransition {
  Tensor F;       ///< (d, d): exp(A t)
  Tensor offset;  ///< (d): integral of exp(A s) c
  Tensor Q;       ///< (d, d): integral of exp(A s) G G^T exp(A s)^T
};

/// The linear diffusion dx = (A x + c) dt + G dB with constant A (d, d), c (d) and G (d, m). Its laws are
/// exact, by the matrix exponential; G G^T and Q may be singular. Float64 on the CPU.
class LinearSde {
 public:
  /// c may be left out: zero. Argument error where the shapes do not fit or a value is not finite.
  LinearSde(const Tensor& A, const Tensor& G, const Tensor& c = {});

  int64_t dimension() const { return A_.size(0); }

  /// For t >= 0, accurate at every t: Van Loan's block exponential ("Computing integrals involving the matrix
  /// exponential", 1978) over a short time, then doubled, which only adds positive matrices.
  LinearTransition transition(double t) const;
  /// E x(t) from the mean at 0: (d) -> (d), or rows (n, d) -> (n, d).
  Tensor mean(double t, const Tensor& mean0) const;
  /// Cov x(t) from the covariance (d, d) at 0.
  Tensor covariance(double t, const Tensor& covariance0) const;
  /// Cov(x(t), x(s)) for 0 <= s <= t: exp(A (t - s)) Cov x(s).
  Tensor cross_covariance(double t, double s, const Tensor& covariance0) const;

  /// The mean and covariance that stay the same: A m + c = 0 and the Lyapunov equation A P + P A^T + G G^T =
  /// 0, solved by Smith's doubling (1968). Argument error unless all eigenvalues of A have negative real
  /// part.
  Tensor stationary_mean() const;
  Tensor stationary_covariance() const;

  /// Exact draws at the given increasing times, of paths that are at x0 (n, d) at times[0]: (times, n, d) in
  /// the dtype of x0. The noise is keyed by (sample, step).
  Tensor sample_paths(const Tensor& x0, const std::vector<double>& times, const NoiseSource& noise,
                      int64_t first_sample = 0) const;
  Tensor sample_paths(const Tensor& x0, const std::vector<double>& times, const Rng& rng,
                      int64_t first_sample = 0) const;

  /// The same diffusion for simulation and reversal.
  Sde sde() const;

 private:
  void check_stable(const char* caller) const;
  LinearTransition short_transition(double t) const;
  Tensor A_, G_, c_, diffusion_;
  double norm_ = 0;  ///< of A: largest row sum
};

}  // namespace fokker
