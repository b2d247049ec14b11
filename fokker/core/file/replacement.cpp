#include "fokker/core/file/replacement.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <sstream>

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/leftovers.h"
#include "fokker/core/file/sync.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

// The staged folder's name says how far it is: the first makes it count, and the old entries, which `list` in
// it names, go; under the second its own come.
constexpr const char *clearing = ".replacement.clearing", *arriving = ".replacement.arriving";
constexpr const char* list = ".outgoing";

/// One process at a time, where the file system has locks.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder) : descriptor_(::open(folder.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ >= 0) ::flock(descriptor_, LOCK_EX);
  }
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

void move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error)
    fail(ErrorKind::resource, "{}: cannot be moved to {}: {}", from.string(), to.filename().string(),
         error.message());
}

/// Takes what is listed aside, which is quick, and says where it is.
std::vector<fs::path> clear(const fs::path& folder) {
  std::vector<fs::path> aside;
  std::istringstream names(read_file(folder / clearing / list));
  for (std::string name; std::getline(names, name);) {
    if (!fs::exists(fs::symlink_status(folder / name))) continue;
    aside.push_back(temporary_beside(folder / name));
    move(folder / name, aside.back());
  }
  move(folder / clearing, folder / arriving);
  return aside;
}

void arrive(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder / arriving))
    if (entry.path().filename() != list) entries.push_back(entry.path());
  for (const fs::path& entry : entries) move(entry, folder / entry.filename());
  sync_path(folder);
  fs::remove_all(folder / arriving);
}

bool begun(const fs::path& folder, const char* name) {
  std::error_code ignored;
  return fs::exists(folder / name, ignored);
}

}  // namespace

void replace_entries(const fs::path& folder, Unfinished& staged, const std::vector<std::string>& outgoing) {
  std::string names;
  for (const std::string& name : outgoing) names += name + "\n";
  write_file_atomically(staged.path() / list, names);
  finish_replacement(folder);
  staged.put_in_place([&] { move(staged.path(), folder / clearing); });
  sync_path(folder);
  finish_replacement(folder);
}

bool is_replacing(const fs::path& folder) {
  return begun(folder, clearing) || begun(folder, arriving);
}

void finish_replacement(const fs::path& folder) {
  if (!is_replacing(folder)) return;
  std::vector<fs::path> aside;
  {
    const FolderLock lock(folder);
    if (begun(folder, clearing)) aside = clear(folder);
    if (begun(folder, arriving)) arrive(folder);
  }
  std::error_code ignored;
  for (const fs::path& path : aside) fs::remove_all(path, ignored);
}

}  // namespace fokker
