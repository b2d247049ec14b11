#include "fokker/format/safetensors/shards.h"

#include <set>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/text/strict_json.h"
#include "fokker/core/text/text.h"
#include "fokker/format/safetensors/header.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

constexpr const char* index_ending = ".safetensors.index.json";
constexpr const char* file_ending = ".safetensors";
constexpr size_t most_shards = 4096;

/// A name in the index's own folder: no separator, so that nothing outside is opened.
void check_shard_name(const std::string& name, const std::string& index) {
  const bool plain = name.find('/') == std::string::npos && name.find('\\') == std::string::npos &&
                     name.find('\0') == std::string::npos && !name.starts_with(".");
  check_input(plain && name.ends_with(file_ending) && name.size() > std::string_view(file_ending).size(),
              "{}: weight_map: expected names of {} files beside it but found '{}'", index, file_ending,
              shown(name));
}

nlohmann::json read_shard_index(const fs::path& index) {
  return parse_strict_json<nlohmann::json>(
      read_file(index, SafetensorsLimits::header), index.string(),
      {.depth = 16, .members = SafetensorsLimits::tensors, .name_bytes = SafetensorsLimits::name});
}

/// The tensors that each file is said to hold.
using Shards = std::map<std::string, std::set<std::string>>;
Shards shards_of(const Json& json, const std::string& name) {
  check_input(json.is_object() && json.contains("weight_map") && json["weight_map"].is_object(),
              "{}: expected an object with a weight_map of tensors to files", name);
  Shards files;
  for (const auto& [tensor, file] : json["weight_map"].items()) {
    check_input(file.is_string(), "{}: weight_map: '{}': expected the name of a file", name, shown(tensor));
    const auto shard = file.get<std::string>();
    check_shard_name(shard, name);
    files[shard].insert(tensor);
  }
  check_input(files.size() <= most_shards, "{}: expected at most {} files but found {}", name, most_shards,
              files.size());
  return files;
}

/// The tensors of one file, which are those that the index says.
void take_shard(const fs::path& file, std::set<std::string> expected, const std::string& index,
                SafetensorsFile& whole) {
  SafetensorsFile shard = map_safetensors(file);
  for (NamedTensor& tensor : shard.tensors) {
    check_input(expected.erase(tensor.name) == 1, "{}: tensor '{}': {} does not say that it is here",
                file.string(), shown(tensor.name), index);
    whole.tensors.push_back(std::move(tensor));
  }
  check_input(expected.empty(), "{}: expected the tensor '{}', as {} says, but it is not here", file.string(),
              expected.empty() ? "" : shown(*expected.begin()), index);
  whole.metadata.merge(shard.metadata);
}

/// What an index says of the size of all tensors, where it says it.
void set_total_size(Json& index, const std::vector<NamedTensor>& tensors) {
  if (!index.contains("metadata") || !index["metadata"].is_object()) return;
  const auto total = index["metadata"].find("total_size");
  if (total == index["metadata"].end()) return;
  uint64_t bytes = 0;
  for (const NamedTensor& each : tensors) bytes += each.tensor.nbytes();
  if (*total != bytes) *total = bytes;
}

}  // namespace

SafetensorsFile map_safetensors_shards(const fs::path& index, Json* found) try {
  const Json json = read_shard_index(index);
  SafetensorsFile whole;
  for (auto& [file, tensors] : shards_of(json, index.string()))
    take_shard(index.parent_path() / file, tensors, index.filename().string(), whole);
  if (found) *found = json;
  return whole;
} catch (...) {
  detail::throw_as_error();
}

void save_safetensors_shards(const fs::path& index, Json json, const std::string& name,
                             const std::vector<NamedTensor>& tensors,
                             const std::map<std::string, std::string>& metadata) try {
  std::map<std::string, NamedTensor> left;
  for (const NamedTensor& each : tensors) left.insert_or_assign(each.name, each);
  std::map<std::string, std::vector<NamedTensor>> shards;
  for (const auto& [file, names] : shards_of(json, name))
    for (const std::string& each : names) {
      const auto tensor = left.extract(each);
      check_input(!tensor.empty(), "{}: weight_map: the network has no tensor '{}'", name, shown(each));
      shards[file].push_back(tensor.mapped());
    }
  check_input(left.empty(), "{}: weight_map: expected the file of the tensor '{}'", name,
              left.empty() ? "" : shown(left.begin()->first));
  set_total_size(json, tensors);
  for (const auto& [file, members] : shards) save_safetensors(index.parent_path() / file, members, metadata);
  write_file_atomically(index, json_text(json, 2) + "\n");
} catch (...) {
  detail::throw_as_error();
}

bool is_safetensors_index(const fs::path& path) {
  return path.filename().string().ends_with(index_ending);
}

SafetensorsFile map_weights(const fs::path& folder, const std::string& name, Json* index_found) {
  const fs::path file = folder / (name + file_ending), index = folder / (name + index_ending);
  if (!fs::exists(file) && fs::exists(index)) return map_safetensors_shards(index, index_found);
  const fs::path pickled = folder / (name + ".bin");
  check_input(
      fs::exists(file) || !fs::exists(pickled),
      "{}: expected {} but there is only {}: save the model as safetensors (diffusers: safe_serialization)",
      folder.string(), file.filename().string(), pickled.filename().string());
  return map_safetensors(file);
}

}  // namespace fokker
