#include "fokker/format/diffusers/tensor_names.h"

#include <array>

namespace fokker {
namespace {

struct OldLayer {
  const char *old, *current;
};
constexpr std::array<OldLayer, 9> attention_layers = {{{"query", "to_q"},
                                                       {"key", "to_k"},
                                                       {"value", "to_v"},
                                                       {"proj_attn", "to_out.0"},
                                                       {"NIN_0", "to_q"},
                                                       {"NIN_1", "to_k"},
                                                       {"NIN_2", "to_v"},
                                                       {"NIN_3", "to_out.0"},
                                                       {"GroupNorm_0", "group_norm"}}};

/// "block.attentions.0.query.weight" in its three parts; empty where it is no tensor of attention.
struct AttentionName {
  std::string block, layer, part;
};
std::optional<AttentionName> attention_name(const std::string& name) {
  const size_t at = name.find("attentions.");
  if (at == std::string::npos) return {};
  const size_t layer = name.find('.', at + std::string_view("attentions.").size());
  const size_t part = name.rfind('.');
  if (layer == std::string::npos || part <= layer) return {};
  return AttentionName{name.substr(0, layer), name.substr(layer + 1, part - layer - 1),
                       name.substr(part + 1)};
}

void rename_attention(NamedTensor& tensor, const AttentionName& name) {
  for (const auto& [old, current] : attention_layers) {
    if (name.layer != old) continue;
    const bool transposed = name.part == "W";
    const std::string part = transposed ? "weight" : name.part == "b" ? "bias" : name.part;
    tensor.name = name.block + "." + current + "." + part;
    if (transposed) tensor.tensor = tensor.tensor.t();
  }
  // 1 x 1 convolutions, but those around a transformer, which are stored as such.
  if (name.layer != "proj_in" && name.layer != "proj_out" && tensor.tensor.dim() == 4 &&
      tensor.tensor.size(2) == 1 && tensor.tensor.size(3) == 1)
    tensor.tensor = tensor.tensor.flatten(1);
}

}  // namespace

std::vector<NamedTensor> with_current_names(std::vector<NamedTensor> tensors) {
  for (NamedTensor& tensor : tensors) {
    if (tensor.name == "time_proj.W") tensor.name = "time_proj.weight";
    if (const auto name = attention_name(tensor.name)) rename_attention(tensor, *name);
  }
  return tensors;
}

}  // namespace fokker
