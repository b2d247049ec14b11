#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker {

/// What a safetensors file may claim at most: its header in bytes (the reference implementation's limit),
/// tensors, bytes of a name, dimensions of a tensor.
struct SafetensorsLimits {
  static constexpr uint64_t header = 100'000'000;
  static constexpr size_t tensors = 262'144;
  static constexpr size_t name = 4096;
  static constexpr size_t rank = 32;
};

constexpr const char* safetensors_metadata = "__metadata__";

/// A tensor as the header describes it; bytes count from the end of the header.
struct SafetensorsEntry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;        ///< in the order of their bytes: they cover all of the data
  std::map<std::string, std::string> metadata;  ///< "__metadata__"
};

/// The name of a type in the format; null where it has none.
const char* safetensors_type_name(at::ScalarType type);

/// Where the numbers of a type come in a file that the format's own writer makes: those of a smaller place
/// first, then by name.
size_t safetensors_type_place(at::ScalarType type);

/// Reads the JSON of a header that `data_size` bytes follow. Input errors begin with `file`.
SafetensorsHeader parse_safetensors_header(const std::string& text, const std::string& file,
                                           uint64_t data_size);

}  // namespace fokker
