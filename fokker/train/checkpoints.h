#pragma once
#include <filesystem>
#include <vector>

#include "fokker/train/trainer.h"

namespace fokker {

/// The states that a run can be resumed from: a folder with one step-N for each. Each appears whole and
/// vanishes whole, whenever the process is killed.
class Checkpoints {
 public:
  explicit Checkpoints(std::filesystem::path folder) : folder_(std::move(folder)) {}
  const std::filesystem::path& folder() const { return folder_; }

  /// Oldest first. Puts back what a killed process left aside.
  std::vector<std::filesystem::path> all() const;
  /// Writes the trainer's state, unless it is as it was loaded from here, and, once it is whole on disk,
  /// removes all but the newest `kept`.
  void save(const Trainer& trainer, int64_t kept) const;
  /// Loads the newest that is whole; those after it are named in a warning and set aside as
  /// damaged-step-N, never removed. False where it does not say which problem it belongs to
  /// (Trainer::load_state). Input error where there is none, none is whole, or it does not fit.
  bool load_newest(Trainer& trainer) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace fokker
