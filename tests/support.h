#pragma once
#include <cmath>
#include <vector>

#include "expect_error.h"
#include "fokker/core/tensor.h"

namespace fokker {

/// (n) float64.
inline Tensor vector_of(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::TensorOptions(at::kDouble));
}

/// (n, d) float64.
inline Tensor rows_of(const std::vector<std::vector<double>>& rows) {
  std::vector<Tensor> tensors;
  for (const auto& row : rows) tensors.push_back(vector_of(row));
  return at::stack(tensors);
}

inline double average(const Tensor& x) {
  return x.mean().item<double>();
}
/// Four standard errors of the mean of x.
inline double four_errors(const Tensor& x) {
  return 4 * x.std().item<double>() / std::sqrt(static_cast<double>(x.numel()));
}

/// The largest absolute difference.
inline double worst(const Tensor& a, const Tensor& b) {
  return (a - b).abs().max().item<double>();
}

/// The largest absolute difference from float64 truth, in units of the largest true value.
inline double relative_difference(const Tensor& found, const Tensor& exact) {
  return worst(found.to(at::kDouble), exact) / (1e-30 + exact.abs().max().item<double>());
}

/// The derivative of `loss` in one number of a parameter, by central differences with step h.
template <typename Loss>
double central_difference(const Tensor& element, const Loss& loss, double h = 1e-5) {
  const GradientMode off(false);
  const double before = element.item<double>();
  const auto at_value = [&](double value) {
    element.fill_(value);
    return loss().template item<double>();
  };
  const double difference = (at_value(before + h) - at_value(before - h)) / (2 * h);
  element.fill_(before);
  return difference;
}

}  // namespace fokker
