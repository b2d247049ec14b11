#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/data/bytes.h"

namespace fokker {

/// Writes a zip archive (PKWARE's APPNOTE 4.3, without Zip64) front to back. The same entries make the same
/// bytes: they carry no date.
class ZipWriter {
 public:
  /// `shown`: the path that the user knows.
  ZipWriter(const std::filesystem::path& path, std::string shown)
      : shown_(shown), out_(path, std::move(shown)) {}
  /// An entry made of these pieces, one after the other. Argument error where the archive would exceed 4 GiB.
  void add(const std::string& name, const std::vector<std::string_view>& pieces, bool deflated);
  /// Writes the directory and closes.
  void finish();

 private:
  std::string shown_;
  FileWriter out_;
  uint64_t position_ = 0;
  uint64_t entries_ = 0;
  std::string directory_;
};

}  // namespace fokker
