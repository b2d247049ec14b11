#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// lambda = log(alpha/sigma), half the log-SNR: the variable of the exponential integrators' papers.
inline double half_log_snr(const GaussianProcess& process, double t) {
  return 0.5 * process.log_snr(t);
}

/// One step in lambda, with the linear part of the probability flow solved exactly. With D the denoised
/// estimate along the step (Lu et al. 2022b, eq. 8),
///   x_s = (sigma_s/sigma_t) x_t + alpha_s int_0^h e^{-(h - u)} D(lambda_t + u) du.
struct LogSnrStep {
  LogSnrStep(const GaussianProcess& process, double t, double s)
      : from(half_log_snr(process, t)),
        h(half_log_snr(process, s) - from),
        keep(process.sigma(s) / process.sigma(t)),
        alpha(process.alpha(s)),
        gain(std::isfinite(h) ? -alpha * std::expm1(-h) : alpha - process.alpha(t) * keep) {}

  /// False where the step starts or ends at alpha = 0 or ends at sigma = 0: then only `constant` makes sense.
  bool finite() const { return std::isfinite(h); }
  /// The step for a D that does not change along it: DDIM.
  Tensor constant(const Tensor& x, const Tensor& denoised) const { return at::add(x * keep, denoised, gain); }

  double from;   ///< lambda_t
  double h;      ///< lambda_s - lambda_t
  double keep;   ///< sigma_s / sigma_t
  double alpha;  ///< alpha_s
  double gain;   ///< alpha_s (1 - e^{-h})
};

}  // namespace fokker
