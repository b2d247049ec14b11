#pragma once
#include "fokker/format/safetensors.h"

namespace fokker {

/// Maps a model that is divided over several files (map_safetensors), by its index
/// NAME.safetensors.index.json:
/// {"metadata": {...}, "weight_map": {tensor: file}}. Files lie beside the index: a name that leads elsewhere
/// is refused. Every file holds exactly the tensors that the index says. Input errors name the file and the
/// tensor.
SafetensorsFile map_safetensors_shards(const std::filesystem::path& index);

/// Whether the path is of such an index, by its name.
bool is_safetensors_index(const std::filesystem::path& path);

/// Maps the tensors of `folder`/`name`.safetensors, or of its index where there is only that.
SafetensorsFile map_weights(const std::filesystem::path& folder, const std::string& name);

}  // namespace fokker
