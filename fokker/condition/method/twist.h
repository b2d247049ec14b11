#pragma once
#include "fokker/condition/method/reverse_steps.h"

namespace fokker {

/// What is taken for the covariance of x_0 given x_t in twisted diffusion sampling.
enum class TwistCovariance {
  automatic,  ///< jacobian of a linear measurement in up to 16 dimensions, else assumed
  jacobian,   ///< V = (sigma^2/alpha) dE[x_0 | x_t]/dx_t, Tweedie's, by d passes back through the denoiser
  assumed     ///< r_t^2 I (assumed_variance, pigdm.h)
};

/// What the denoiser and the twist p~_t(y | x_t) say at particles x (n, event...).
struct Twisted {
  Tensor denoised;   ///< E[x_0 | x_t]
  Tensor gain;       ///< what E[x_0 | x_t] gains by y, (sigma^2/alpha) grad log p~_t with V held fixed
  Tensor log_twist;  ///< (n) float64
  /// Of the Jacobian's covariance, (n, d, d) float64, lower triangular: L of V = L L^T, and M's root in the
  /// covariance S^2 L M^-1 L^T of x_0 given x_t and y, M = S^2 I + L^T A^T A L. Undefined where it is
  /// assumed.
  Tensor root, inner;

  Twisted at(const Tensor& index) const;
};

/// One step of all particles, and log p(x_s | x_t) - log q(x_s | x_t), (n) float64.
struct TwistedStep {
  Tensor x, log_ratio;
};

/// Twisting functions of one block's measurement, and the steps that they steer (Tds).
class Twist {
 public:
  Twist(const PosteriorBlock& block, TwistCovariance covariance);
  /// At time t, in parts of as many rows as the denoiser is called on.
  Twisted operator()(const Tensor& x, double t) const;
  /// To time s, which is not the last one, with standard normal noise (n, event...).
  TwistedStep step(const ReverseStep& step, const Tensor& x, const Twisted& now, const Tensor& noise) const;
  /// Passes back through the denoiser at one time.
  int64_t passes() const { return gram_.defined() ? dimension_ : 1; }

 private:
  Twisted at_rows(const Tensor& x, double t, int64_t first) const;
  Twisted by_jacobian(const DifferentiableEstimate& estimate, double t, const Measurement& rows) const;

  const PosteriorBlock& block_;
  int64_t dimension_ = 1;
  Tensor gram_;  ///< A^T A, (d, d); undefined where the covariance is assumed
};

}  // namespace fokker
