#pragma once
#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"

namespace fokker {

/// A normal law, or one per row that share a covariance. Float64.
struct GaussianLaw {
  Tensor mean;        ///< (d) or (n, d)
  Tensor covariance;  ///< (d, d)

  /// log density in nats of x (n, d): (n).
  Tensor log_density(const Tensor& x) const;
};

/// Which block of [[S1, S12], [S21, S2]] is inverted first in its inverse.
enum class Pivot { first, second };

/// The inverse of [[S1, S12], [S21, S2]] from the inverse of one diagonal block and of its Schur complement:
/// S2 and S1 - S12 S2^-1 S21 (pivot second) or S1 and S2 - S21 S1^-1 S12 (pivot first). (d1 + d2, d1 + d2)
/// float64.
Tensor block_inverse(const Tensor& S1, const Tensor& S12, const Tensor& S21, const Tensor& S2, Pivot pivot);

/// The joint normal law of (x1, x2), both ways of writing it as a conditional times a marginal:
///   p(x1, x2) = p(x1 | x2) p(x2) = p(x2 | x1) p(x1).
class BlockGaussian {
 public:
  /// mean1 (d1), mean2 (d2), S1 (d1, d1), S12 = Cov(x1, x2) (d1, d2), S2 (d2, d2). Argument error where
  /// shapes do not fit, or a diagonal block is not symmetric positive semi-definite.
  BlockGaussian(const Tensor& mean1, const Tensor& mean2, const Tensor& S1, const Tensor& S12,
                const Tensor& S2);

  GaussianLaw first() const { return {mean1_, S1_}; }
  GaussianLaw second() const { return {mean2_, S2_}; }
  /// Of (x1, x2) stacked: mean (d1 + d2).
  GaussianLaw joint() const;
  /// p(x1 | x2): mean m1 + S12 S2^-1 (x2 - m2), covariance S1 - S12 S2^-1 S12^T. x2: (d2) or (n, d2).
  /// Argument error where S2 is singular.
  GaussianLaw first_given(const Tensor& x2) const;
  /// p(x2 | x1): mean m2 + S12^T S1^-1 (x1 - m1), covariance S2 - S12^T S1^-1 S12.
  GaussianLaw second_given(const Tensor& x1) const;

 private:
  Tensor mean1_, mean2_, S1_, S12_, S2_;
};

/// A normal signal in normal noise: s ~ N(mu, P), n ~ N(0, Q), x = s + n. Everything about s and n given x is
/// linear in x and exact. P or Q may be singular, P + Q not. Float64.
class GaussianSignal {
 public:
  /// mu (d), P and Q (d, d), symmetric positive semi-definite.
  GaussianSignal(const Tensor& mu, const Tensor& P, const Tensor& Q);

  /// K = P (P + Q)^-1: the share of x - mu that is signal.
  Tensor gain() const { return gain_; }
  /// Q (P + Q)^-1 = I - K: the share that is noise.
  Tensor noise_gain() const { return noise_gain_; }

  /// p(x) = N(mu, P + Q).
  GaussianLaw observation() const;
  /// grad log p(x) = -(P + Q)^-1 (x - mu).
  Tensor score(const Tensor& x) const;
  /// p(s | x): mean f(x) = (I - K) mu + K x, covariance Sigma = Q (P + Q)^-1 P. x: (d) or (n, d).
  GaussianLaw signal_given(const Tensor& x) const;
  /// p(n | x): mean g(x) = Q (P + Q)^-1 (x - mu), covariance V = P (P + Q)^-1 Q, equal to Sigma.
  GaussianLaw noise_given(const Tensor& x) const;
  /// x (n, d) -> one draw of s given each row, by way of the noise: s = x - (g(x) + Sigma^1/2 eps).
  Tensor sample_signal(const Tensor& x, const Rng& rng) const;

  /// Joint law of (s, x): covariance [[P, P], [P, P + Q]].
  BlockGaussian signal_and_observation() const;
  /// Joint law of (n, x): covariance [[Q, Q], [Q, P + Q]].
  BlockGaussian noise_and_observation() const;

 private:
  Tensor centred(const Tensor& x) const;
  Tensor mu_, P_, Q_, total_, factor_, gain_, noise_gain_;
};

}  // namespace fokker
