#include "fokker/core/file/unfinished.h"

#include <algorithm>
#include <mutex>
#include <vector>

namespace fokker {
namespace fs = std::filesystem;
namespace {

// Never destroyed: a watching thread may come to them while the process ends.
std::mutex& unfinished_mutex() {
  static auto* mutex = new std::mutex;
  return *mutex;
}
std::vector<fs::path>& unfinished_paths() {
  static auto* paths = new std::vector<fs::path>;
  return *paths;
}

void forget(const fs::path& path) {
  auto& paths = unfinished_paths();
  if (const auto at = std::find(paths.begin(), paths.end(), path); at != paths.end()) paths.erase(at);
}

}  // namespace

Unfinished::Unfinished(fs::path path) : path_(std::move(path)) {
  const std::lock_guard lock(unfinished_mutex());
  unfinished_paths().push_back(path_);
}

Unfinished::~Unfinished() {
  if (!open_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  const std::lock_guard lock(unfinished_mutex());
  forget(path_);
}

void Unfinished::put_in_place(const std::function<void()>& work) {
  const std::lock_guard lock(unfinished_mutex());
  work();
  open_ = false;
  forget(path_);
}

void remove_unfinished() {
  unfinished_mutex().lock();  // and never unlocked: nothing may be put in place any more
  for (const fs::path& path : unfinished_paths()) {
    std::error_code error;
    // Its writer may be adding files to it.
    for (int tries = 0; tries < 10; ++tries) {
      fs::remove_all(path, error);
      if (!error) break;
    }
  }
}

}  // namespace fokker
