#pragma once
#include "fokker/denoise/analytic.h"
#include "fokker/process/dormand_prince.h"

namespace fokker {

/// The probability flow in coordinates in which it is smooth up to both ends, for every process. With
///   rho(t) = sqrt(alpha^2 + sigma^2),  z = x_t / rho,  phi = atan2(sigma, alpha) in [0, pi/2],
/// it reads
///   dz/dphi = cos(phi) E[eps | x_t] - sin(phi) E[x_0 | x_t],
/// the velocity of Salimans and Ho (2022), while rates in t are infinite at t = 0 for variance preserving processes and
/// scores at t = 1 for the flow. The flow depends on the process only through where it ends.
class AngularFlow {
 public:
  /// The denoiser must outlive this.
  explicit AngularFlow(const Denoiser& denoiser, Tensor label = {});

  double angle(double t) const;
  /// rho(t).
  double scale(double t) const;
  /// Where the flow meets the data: 0 where the denoiser is exact for a law with a density, else the angle of the
  /// process's time_min, below which networks are not trained.
  double data_angle() const;
  /// dz/dphi at z (n, event...).
  Tensor rate(const Tensor& z, double angle) const;

 private:
  const Denoiser& denoiser_;
  const AnalyticDenoiser* exact_;
  Tensor label_;
};

struct FlowMap {
  Tensor x;                 ///< (n, event...)
  int64_t evaluations = 0;  ///< denoiser calls per row
  int64_t rejected = 0;     ///< steps tried and discarded
};

/// Carries x (n, event...) along the probability flow from time `from` to time `to`, in either direction, within the
/// tolerances (adaptive Dormand-Prince). Deterministic and invertible: to t = 1 it encodes, back it decodes.
FlowMap flow_map(const Denoiser& denoiser, const Tensor& x, double from, double to,
                 DormandPrince::Options options = {.rtol = 1e-6, .atol = 1e-6}, const Tensor& label = {});

}  // namespace fokker
