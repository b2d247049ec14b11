#pragma once
#include <filesystem>

#include "fokker/data/dataset.h"

namespace fokker {

/// Reads an IDX file (the format of MNIST: 00 00 type dimensions, big-endian sizes, data), plain or
/// gzipped: uint8, int8, int16, int32, float32 or float64. Input error where the sizes in the header and the
/// bytes that follow disagree.
Tensor load_idx(const std::filesystem::path& path);

}  // namespace fokker
