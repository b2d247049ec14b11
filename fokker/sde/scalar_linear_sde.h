#pragma once
#include <functional>

#include "fokker/process/gaussian_process.h"
#include "fokker/sde/sde.h"

namespace fokker {

/// The scalar linear diffusion dx = A(t) x dt + g(t) dB, on each coordinate alike, whose drift is integrated
/// in closed form: phi(t) = exp(integral of A from 0 to t). Then
///   x(t) = phi(t) (x(0) + integral of g / phi dB).
struct ScalarLinearSde {
  std::function<double(double t)> rate;        ///< A
  std::function<double(double t)> dispersion;  ///< g
  std::function<double(double t)> phi;
  /// integral of g^2 / phi^2 from 0 to t (Ito's isometry); by Gauss-Legendre quadrature where empty.
  std::function<double(double t)> noise_integral = {};

  /// Law of x(t) given x(s), 0 <= s <= t: scale phi(t)/phi(s), variance phi(t)^2 (I(t) - I(s)).
  TransitionCoefficients transition(double s, double t) const;
  double variance(double t, double variance0) const;
  Sde sde(int64_t dimension) const;
};

}  // namespace fokker
