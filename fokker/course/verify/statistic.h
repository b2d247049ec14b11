#pragma once
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker::verify {

/// An estimate with its standard error, 0 where nothing is random.
struct Statistic {
  double value = 0;
  double standard_error = 0;
};

/// Mean of independent values (n), with the standard error s / sqrt(n). n > 1.
Statistic mean_of(const Tensor& values);
/// Mean of (a - b), for coupled values.
inline Statistic mean_difference(const Tensor& a, const Tensor& b) {
  return mean_of(a - b);
}
/// Variance of independent values (n); standard error from the fourth central moment.
Statistic variance_of(const Tensor& values);
/// Covariance of paired values (n), (n); standard error from the products of the deviations.
Statistic covariance_of(const Tensor& a, const Tensor& b);
/// Fraction of a mask (n) that is true, with the binomial standard error at `expected` (so that it is never
/// 0).
Statistic fraction_of(const Tensor& mask, double expected);

/// Kolmogorov's statistic sqrt(n) sup |F_n - F| of values (n) against a distribution function given on a
/// sorted tensor. Under the null hypothesis it exceeds `kolmogorov_critical` once in ten thousand (n large).
double kolmogorov_smirnov(const Tensor& values, const std::function<Tensor(const Tensor&)>& distribution);
/// The same between two samples: sqrt(n m / (n + m)) sup |F_n - G_m|.
double kolmogorov_smirnov(const Tensor& x, const Tensor& y);
/// Exceeded with the given probability by Kolmogorov's distribution (first term of its series).
double kolmogorov_critical(double probability = 1e-4);

/// Distribution function of N(0, 1), elementwise.
Tensor normal_distribution(const Tensor& x);
/// Its inverse, for a probability in (0, 1).
double normal_quantile(double probability);

}  // namespace fokker::verify
