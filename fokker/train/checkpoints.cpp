#include "fokker/train/checkpoints.h"

#include <algorithm>
#include <charconv>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/manifest.h"
#include "fokker/core/file/sync.h"
#include "fokker/core/messages.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// Out of the way, under a name that nothing takes for a checkpoint, for a person to look at.
void set_aside(const fs::path& path) {
  const std::string name = "damaged-" + path.filename().string();
  fs::path to = path.parent_path() / name;
  std::error_code error;
  for (int i = 2; fs::exists(fs::symlink_status(to, error)); ++i)
    to = path.parent_path() / fmt::format("{}-{}", name, i);
  fs::rename(path, to, error);
  if (error)
    fail(ErrorKind::resource, "{}: is damaged and cannot be set aside: {}", path.string(), error.message());
  sync_path(path.parent_path());
  warn(fmt::format("{}: set aside as {}", path.string(), to.filename().string()));
}

}  // namespace

std::vector<fs::path> Checkpoints::all() const {
  recover_contents(folder_);
  std::vector<std::pair<int64_t, fs::path>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string(), prefix = "step-";
    int64_t step = 0;
    const char* last = name.data() + name.size();
    if (name.starts_with(prefix) && std::from_chars(name.data() + prefix.size(), last, step).ptr == last)
      found.emplace_back(step, entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<fs::path> paths;
  paths.reserve(found.size());
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

void Checkpoints::save(const Trainer& trainer, int64_t kept) const try {
  const fs::path path = folder_ / fmt::format("step-{:09}", trainer.step());
  const bool here = trainer.step() == trainer.loaded_step() && fs::exists(path);
  if (!here) write_folder_atomically(path, [&](const fs::path& folder) { trainer.save_state(folder); });
  const auto present = all();
  if (std::ssize(present) <= kept) return;
  // The others are what there is if this one is not: a disk may say that it wrote what it did not.
  if (const auto damage = verify_folder(path).damage; !damage.empty())
    fail(ErrorKind::resource, "{}, right after it was written; the checkpoints before it are kept",
         damage.front());
  for (int64_t i = 0; i + kept < std::ssize(present); ++i)
    remove_folder_atomically(present[static_cast<size_t>(i)]);
} catch (...) {
  detail::throw_as_error();
}

bool Checkpoints::load_newest(Trainer& trainer) const {
  std::vector<fs::path> present = all(), damaged;
  check_input(!present.empty(), "{}: it has no checkpoints", folder_.string());
  for (std::string first_damage;; present.pop_back()) {
    check_input(!present.empty(), "{}; no checkpoint in {} is whole, and all are left as they are",
                first_damage, folder_.string());
    try {
      const bool recorded = trainer.load_state(present.back());
      for (const fs::path& path : damaged) set_aside(path);
      if (!damaged.empty())
        warn(fmt::format("{}: the run goes on from the newest checkpoint that is whole, of step {}",
                         present.back().string(), trainer.step()));
      return recorded;
    } catch (const DamageError& damage) {
      if (first_damage.empty()) first_damage = damage.what();
      damaged.push_back(present.back());
      warn(damage.what());
    }
  }
}

}  // namespace fokker
