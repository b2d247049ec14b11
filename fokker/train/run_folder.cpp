#include "fokker/train/run_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/replacement.h"

namespace fokker {
namespace fs = std::filesystem;

const std::vector<std::string>& RunFolder::parts() {
  static const std::vector<std::string> names = {"manifest.json", "fokker.json", "model_index.json", "unet",
                                                 "network", "scheduler", "config.toml", "checkpoints",
                                                 "metrics.jsonl", "previews", "report.html",
                                                 // What may be there without a run.
                                                 "best", "schema.json", "tensorboard", "status.json"};
  return names;
}

bool RunFolder::holds_run() const try {
  finish_replacement(path_);
  return std::any_of(parts().begin(), std::find(parts().begin(), parts().end(), "best"),
                     [&](const std::string& part) { return fs::exists(path_ / part); });
} catch (...) {
  detail::throw_as_error();
}

void RunFolder::check_usable(bool resume, bool overwrite) const {
  check(!(resume && overwrite),
        "resume, overwrite: expected one of them; the first continues the run and the second removes it");
  finish_replacement(path_);
  check_input(!fs::exists(path_) || fs::is_directory(path_),
              "{}: expected a folder for the run but it is a file", path_.string());
  check_input(!resume || !checkpoints().all().empty(), "{}: nothing to resume: it has no checkpoints",
              path_.string());
  check(resume || overwrite || !holds_run(), "{}: holds a run already; resume it or overwrite it",
        path_.string());
}

void RunFolder::create() const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) fail(ErrorKind::resource, "{}: cannot create the folder: {}", path_.string(), error.message());
  finish_replacement(path_);
  recover_contents(path_);
  recover_contents(path_ / "previews");
}

void RunFolder::save_checkpoint(const Trainer& trainer, int64_t kept) const {
  checkpoints().save(trainer, kept);
}

bool RunFolder::load_newest_checkpoint(Trainer& trainer) const {
  const bool recorded = checkpoints().load_newest(trainer);
  drop_metrics_after(trainer.step());
  return recorded;
}

void RunFolder::append_metrics(const TrainMetrics& metrics) const {
  const fs::path file = path_ / "metrics.jsonl";
  std::ofstream out(file, std::ios::app);
  out << json_text(to_json(metrics)) << '\n';
  out.close();
  if (!out) fail(ErrorKind::resource, "{}: cannot be written: {}", file.string(), std::strerror(errno));
}

std::vector<TrainMetrics> RunFolder::metrics() const try {
  const fs::path file = path_ / "metrics.jsonl";
  return fs::exists(file) ? read_metrics(file) : std::vector<TrainMetrics>();
} catch (...) {
  detail::throw_as_error();
}

std::vector<TrainMetrics> read_metrics(const fs::path& file) try {
  std::istringstream lines(read_file(file));
  std::vector<TrainMetrics> metrics;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    // The last line of a run that was killed while it wrote it.
    if (lines.eof() && json.is_discarded() && !metrics.empty()) break;
    const auto is_number = [&](const char* key) { return json.contains(key) && json[key].is_number(); };
    check_input(json.is_object() && is_number("step") && is_number("loss"),
                "{}: line {}: expected an object with numbers \"step\" and \"loss\"", file.string(),
                metrics.size() + 1);
    TrainMetrics one;
    one.step = json["step"].get<int64_t>();
    one.loss = json["loss"].get<double>();
    if (is_number("held_out_loss")) one.held_out_loss = json["held_out_loss"].get<double>();
    metrics.push_back(one);
  }
  return metrics;
} catch (...) {
  detail::throw_as_error();
}

void RunFolder::drop_metrics_after(int64_t step) const {
  const fs::path file = path_ / "metrics.jsonl";
  if (!fs::exists(file)) return;
  std::istringstream lines(read_file(file));
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.value("step", int64_t{0}) <= step) kept += line + "\n";
  }
  write_file_atomically(file, kept);
}

}  // namespace fokker
