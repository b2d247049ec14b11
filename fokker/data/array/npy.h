#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker {

class FileWriter;
class Unfinished;

/// Reads a NumPy array (the NPY format, versions 1 to 3): float16/32/64, signed and unsigned integers, bool;
/// C or Fortran order; either byte order. uint16, uint32 and uint64 become the next wider signed type that
/// libtorch has (a uint64 above 2^63 - 1 is refused). Input error on anything else; the size that the header
/// claims is held against the file's before memory is taken. A gzipped file is read too.
Tensor load_npy(const std::filesystem::path& path);

/// Writes an NPY file of version 1, C order, atomically. float16/32/64, int8/16/32/64, uint8 or bool.
void save_npy(const std::filesystem::path& path, const Tensor& tensor);

/// Reads every array of an NPZ archive (stored or deflated, Zip64 too); names without ".npy".
std::map<std::string, Tensor> load_npz(const std::filesystem::path& path);

/// Writes an NPZ archive, atomically: stored, as numpy.savez writes it, or deflated, as savez_compressed.
/// Types as save_npy's. Argument error for no array, or 4 GiB and more.
void save_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& arrays,
              bool compressed = false);

/// Writes an NPY file piece by piece; the file appears under its name at `finish`, whole. Without
/// `finish` nothing is left behind.
class NpyWriter {
 public:
  /// `shape` is that of the whole array, with at least one dimension. Resource error where it cannot be
  /// written.
  NpyWriter(std::filesystem::path path, IntArrayRef shape, at::ScalarType type = at::kFloat);
  ~NpyWriter();
  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;

  /// Writes `rows`, (k, shape[1:]...), after the rows written so far. The type is converted.
  void append(const Tensor& rows);
  /// Writes `block`, (k, shape[2:]...), as elements [row, column : column + k]: for a trajectory whose
  /// samples come block by block, each through all times.
  void write_block(int64_t row, int64_t column, const Tensor& block);
  /// Argument error unless every element was written (once).
  void finish();

 private:
  void write_elements(int64_t first, const Tensor& values);
  std::filesystem::path path_;
  std::unique_ptr<Unfinished> temporary_;
  std::vector<int64_t> shape_;
  at::ScalarType type_;
  std::unique_ptr<FileWriter> file_;
  int64_t header_bytes_ = 0;
  int64_t rows_ = 0;
  int64_t written_ = 0;
};

}  // namespace fokker
