#pragma once
#include "fokker/core/tensor.h"

namespace fokker {

/// What follows the normalisation.
enum class NormActivation { none, silu };

/// Group normalisation (Wu and He 2018) of x (n, channels, h, w) with a scale and shift per channel, then the
/// activation, as one node of the graph: on a CPU with channels-last float32 or float64 it reads x twice and
/// writes the result once. Anything else, and any second derivative, runs as the plain composition below.
Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps,
                  NormActivation activation);

/// The same by libtorch's own functions.
Tensor plain_group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps,
                        NormActivation activation);

}  // namespace fokker
