#pragma once
#include "fokker/kernel/image/group_norm.h"

namespace fokker {

/// Group normalisation of x (n, channels, h, w) with a scale and shift per channel, then the activation, as
/// one node of the graph: the fused loops where they fit. Anything else, and any second derivative, runs as
/// plain_group_norm.
Tensor group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const kernel::GroupNormShape& shape);

}  // namespace fokker
