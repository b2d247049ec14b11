#pragma once
#include "fokker/data/array/npy_header.h"

namespace fokker {

/// How a NumPy type is read: the type of the same width, and the type it becomes.
struct NpyType {
  at::ScalarType stored;
  at::ScalarType result;
  int64_t unsigned_mask = 0;  ///< nonzero where the stored bits are unsigned
  bool swapped = false;       ///< most significant byte first
};

/// Input error, naming the file, where its header says something else than numbers.
NpyType npy_type(const NpyHeader& header, const std::string& name);

/// The numbers of stored bits, of `type.result`; may change `stored`. Input error for a uint64 beyond int64.
Tensor as_read(const Tensor& stored, const NpyType& type, const std::string& name);

}  // namespace fokker
