#include "fokker/format/diffusers/origin_weights.h"

#include <array>

#include "fokker/core/check.h"
#include "fokker/format/diffusers/tensor_names.h"
#include "fokker/format/network_folder.h"
#include "fokker/format/safetensors/header.h"
#include "fokker/format/safetensors/shards.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// Where an origin says the weights' own type, and where the index of their shards.
constexpr const char* weights_file = "unet/diffusion_pytorch_model.safetensors";
constexpr const char* shards_file = "unet/diffusion_pytorch_model.safetensors.index.json";
constexpr std::array<at::ScalarType, 2> narrow_types = {at::kHalf, at::kBFloat16};

/// The type that all weights have: float32 where they have several.
at::ScalarType common_type(const std::vector<NamedTensor>& tensors) {
  for (const NamedTensor& each : tensors)
    if (each.tensor.scalar_type() != tensors.front().tensor.scalar_type()) return at::kFloat;
  return tensors.empty() ? at::kFloat : tensors.front().tensor.scalar_type();
}

/// The index with the names that tensors were given.
Json with_names(Json index, const std::vector<std::string>& old, const std::vector<NamedTensor>& tensors) {
  nlohmann::json files;  // in the order of the names, as index files are
  for (size_t i = 0; i < tensors.size(); ++i)
    files[tensors[i].name] = index["weight_map"][old[i]].get<std::string>();
  index["weight_map"] = files;
  return index;
}

/// The parameters in a narrow type of that name, where that loses nothing; otherwise as they are.
std::vector<NamedTensor> in_type(const std::vector<NamedTensor>& parameters, const std::string& type_name) {
  for (const at::ScalarType type : narrow_types) {
    if (type_name != safetensors_type_name(type)) continue;
    std::vector<NamedTensor> tensors = parameters;
    for (NamedTensor& each : tensors) {
      const Tensor narrow = each.tensor.detach().to(type);
      if (!narrow.to(each.tensor.scalar_type()).equal(each.tensor)) return parameters;
      each.tensor = narrow;
    }
    return tensors;
  }
  return parameters;
}

}  // namespace

std::vector<NamedTensor> map_origin_weights(const fs::path& folder, Json& origin) {
  Json index;
  std::vector<NamedTensor> tensors = map_weights(folder, network_weights, &index).tensors;
  const at::ScalarType type = common_type(tensors);
  if (std::find(narrow_types.begin(), narrow_types.end(), type) != narrow_types.end())
    origin[weights_file] = {{"dtype", safetensors_type_name(type)}};
  std::vector<std::string> names;
  names.reserve(tensors.size());
  for (const NamedTensor& each : tensors) names.push_back(each.name);
  tensors = with_current_names(std::move(tensors));
  if (!index.is_null()) origin[shards_file] = with_names(std::move(index), names, tensors);
  return tensors;
}

void write_origin_weights(const fs::path& folder, const Network& network, const Json& origin) {
  const Json type = origin.value(weights_file, Json::object());
  const std::vector<NamedTensor> tensors =
      in_type(network.parameters(), type.is_object() ? type.value("dtype", std::string()) : "");
  const std::map<std::string, std::string> metadata = {{"format", "pt"}};
  if (origin.contains(shards_file))
    save_safetensors_shards(folder / fs::path(shards_file).filename(), origin[shards_file],
                            std::string("fokker.json: origin: ") + shards_file, tensors, metadata);
  else
    save_safetensors(folder / fs::path(weights_file).filename(), tensors, metadata);
}

bool is_origin_of_weights(const std::string& file) {
  return file == weights_file || file == shards_file;
}

}  // namespace fokker
