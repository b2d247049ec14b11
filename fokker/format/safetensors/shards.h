#pragma once
#include "fokker/core/text/json.h"
#include "fokker/format/safetensors.h"

namespace fokker {

/// Maps a model that is divided over several files (map_safetensors), by its index
/// NAME.safetensors.index.json:
/// {"metadata": {...}, "weight_map": {tensor: file}}. Files lie beside the index: a name that leads elsewhere
/// is refused. Every file holds exactly the tensors that the index says. Input errors name the file and the
/// tensor. `found`, where given, receives the index, its keys in the order of their names.
SafetensorsFile map_safetensors_shards(const std::filesystem::path& index, Json* found = nullptr);

/// Writes tensors into the files that an index says, beside it, and the index last; its metadata.total_size,
/// where it has one, is the bytes of the tensors. The same tensors under the index that was found make the
/// same files, byte for byte. Input error that starts with `name`, before anything is written: an index that
/// is none, a name of a file that leads elsewhere, a tensor without a file or a file's without a tensor.
void save_safetensors_shards(const std::filesystem::path& index, Json json, const std::string& name,
                             const std::vector<NamedTensor>& tensors,
                             const std::map<std::string, std::string>& metadata = {});

/// Whether the path is of such an index, by its name.
bool is_safetensors_index(const std::filesystem::path& path);

/// Maps the tensors of `folder`/`name`.safetensors, or of its index where there is only that, which
/// `index_found`, where given, receives.
SafetensorsFile map_weights(const std::filesystem::path& folder, const std::string& name,
                            Json* index_found = nullptr);

}  // namespace fokker
