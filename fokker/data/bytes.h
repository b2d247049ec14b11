#pragma once
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "fokker/core/tensor.h"

namespace fokker {

/// How many bytes a reader still has: at most this many, and exactly so where `exact`.
struct Remaining {
  uint64_t at_most = 0;
  bool exact = false;
};

/// Bytes from outside, read from front to back. Every failure is an input error that starts with `name()`.
class ByteReader {
 public:
  explicit ByteReader(std::string name) : name_(std::move(name)) {}
  virtual ~ByteReader() = default;
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  /// Reads up to `count` bytes; fewer only at the end.
  size_t read_some(void* out, size_t count);
  /// Reads exactly `count` bytes, or fails as truncated.
  void read(void* out, size_t count);
  /// Fails where bytes follow.
  void expect_end();
  virtual Remaining remaining() const = 0;

  const std::string& name() const { return name_; }
  uint64_t position() const { return position_; }

 private:
  virtual size_t do_read(void* out, size_t count) = 0;
  std::string name_;
  uint64_t position_ = 0;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

/// Opens for reading; input error where the path is missing, a folder, or may not be read.
FileHandle open_for_reading(const std::filesystem::path& path);

/// A whole file, or `length` bytes of it from `offset` (both must lie inside the file).
std::unique_ptr<ByteReader> open_bytes(const std::filesystem::path& path);
std::unique_ptr<ByteReader> open_bytes(const std::filesystem::path& path, uint64_t offset, uint64_t length);

/// Writes a file, reporting a full disk as a resource error that names `shown` (the path the user knows).
class FileWriter {
 public:
  FileWriter(const std::filesystem::path& path, std::string shown);
  void write(const void* data, uint64_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Writes at an absolute position; the position of `write` is then after it.
  void write_at(uint64_t position, const void* data, uint64_t count);
  /// Flushes and closes. Must be called: the destructor closes without a check.
  void close();

 private:
  [[noreturn]] void fail_write() const;
  std::string shown_;
  FileHandle file_;
};

/// "128 bytes", "34359738368 bytes (32.0 GiB)".
std::string describe_bytes(uint64_t bytes);

/// Bytes of a tensor of that shape; input error "NAME: ..." where a size is negative or the product
/// overflows.
uint64_t byte_count(const std::string& name, IntArrayRef shape, uint64_t item_size);

/// Memory for data read from `name`; resource error where there is not enough.
Tensor allocate(const std::string& name, IntArrayRef shape, at::ScalarType type);

/// Reads a tensor. What the header claims is held against what is there before memory is taken; a reader
/// that does not know its length is read piece by piece, so memory grows only with bytes that exist.
Tensor read_tensor(ByteReader& reader, IntArrayRef shape, at::ScalarType type);

}  // namespace fokker
