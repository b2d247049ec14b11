#pragma once
#include "fokker/train/event_file.h"
#include "fokker/train/trainer.h"

namespace fokker {

/// A run as TensorBoard shows it: scalars of each line of metrics, after a held-out loss the loss over t, and
/// pictures.
class RunEvents {
 public:
  /// In `folder`; the trainer, which must outlive it, has made no step yet but those that were loaded.
  RunEvents(const std::filesystem::path& folder, const Trainer& trainer);
  const std::filesystem::path& file() const { return file_.path(); }
  void add(const TrainMetrics& metrics);
  /// A PNG file; input error where it is none.
  void add_picture(int64_t step, const std::string& tag, const std::filesystem::path& png);
  /// Training went back to this step.
  void go_back(int64_t step) { file_.go_back(step + 1); }

 private:
  const Trainer& trainer_;
  EventFile file_;
};

}  // namespace fokker
