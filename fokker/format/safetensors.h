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
/// I16, I8, U8, BOOL. Wide types come first, so that every tensor is aligned; types, names and the header are
/// in the order of the format's own writer, so that the same tensors make the same file. Atomic; resource
/// error where the disk is full; argument error on a duplicate name or another type.
void save_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                      const std::map<std::string, std::string>& metadata = {});

/// Reads a safetensors file. The header is held against the file before memory is taken: its length, every
/// shape, type and byte range; ranges must cover the data exactly, without overlap or gap; no name may occur
/// twice. Input error, naming the file and the tensor. Types that tensors do not have (float8, unsigned
/// integers of more than 8 bits, complex numbers) are refused by name.
SafetensorsFile load_safetensors(const std::filesystem::path& path);

/// The same, but the tensors are pages of the file, which are read when they are looked at and copied when
/// they are written to: nothing is read twice, and what is not used not at all. The file must not be
/// shortened while they live. Where a file cannot be mapped it is read.
SafetensorsFile map_safetensors(const std::filesystem::path& path);

}  // namespace fokker
