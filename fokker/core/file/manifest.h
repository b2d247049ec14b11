#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "fokker/core/damage.h"

namespace fokker {

/// The name of the file that says what others must be: an object {"format", "checksum", "files"}, with
/// "name" (a path relative to the folder), "size" in bytes and "xxh128" of each: XXH3 of 128 bits (Collet,
/// xxHash 0.8), in hexadecimal; last, "manifest", that of the manifest itself.
constexpr const char* manifest_name = "manifest.json";

/// Writes the manifest of these files of a folder, as they are on disk. Write it last, and put the folder in
/// place afterwards. Resource error.
void write_manifest(const std::filesystem::path& folder, const std::vector<std::string>& files);

/// The names in the manifest of a folder; none where it has none, or one that is damaged.
std::vector<std::string> manifest_files(const std::filesystem::path& folder);

/// Reads every byte that the manifest of a folder speaks of; with `only`, of one file. Other files in the
/// folder are nobody's concern. A manifest that is itself damaged is a damage. Input error where a file may
/// not be read.
Verification verify_folder(const std::filesystem::path& folder, const std::string& only = {});

/// As above, and throws a DamageError, naming the first file, where one is damaged. False where there is no
/// manifest: what is there was written by an earlier version, and nothing is known of its bytes.
bool check_manifest(const std::filesystem::path& folder, const std::string& only = {});

}  // namespace fokker
