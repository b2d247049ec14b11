#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fokker/nn/network.h"

namespace fokker {

struct SafetensorsFile {
  std::vector<NamedTensor> tensors;             ///< in the order of their bytes in the file
  std::map<std::string, std::string> metadata;  ///< the header's "__metadata__"
};

/// Writes tensors in the safetensors layout: 8 bytes little-endian header length, a JSON header
/// {name: {dtype, shape, data_offsets}}, then the data without gaps. Types F64, F32, F16, BF16, I64, I32,
/// I16, I8, U8, BOOL. Wide types come first, so that every tensor is aligned. Atomic; resource error where
/// the disk is full; argument error on a duplicate name or another type.
void save_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                      const std::map<std::string, std::string>& metadata = {});

/// Reads a safetensors file. The header is held against the file before memory is taken: its length, every
/// shape, type and byte range; ranges must cover the data exactly, without overlap or gap. Input error,
/// naming the file and the tensor.
SafetensorsFile load_safetensors(const std::filesystem::path& path);

}  // namespace fokker
