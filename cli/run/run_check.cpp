#include "cli/run/run_check.h"

#include "fokker/core/check.h"
#include "fokker/core/file/manifest.h"
#include "fokker/core/file/replacement.h"
#include "fokker/train/checkpoints.h"

namespace fokker::cli {
namespace {

namespace fs = std::filesystem;

void add_folder(RunCheck& check, const fs::path& folder, const Verification& found) {
  Json json = {{"folder", folder.string()},
               {"checksums", found.recorded},
               {"files", found.files.size()},
               {"bytes", found.bytes},
               {"damaged", found.damage}};
  check.report.json["folders"].push_back(std::move(json));
  const std::string whole =
      found.recorded ? fmt::format("{} files, {} bytes, as written", found.files.size(), found.bytes)
                     : "no checksums: damage would go unseen";
  check.report.text += fmt::format("{}: {}\n", folder.string(), found.damage.empty() ? whole : "damaged");
  for (const std::string& line : found.damage) check.report.text += "  " + line + "\n";
  check.damage.insert(check.damage.end(), found.damage.begin(), found.damage.end());
}

/// What is written meanwhile is looked at again.
template <typename Verify>
Verification verify_twice(Verify verify) {
  Verification found = verify();
  return found.damage.empty() ? found : verify();
}

bool holds_model(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "fokker.json", error) || fs::exists(folder / manifest_name, error);
}

/// Checkpoints that were found damaged and set aside before: said, and no damage of the run.
void add_set_aside(RunCheck& check, const fs::path& checkpoints) {
  std::error_code error;
  check.report.json["set_aside"] = Json::array();
  for (const auto& entry : fs::directory_iterator(checkpoints, error)) {
    if (!entry.path().filename().string().starts_with("damaged-")) continue;
    check.report.json["set_aside"].push_back(entry.path().string());
    check.report.text += fmt::format("{}: set aside as damaged before\n", entry.path().string());
  }
}

}  // namespace

RunCheck check_run(const fs::path& folder) {
  check_input(fs::is_directory(folder), "{}: expected a run or model folder to check", folder.string());
  RunCheck check;
  check.report.json = {{"kind", "check"}, {"folders", Json::array()}};
  for (const fs::path& model : {folder, folder / "best"})
    if (holds_model(model))
      add_folder(check, model, verify_twice([&] {
                   finish_replacement(model);
                   return verify_folder(model);
                 }));
  for (const fs::path& path : Checkpoints(folder / "checkpoints").all()) {
    const Verification found = verify_twice([&] { return Trainer::verify_state(path); });
    if (fs::exists(path)) add_folder(check, path, found);  // a run that goes on removes the oldest
  }
  check_input(!check.report.json["folders"].empty(),
              "{}: not a run folder: it has no model and no checkpoints", folder.string());
  add_set_aside(check, folder / "checkpoints");
  check.report.json["passed"] = check.damage.empty();
  return check;
}

}  // namespace fokker::cli
