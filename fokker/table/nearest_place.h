#pragma once
#include <numeric>
#include <vector>

#include "fokker/core/tensor.h"

/// Not for public headers.
namespace fokker::detail {

/// For each of some numbers (n) float64 the place among sorted values of the nearest: (n) int64.
inline Tensor nearest_place(const std::vector<double>& values, const Tensor& cells) {
  if (values.size() == 1) return at::zeros(cells.sizes(), at::TensorOptions(at::kLong));
  std::vector<double> middles;
  for (size_t i = 0; i + 1 < values.size(); ++i) middles.push_back(std::midpoint(values[i], values[i + 1]));
  return at::searchsorted(at::tensor(middles, at::TensorOptions(at::kDouble)), cells.contiguous());
}

}  // namespace fokker::detail
