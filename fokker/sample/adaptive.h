#pragma once
#include "fokker/core/tensor.h"

namespace fokker {

/// The largest over the rows of a batch of RMS(error / (atol + rtol max(|before|, |after|))): at most 1 where
/// every row is within its tolerance. NaN where a number left its range.
double worst_scaled_error(const Tensor& error, const Tensor& before, const Tensor& after, double atol,
                          double rtol);

}  // namespace fokker
