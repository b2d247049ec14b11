#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// One step of the probability flow in the scaled variables y = x/alpha and r = sigma/alpha, where it is
/// dy/dr = E[eps | x] (Song et al. 2021, DDIM, eq. 14): what methods that combine noise estimates integrate.
struct RatioStep {
  RatioStep(const GaussianProcess& process, double t, double s)
      : from(process.sigma(t) / process.alpha(t)),
        to(process.sigma(s) / process.alpha(s)),
        keep(process.alpha(s) / process.alpha(t)),
        alpha(process.alpha(s)) {}

  /// False where alpha = 0 at an end: r is infinite.
  bool finite() const { return std::isfinite(from) && std::isfinite(to); }
  double length() const { return to - from; }
  /// The step with one slope for all of it: Euler's, which is DDIM.
  Tensor with_slope(const Tensor& x, const Tensor& slope) const {
    return at::add(x * keep, slope, alpha * length());
  }

  double from, to;
  double keep;   ///< alpha_s / alpha_t
  double alpha;  ///< alpha_s
};

/// The time at which sigma/alpha = ratio.
inline double time_of_ratio(const GaussianProcess& process, double ratio) {
  return process.schedule()->time_of_log_snr(-2 * std::log(ratio));
}

/// The classical Runge-Kutta method of order 4 in r, given E[eps] at (x, t): three more evaluations.
StepResult ratio_runge_kutta(const Denoiser& denoiser, const Tensor& x, const Tensor& noise, double t,
                             double s);

}  // namespace fokker
