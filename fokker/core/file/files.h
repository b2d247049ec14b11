#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "fokker/core/text/json.h"

namespace fokker {

/// Reads a whole file. Input error, naming the file, where it cannot be read or exceeds `limit` bytes.
std::string read_file(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 32);

/// Reads and parses a JSON file; an input error names the file and the byte.
Json read_json(const std::filesystem::path& path);

/// Writes a file so that a reader sees the old content or the whole new one: temporary file, fsync, rename,
/// fsync of the folder. Resource error where the disk is full or not writable; the temporary file is removed.
/// What a killed process left of an earlier attempt is removed.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// As above for content produced piece by piece: `produce` receives the temporary path to write to.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path&)>& produce);

/// Fills a new folder and puts it in place of `path`: temporary folder, fsync of each file, then one exchange
/// of names, or where the file system has none two renames, between which only `recover_folder` finds the old
/// content.
void write_folder_atomically(const std::filesystem::path& path,
                             const std::function<void(const std::filesystem::path&)>& fill);

/// Removes a folder so that a reader sees all of it or nothing.
void remove_folder_atomically(const std::filesystem::path& path);

/// Call before opening a folder that `write_folder_atomically` writes: where a process was killed between its
/// two renames, the old content is put back. Leaves everything else alone.
void recover_folder(const std::filesystem::path& path);

/// The same for all folders inside `folder`, and removes there whatever killed processes had not finished.
void recover_contents(const std::filesystem::path& folder);

}  // namespace fokker
