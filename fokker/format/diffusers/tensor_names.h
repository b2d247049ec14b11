#pragma once
#include <vector>

#include "fokker/nn/network.h"

namespace fokker {

/// The tensors of a UNet2DModel under the names that diffusers gives them today. Attention of older versions
/// is named query, key, value, proj_attn, or NIN_0 to NIN_3 with transposed weights "W" and "b" (score_sde),
/// and may be 1 x 1 convolutions; its norm is GroupNorm_0; random frequencies of times are time_proj.W.
std::vector<NamedTensor> with_current_names(std::vector<NamedTensor> tensors);

}  // namespace fokker
