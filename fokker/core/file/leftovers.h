#pragma once
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace fokker {

// Names for what is being written, and what becomes of it where its process is killed meanwhile. A new file
// or folder NAME begins as ".NAME.tmp-OWNER" beside its place; where a folder's predecessor must step aside
// it is
// ".NAME.old-OWNER". OWNER is a process and a use, so that no two threads or processes share a name. (Before,
// OWNER was the number of the process alone: such names are known too.)

std::filesystem::path temporary_beside(const std::filesystem::path& path);
std::filesystem::path predecessor_beside(const std::filesystem::path& path);

/// A hidden name of that form in a folder.
struct Leftover {
  std::filesystem::path path;
  std::filesystem::path meant;  ///< the path that it was to become, or was
  bool predecessor = false;
  bool owned = false;  ///< its process still runs
};

/// Whether the process that wrote this file still runs: not merely one that has its number now.
bool still_runs(pid_t process, const std::filesystem::path& written);

/// All of a folder; none where it cannot be read.
std::vector<Leftover> leftovers_in(const std::filesystem::path& folder);

}  // namespace fokker
