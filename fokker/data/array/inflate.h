#pragma once
#include <filesystem>
#include <memory>

#include "fokker/data/bytes.h"

namespace fokker {

enum class Compression {
  gzip,     ///< RFC 1952, possibly several members; checksums are verified
  deflate,  ///< RFC 1951, bare, as in a zip file
};

/// Decompresses what `source` holds. No deflate stream expands by more than 1032, which bounds `remaining()`.
std::unique_ptr<ByteReader> inflate(std::unique_ptr<ByteReader> source, Compression compression);

/// Opens a file, decompressing where it starts with gzip's magic bytes.
std::unique_ptr<ByteReader> open_maybe_gzip(const std::filesystem::path& path);

}  // namespace fokker
