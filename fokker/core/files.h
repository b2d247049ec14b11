#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "fokker/core/json.h"

namespace fokker {

/// Reads a whole file. Input error, naming the file, where it cannot be read or exceeds `limit` bytes.
std::string read_file(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 32);

/// Reads and parses a JSON file; an input error names the file and the byte.
Json read_json(const std::filesystem::path& path);

/// Writes a file so that a reader sees the old content or the whole new one: temporary file, fsync, rename.
/// Resource error where the disk is full or not writable; the temporary file is removed.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// As above for content produced piece by piece: `produce` receives the temporary path to write to.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path&)>& produce);

/// Fills a new folder and puts it in place of `path` in one rename: temporary folder, fsync of each file,
/// rename.
void write_folder_atomically(const std::filesystem::path& path,
                             const std::function<void(const std::filesystem::path&)>& fill);

}  // namespace fokker
