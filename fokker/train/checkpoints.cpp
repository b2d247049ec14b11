#include "fokker/train/checkpoints.h"

#include <algorithm>
#include <charconv>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"

namespace fokker {
namespace fs = std::filesystem;

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
  for (int64_t i = 0; i + kept < std::ssize(present); ++i)
    remove_folder_atomically(present[static_cast<size_t>(i)]);
} catch (...) {
  detail::throw_as_error();
}

bool Checkpoints::load_newest(Trainer& trainer) const {
  const auto present = all();
  check_input(!present.empty(), "{}: it has no checkpoints", folder_.string());
  return trainer.load_state(present.back());
}

}  // namespace fokker
