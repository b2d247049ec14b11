#pragma once
#include "fokker/core/random/rng.h"
#include "fokker/sde/linear_sde.h"

/// Diffusions whose noise depends on the state and whose law at every time is known in closed form, so that
/// reversal and probability flow can be tested where the divergence of the diffusion matrix matters. Float64.
namespace fokker {

/// Geometric Brownian motion dx = mu x dt + sigma x dB on the positive numbers, from a log-normal start:
/// log x(t) ~ N(log_mean(t), log_variance(t)).
struct GeometricBrownian {
  double mu = 0.3, sigma = 0.5;
  double log_mean0 = 0.1, log_variance0 = 0.09;

  double log_mean(double t) const { return log_mean0 + (mu - 0.5 * sigma * sigma) * t; }
  double log_variance(double t) const { return log_variance0 + sigma * sigma * t; }
  /// Draws of x(t), (n, 1).
  Tensor sample(double t, int64_t n, const Rng& rng) const;
  /// x: (n, 1), positive -> (n).
  Tensor log_density(const Tensor& x, double t) const;
  /// grad log p_t: (n, 1) -> (n, 1).
  Tensor score(const Tensor& x, double t) const;
  StateFunction score() const;
  Sde sde() const;
};

/// x = (sinh y1, sinh y2 + c y1^2) of a linear diffusion dy = (A y + b) dt + G dB in the plane: a smooth
/// invertible map, so x is a diffusion (Ito's formula) with a full dispersion matrix that depends on x, and
/// its density is that of y by the change of variables.
class WarpedLinear {
 public:
  double c = 0.4;
  LinearSde y;
  Tensor mean0, covariance0;  ///< of y(0), normal: (2) and (2, 2)

  /// A = [[-1, .6], [-.8, -.5]], b = (.2, -.1), G = [[.7, 0], [.3, .4]], y(0) ~ N((.4, -.2), [[.3, .1], [.1,
  /// .2]]).
  WarpedLinear();

  Tensor to_x(const Tensor& y) const;  ///< (n, 2) -> (n, 2)
  Tensor to_y(const Tensor& x) const;  ///< its inverse
  /// Of y(t): (2) and (2, 2).
  Tensor mean(double t) const { return y.mean(t, mean0); }
  Tensor covariance(double t) const { return y.covariance(t, covariance0); }
  /// Draws of y(t), (n, 2).
  Tensor sample_y(double t, int64_t n, const Rng& rng) const;

  Sde sde() const;
  /// x: (n, 2) -> (n).
  Tensor log_density(const Tensor& x, double t) const;
  /// grad log p_t: (n, 2) -> (n, 2).
  Tensor score(const Tensor& x, double t) const;
  StateFunction score() const;

 private:
  /// dx/dy = [[cosh y1, 0], [2 c y1, cosh y2]], (n, 2, 2).
  Tensor map_jacobian(const Tensor& y) const;
  Tensor G_;
};

}  // namespace fokker
