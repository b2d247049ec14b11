#pragma once
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker::verify {

/// Equally spaced nodes on the line. For smooth functions that vanish at both ends the sum of values times
/// the step converges to the integral faster than any power of the step.
struct Line {
  Tensor x;  ///< (n) float64
  double step = 0;
  double integral(const Tensor& values) const { return values.sum().item<double>() * step; }
  /// The nodes as states (n, 1).
  Tensor states() const { return x.unsqueeze(1); }
};
Line line(double begin, double end, int64_t intervals);

/// E[values] under the density proportional to exp(log_weights), both on the nodes of one line.
double expectation(const Tensor& log_weights, const Tensor& values);
/// Its variance.
double variance_under(const Tensor& log_weights, const Tensor& values);

/// log N(x; mean, variance), elementwise.
Tensor normal_log_density(const Tensor& x, double mean, double variance);

/// The slope of log |error| against log step between the first and the last of several step sizes.
double observed_order(const std::vector<double>& steps, const std::vector<double>& errors);

/// The largest absolute value.
double largest(const Tensor& difference);

}  // namespace fokker::verify
