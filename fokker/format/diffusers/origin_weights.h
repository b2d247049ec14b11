#pragma once
#include <filesystem>
#include <vector>

#include "fokker/format/model.h"

namespace fokker {

/// Maps the weights of an imported network's folder under their current names, and notes in `origin`, by
/// file, how they are laid out: their type where it is narrower than float32, and the index of their shards.
std::vector<NamedTensor> map_origin_weights(const std::filesystem::path& folder, Json& origin);

/// Writes a network's weights into the folder of its config.json, in the type that they came in, where that
/// loses nothing, and in the shards that they came in. Input error where the origin's index is not of this
/// network's tensors or names a file elsewhere.
void write_origin_weights(const std::filesystem::path& folder, const Network& network, const Json& origin);

/// Whether a file of an origin is one of weights, which is no configuration.
bool is_origin_of_weights(const std::string& file);

}  // namespace fokker
