#pragma once
#include "fokker/format/exchange.h"
#include "fokker/format/torch/mlp_description.h"

namespace fokker {

/// A file of weights alone, by its name: .pt, .pth, .ckpt, .bin (of torch.save) or .safetensors.
bool is_weights_file(const std::filesystem::path& path);

/// A model of a file's weights (ImportFormat::read): a fully connected network as `options.mlp` describes it,
/// with the process and the prediction given; its rows are in the user's units as they are. Argument error
/// where one of the three is missing or makes no sense; input error, naming the first that does not fit,
/// where the tensors are other ones, and naming the first block of a U-Net of another program, which has no
/// counterpart here.
Imported import_weights(const std::filesystem::path& path, const ImportOptions& options);

/// The tensors of a file by the names of our own network: taken layer by layer, a weight and its bias, in the
/// order given. Input error that starts with `file` and names the first that does not fit.
std::vector<NamedTensor> fit_layers(const std::vector<NamedTensor>& tensors,
                                    const MlpDescription& description, const std::string& file);

/// Input error that names the first block that our U-Net has no counterpart of, where these are the tensors
/// of a U-Net that is known to have such: lucidrains' Unet, score_sde's and EDM's networks. `names` as in the
/// file.
void refuse_foreign_blocks(const std::vector<NamedTensor>& tensors, const std::string& file);

}  // namespace fokker
