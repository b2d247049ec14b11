#pragma once
#include "fokker/train/run_folder.h"
#include "fokker/train/train.h"

namespace fokker {

struct RunOptions {
  bool resume = false;  ///< continue the run that is in the folder from its newest checkpoint
  bool overwrite =
      false;  ///< replace it, once the new run has a checkpoint and a model: a failure before leaves it
  /// The state is loaded; training begins. `folder` is where files that belong to the run go now: the run
  /// folder or, while the run that it replaces is still there, one inside that becomes it.
  std::function<void(const Trainer&, const std::filesystem::path& folder)> on_begin = {};
  /// The model was saved, which is so where a checkpoint is due and at the end.
  std::function<void(int64_t step, const Model&)> on_saved = {};
  /// What is likely to be meant otherwise; the plan's own warnings come before the work.
  std::function<void(const std::string&)> on_warning = {};
};

struct TrainedRun {
  Model model;
  TrainOutcome outcome = TrainOutcome::completed;
  int64_t first_step = 0;  ///< 0, or where a resumed run continued
  int64_t steps = 0;       ///< done in all
  double seconds = 0;      ///< in all
  double loss = 0;         ///< of the last line of metrics
  std::optional<double> held_out_loss = {};
  std::optional<BestHeldOut> best = {};  ///< the lowest, with TrainOptions::keep_best or patience
  Incidents incidents = {};
  Prefetch::Waits waits = {};  ///< for rows that stay on disk, since `first_step`
};

/// Trains into a run folder: the model, with keep_best the best one, metrics.jsonl and the newest
/// checkpoints, each whole whenever the process is killed. Refuses before the work a folder that cannot take
/// it (RunFolder::check_usable), a disk that is too small (resource error) and names that cannot be saved
/// (input error); a resumed run must be of the same problem (Trainer::problem).
/// Of several ranks (TrainOptions::ranks) the first reads and writes the folder; where one is lost, the error
/// of kind peer_lost says which, and of which step the last checkpoint is.
TrainedRun train_into(const RunFolder& folder, const Dataset& data, const Recipe& recipe, const Rng& rng,
                      const RunOptions& options = {});

/// The same of a plan at hand, in parts: `rehearse_saving` is the check of disk and names.
void rehearse_saving(const RunFolder& folder, const TrainingPlan& plan);
TrainedRun train_into(const RunFolder& folder, const TrainingPlan& plan, const TrainHooks& hooks,
                      const RunOptions& options = {});

}  // namespace fokker
