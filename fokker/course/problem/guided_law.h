#pragma once
#include <numbers>

#include "fokker/denoise/guidance.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {

/// A law on the line by its values on equally spaced points.
struct LineLaw {
  Tensor x;             ///< (n) float64
  Tensor density;       ///< (n)
  Tensor distribution;  ///< (n): P(X <= x)
  double mean() const;
  double variance() const;
};
/// Half the integral of |p - q|, both on the same points.
double total_variation(const LineLaw& a, const LineLaw& b);
/// The integral of |F - G|: Wasserstein's distance of order 1.
double wasserstein(const LineLaw& a, const LineLaw& b);

/// What guidance is made of on the line: value = weak + weight (strong - weak), both exact denoisers. The
/// weak law is the unconditional one or a guide's, the strong one the conditional. Covariances are positive.
struct GuidedLine {
  GaussianMixture weak, strong;
  double weight = 1;
  GuidanceInterval interval = {};
  /// The angle atan2(sigma, alpha) where the flow begins, and the prior's variance per alpha^2 + sigma^2
  /// there; by default no data is left.
  double begin = std::numbers::pi / 2;
  int64_t steps = 150;  ///< of Runge and Kutta's fourth order over the angle
};

/// Points where the guided probability flow carries z (n) at its begin, in units of unit variance, to. The
/// flow on the line is an increasing map. In the angle phi = atan2(sigma, alpha) and for z = x / sqrt(alpha^2
/// + sigma^2), dz/dphi = cos phi E[eps] - sin phi E[x_0] whatever the process (Salimans and Ho 2022), so that
/// the law depends on the weight alone and not on the schedule.
Tensor carried_to_data(const GuidedLine& line, const Tensor& z);

/// The law of what it carries N(0, 1) to, at x (n): each point is followed back to the prior, with the
/// logarithm of the derivative.
LineLaw guided_law(const GuidedLine& line, const Tensor& x);

/// weak(x)^(1 - w) strong(x)^w / Z, which guidance at each noise level is often taken for, at equally spaced
/// x that hold its mass.
LineLaw tilted_law(const GuidedLine& line, const Tensor& x);

/// The first and second moment in closed form where both laws are normal, N(0, 1) the weak one and N(m, v)
/// the strong one, v < 1, weight 2: mean m (1 + v artanh(sqrt(1 - v)) / sqrt(1 - v)), variance v^2. The
/// tilted law's are 2 m / (2 - v) and v / (2 - v).
struct NormalMoments {
  double mean = 0, variance = 0;
};
NormalMoments guided_normal(double mean, double variance);
NormalMoments tilted_normal(double mean, double variance);

/// Two classes on the line: N(-1, 0.25), and 0.7 N(0.5, 0.2) + 0.3 N(2, 0.1); each is half of the whole.
GaussianMixture guided_class(int64_t label);
GaussianMixture both_classes();

}  // namespace fokker
