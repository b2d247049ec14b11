#pragma once
#include <vector>

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

/// The largest absolute difference.
inline double worst(const Tensor& a, const Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace fokker
