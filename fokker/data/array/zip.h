#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fokker/data/bytes.h"

namespace fokker {

/// One file of a zip archive, as its central directory describes it.
struct ZipEntry {
  std::string name;
  int method = 0;  ///< 0 stored, 8 deflated
  uint32_t crc = 0;
  uint64_t compressed_size = 0;
  uint64_t size = 0;
  uint64_t offset = 0;  ///< of its local header
};

/// Reads the central directory (PKWARE's APPNOTE 4.3, with Zip64), bounds-checked: entries lie inside the
/// file, their compressed sizes add up to no more than the file, and none claims more than deflate can expand
/// to.
std::vector<ZipEntry> read_zip_directory(const std::filesystem::path& path);

/// The content of one entry, exactly `size` bytes; its checksum is verified with the last of them.
std::unique_ptr<ByteReader> open_zip_entry(const std::filesystem::path& path, const ZipEntry& entry);

}  // namespace fokker
