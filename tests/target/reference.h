#pragma once
// A Gaussian mixture with diagonal covariances, by the textbook formulas in long double.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "expect_error.h"
#include "fokker/core/error.h"
#include "fokker/core/tensor.h"

namespace fokker {

struct ReferencePosterior {
  std::vector<long double> denoised, noise;
  long double log_density = 0;
};

/// x: (d); weights (k), means (k, d), variances (k, d): float64 tensors.
inline ReferencePosterior reference_posterior(const Tensor& x, const Tensor& weights, const Tensor& means,
                                              const Tensor& variances, long double alpha, long double sigma) {
  const int64_t k = means.size(0), d = means.size(1);
  const Tensor w = weights.contiguous(), m = means.contiguous(), v = variances.contiguous(),
               p = x.contiguous();
  const auto* mean = m.data_ptr<double>();
  const auto* variance = v.data_ptr<double>();
  const auto* point = p.data_ptr<double>();
  std::vector<long double> logit(k);
  long double largest = -HUGE_VALL;
  for (int64_t i = 0; i < k; ++i) {
    logit[i] = std::log(static_cast<long double>(w.data_ptr<double>()[i]));
    for (int64_t j = 0; j < d; ++j) {
      const long double c = alpha * alpha * variance[i * d + j] + sigma * sigma;
      const long double r = point[j] - alpha * mean[i * d + j];
      logit[i] -= 0.5L * (r * r / c + std::log(2 * std::numbers::pi_v<long double> * c));
    }
    largest = std::max(largest, logit[i]);
  }
  long double total = 0;
  for (auto value : logit) total += std::exp(value - largest);
  ReferencePosterior result{std::vector<long double>(d), std::vector<long double>(d),
                            largest + std::log(total)};
  for (int64_t i = 0; i < k; ++i) {
    const long double share = std::exp(logit[i] - largest) / total;
    for (int64_t j = 0; j < d; ++j) {
      const long double s = variance[i * d + j], c = alpha * alpha * s + sigma * sigma;
      const long double r = point[j] - alpha * mean[i * d + j];
      result.denoised[j] += share * (mean[i * d + j] + alpha * s / c * r);
      result.noise[j] += share * sigma / c * r;
    }
  }
  return result;
}

inline Tensor numbers(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}
inline Tensor number(double value) {
  return at::full({}, value, at::kDouble);
}

/// Largest |a - b| over (1 + |b|).
inline double relative_gap(const Tensor& a, const Tensor& b) {
  return ((a - b).abs() / (1 + b.abs())).max().item<double>();
}

/// The message of the argument error that `work` throws.
template <typename Work>
std::string error_of(Work work, ErrorKind kind = ErrorKind::argument) {
  return refusal_of(work, kind);
}

}  // namespace fokker
