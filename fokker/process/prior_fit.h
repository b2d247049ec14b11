#pragma once
#include <string>

#include "fokker/process/gaussian_process.h"

namespace fokker {

/// What is left of the data where sampling starts. Samples start from the prior N(0, v I), v = alpha(1)^2 +
/// sigma(1)^2, in place of the law of x_t there; no sampler mends the difference, since the reverse process
/// keeps the total variation between them. For centred data of unit variance it is of third order in
/// signal / noise (the skewness of x_1); for a mean that is left it is of first order.
struct PriorFit {
  double signal = 0;  ///< alpha(t) times the data's spread, which counts as 1 where it is less: v assumes 1
  double noise = 1;   ///< sigma(t)
  double scale = 1;   ///< sqrt(v) over the deviation sqrt(alpha(t)^2 + sigma(t)^2) of unit data
  double time = 1;

  /// At most this: the probabilities of two modes of weights 0.2 and 0.8 are then off by 0.02, and at a ratio
  /// of 1 by 0.11 (docs/concepts.md).
  static constexpr double largest_ratio = 0.5;

  double ratio() const { return signal / noise; }
  bool fits() const;
  /// "at t = 1 what is left of the data is 0.95 beside noise of 0.31 (ratio 3, and 0.5 at most ...)".
  std::string text() const;
  Json to_json() const;
};

/// The root mean square of x (n, event...) along the direction where it is largest: the root of the largest
/// eigenvalue of E[x x^T], about zero, which is the prior's mean. By power iteration; of many rows some.
double data_spread(const Tensor& x);

/// For data of that spread, in the space of the process; t is where sampling starts.
PriorFit prior_fit(const GaussianProcess& process, double spread, double t = 1);

/// PROCESS of the same kind that leaves a twentieth of the noise at most: "ve:sigma_max=20". Empty where no
/// usual value does, or for a user's own schedule.
std::string fitting_process(const GaussianProcess& process, double spread);

}  // namespace fokker
