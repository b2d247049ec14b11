#pragma once
#include "fokker/core/tensor.h"

namespace fokker {

/// Inverse of the standard normal distribution function, elementwise, of float64 numbers in (0, 1).
Tensor normal_quantiles(const Tensor& u);

}  // namespace fokker
