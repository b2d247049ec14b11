#pragma once
#include <filesystem>

namespace fokker {

/// Brings a file's content, or a folder's names, to the disk: fsync(2). Resource error where that fails; a
/// folder that may not be read, or whose file system does not sync folders, is passed over.
void sync_path(const std::filesystem::path& path);

}  // namespace fokker
