#pragma once
#include <string>
#include <vector>

#include "fokker/data/bytes.h"

namespace fokker {

/// The dictionary at the head of an NPY file.
struct NpyHeader {
  std::string descr;  ///< such as "<f4"
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

/// Reads magic, version and dictionary; input error naming the byte of the file where it makes no sense.
NpyHeader read_npy_header(ByteReader& reader);

/// One NPY array from a reader, to its end.
Tensor read_npy(ByteReader& reader);

/// The bytes before the data, padded to a multiple of 64. Argument error where NPY has no such type.
std::string npy_header(IntArrayRef shape, at::ScalarType type);

}  // namespace fokker
