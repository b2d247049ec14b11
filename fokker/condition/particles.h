#pragma once
#include "fokker/core/tensor.h"

namespace fokker {

/// log weights (rows, P) with each row's exponentials summing to 1. Error of kind `failed` where a row has no
/// finite weight.
Tensor normalised_log_weights(const Tensor& log_weights);

/// 1 / sum w^2 of normalised log weights (rows, P): (rows).
Tensor effective_samples(const Tensor& log_weights);

/// Systematic resampling (Kitagawa 1996): places of `count` particles, (rows, count) int64 ascending, for
/// normalised log weights (rows, P) and one uniform number of each row, (rows). Particle j is taken
/// floor or ceil of count w_j times, and count w_j times on average.
Tensor systematic_resampling(const Tensor& log_weights, const Tensor& uniforms, int64_t count);

}  // namespace fokker
