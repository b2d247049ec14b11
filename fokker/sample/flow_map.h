#pragma once
#include "fokker/denoise/analytic.h"
#include "fokker/sde/dormand_prince.h"

namespace fokker {

/// The probability flow in coordinates in which it is smooth up to both ends, for every process. With
///   rho(t) = sqrt(alpha^2 + sigma^2),  z = x_t / rho,  phi = atan2(sigma, alpha) in [0, pi/2],
/// it reads
///   dz/dphi = cos(phi) E[eps | x_t] - sin(phi) E[x_0 | x_t],
/// the velocity of Salimans and Ho (2022), while rates in t are infinite at t = 0 for variance preserving
/// processes and scores at t = 1 for the flow. The flow depends on the process only through where it ends.
class AngularFlow {
 public:
  /// The denoiser must outlive this.
  explicit AngularFlow(const Denoiser& denoiser, Tensor label = {});

  double angle(double t) const;
  /// rho(t).
  double scale(double t) const;
  /// Where the flow meets the data: 0 where the denoiser is exact for a law with a density, else the angle of
  /// the process's time_min, below which networks are not trained.
  double data_angle() const;
  /// dz/dphi at z (n, event...); `rows` (n) int64 says which rows of the label they are, where not all.
  Tensor rate(const Tensor& z, double angle, const Tensor& rows = {}) const;

 private:
  const Denoiser& denoiser_;
  const AnalyticDenoiser* exact_;
  Tensor label_;
};

/// Where the flow took x, (n, event...), in the denoiser's space.
struct FlowMap {
  Tensor x;
  int64_t evaluations = 0;  ///< denoiser calls per row
  int64_t rejected = 0;     ///< steps tried and discarded
};

/// Data to the latents of t = 1 along the probability flow, by adaptive Dormand-Prince within the tolerances.
/// Latents of a model's own samples are N(0, prior_variance I). A row is taken as x_t = alpha x at
/// AngularFlow::data_angle. Rows that want far smaller steps than most are carried by themselves; a RowError
/// names one that is too far away to be carried.
FlowMap encode(const Denoiser& denoiser, const Tensor& x, DormandPrince::Options options,
               const Tensor& label = {});
/// Its inverse.
FlowMap decode(const Denoiser& denoiser, const Tensor& latent, DormandPrince::Options options,
               const Tensor& label = {});

/// `frames` points from a to b (event...), both included, at equal angles of the great circle through them
/// (Shoemake 1985), their norms interpolated: Gaussian latents keep the length that a straight line would
/// lose. Points in opposite or equal directions are joined by the straight line. Shape (frames, event...).
Tensor great_circle(const Tensor& a, const Tensor& b, int64_t frames);

}  // namespace fokker
