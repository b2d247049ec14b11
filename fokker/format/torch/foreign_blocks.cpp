#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/format/torch/torch_import.h"

namespace fokker {
namespace {

/// A block of somebody's U-Net that has no counterpart here, by a part of its tensors' names.
struct ForeignBlock {
  const char* part;
  const char* why;
};

/// Known by the name of a tensor that only it has.
struct ForeignNetwork {
  const char* name;
  const char* sign;
  std::vector<ForeignBlock> blocks;
};

const std::vector<ForeignNetwork>& foreign_networks() {
  static const std::vector<ForeignNetwork> networks = {
      {"lucidrains' Unet (denoising_diffusion_pytorch)",
       "init_conv.weight",
       {{"init_conv", "a first convolution of 7 x 7"},
        {"to_qkv", "attention with memory tokens or linear in its length"},
        {"final_res_block", "a residual block over the first features"}}},
      {"score_sde's DDPM++ or NCSN++ (Song et al. 2021)",
       "all_modules.0.",
       {{"NIN_", "attention by 1 x 1 products with their own scale"},
        {"GroupNorm_0", "residual blocks scaled by sqrt(1/2)"},
        {"all_modules.0.W", "Gaussian Fourier features with frequencies of their own"},
        {"all_modules.", "a list of modules that their configuration puts together"}}},
      {"EDM's DhariwalUNet or SongUNet (Karras et al. 2022)",
       "map_layer0.weight",
       {{"map_augment", "an embedding of augmentations"},
        {"map_layer0", "a time embedding with frequencies of their own"},
        {"resample_filter", "resampling by a filter"}}}};
  return networks;
}

}  // namespace

void refuse_foreign_blocks(const std::vector<NamedTensor>& tensors, const std::string& file) {
  const auto has = [](const NamedTensor& tensor, const char* part) {
    return tensor.name.find(part) != std::string::npos;
  };
  for (const ForeignNetwork& network : foreign_networks()) {
    const bool known = std::any_of(tensors.begin(), tensors.end(),
                                   [&](const NamedTensor& tensor) { return has(tensor, network.sign); });
    if (!known) continue;
    for (const NamedTensor& tensor : tensors)
      for (const ForeignBlock& block : network.blocks)
        check_input(
            !has(tensor, block.part),
            "{}: {}: '{}' is {}, which the U-Nets here do not have; what diffusers saves of a UNet2DModel "
            "can be imported",
            file, network.name, shown(tensor.name), block.why);
  }
}

}  // namespace fokker
