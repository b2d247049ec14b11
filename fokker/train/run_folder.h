#pragma once
#include <filesystem>

#include "fokker/train/checkpoints.h"

namespace fokker {

/// A run folder on disk: model parts, the best model, metrics.jsonl, checkpoints/step-N, previews.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  const std::filesystem::path& path() const { return path_; }

  /// Names of what a run has in its folder; what else is there is the user's.
  static const std::vector<std::string>& parts();
  /// Whether anything of a run is there.
  bool holds_run() const;
  /// Refuses, before any work, what is no folder, a run that would be lost, or nothing to resume.
  void check_usable(bool resume, bool overwrite) const;
  /// Makes the folder, and puts back what a killed process left aside.
  void create() const;
  void save_checkpoint(const Trainer& trainer, int64_t kept) const;
  /// Of the model with the lowest held-out loss (TrainOptions::keep_best), a model folder of its own.
  std::filesystem::path best() const { return path_ / "best"; }
  /// Loads the newest checkpoint and drops the metrics written after it. False where the checkpoint does not
  /// say which problem it belongs to (Trainer::load_state).
  bool load_newest_checkpoint(Trainer& trainer) const;
  void append_metrics(const TrainMetrics& metrics) const;
  /// Takes away the lines of later steps, which a run that went back makes anew.
  void drop_metrics_after(int64_t step) const;
  /// All of them; none where the file is missing. An input error names the line that is not one of its
  /// records.
  std::vector<TrainMetrics> metrics() const;

 private:
  Checkpoints checkpoints() const { return Checkpoints(path_ / "checkpoints"); }
  std::filesystem::path path_;
};

/// The lines of a metrics.jsonl. Input error where the file cannot be read, or a line is not one of its
/// records.
std::vector<TrainMetrics> read_metrics(const std::filesystem::path& file);

}  // namespace fokker
