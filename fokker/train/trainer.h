#pragma once
#include <filesystem>
#include <functional>
#include <optional>

#include "fokker/core/damage.h"
#include "fokker/core/stop.h"
#include "fokker/core/text/json.h"
#include "fokker/data/conditions.h"
#include "fokker/data/dataset.h"
#include "fokker/denoise/energy.h"
#include "fokker/objective/objective.h"
#include "fokker/table/table_map.h"
#include "fokker/train/flat_parameters.h"
#include "fokker/train/prefetch.h"
#include "fokker/train/step_exchange.h"
#include "fokker/train/step_rows.h"
#include "fokker/train/train_options.h"

namespace fokker {

/// One line of metrics.jsonl.
struct TrainMetrics {
  int64_t step = 0;
  double loss = 0;                      ///< mean over the steps since the last line
  std::optional<double> held_out_loss;  ///< of the averaged weights, with the same noise every time
  double learning_rate = 0;
  double gradient_norm = 0;
  double seconds = 0;
  double rows_per_second = 0;
  int64_t spikes = 0, skipped = 0;  ///< since the last line: losses that stood out, batches left out
  int64_t rewinds = 0;              ///< times that training went back, in all
};
Json to_json(const TrainMetrics& metrics);

/// The mean loss of rows by their times in [0, 1]: `losses[i]` between `edges[i]` and `edges[i + 1]`; 0 where
/// there was no row.
struct LossOverTime {
  std::vector<double> edges, losses;
};

/// What the world outside learns and decides during training. All are optional. Of several ranks the first
/// alone tells; any may ask for a stop.
struct TrainHooks {
  std::function<void(const TrainMetrics&)> on_metrics;
  std::function<void(int64_t step, double fraction, double loss)> on_step;
  /// Called where a checkpoint is due, and at the end or when stopped: also where no step was made.
  std::function<void(const class Trainer&)> on_checkpoint;
  /// Training went back to this step: what was told of later ones is void.
  std::function<void(int64_t step)> on_rewind;
  /// True asks for a stop after the current step.
  std::function<bool()> should_stop;
  /// Once made, a stop too, which does not wait for a step that takes long: networks of this library leave it
  /// within a block of rows or images, and it is as if it had not begun. One process alone: ranks end their
  /// step together.
  const StopRequest* abandon = nullptr;
};

enum class TrainOutcome {
  completed,
  stopped,
  early,  ///< the held-out loss had not fallen for as long as the options' patience
};

/// Trains a network by an objective on a data set: AdamW with warm-up and cosine decay, gradient clipping and
/// an exponential moving average of the weights. Which rows, times and noise a step sees depends on the seed
/// and the step alone, so a resumed run continues as if it had never stopped. Ranks (TrainOptions::ranks)
/// take a part each of every batch and add up their gradients: the steps are those of one process but for
/// rounding, and the weights have the same bits on all. Rows that stay on disk (Dataset::stored) are read
/// ahead by TrainOptions::workers: the batches, and so the weights, are those of the same rows in memory.
class Trainer {
 public:
  Trainer(std::unique_ptr<Network> network, DenoiserSpec spec, std::shared_ptr<const Objective> objective,
          Split data, Normalisation normalisation, TrainOptions options, Rng rng,
          std::shared_ptr<const TableMap> table = nullptr, ConditionMap condition = {});

  /// Runs to the end of the options' budget or patience. At a loss or gradient that is not finite the
  /// weights, moments and average stay as they were, and the options say what follows: ErrorKind::diverged,
  /// naming the step, or, a limited number of times, the next batch or the last checkpoint at half the rate.
  /// Before a checkpoint the same holds of weights, or a loss of theirs on the next batch, that are not
  /// finite. Throws ErrorKind::stopped, with the steps made so far, under a StopRequest (core/stop.h).
  TrainOutcome run(const TrainHooks& hooks);

  int64_t step() const { return step_; }
  /// The step at which a state was loaded, or -1.
  int64_t loaded_step() const { return loaded_step_; }
  /// The step of the last checkpoint that was handed over or loaded, or -1.
  int64_t saved_step() const { return std::max(saved_step_, loaded_step_); }
  double seconds() const { return seconds_; }
  /// The denoiser with the averaged weights; it follows the training.
  const Denoiser& averaged() const { return *averaged_; }
  const Network& averaged_network() const { return *average_; }
  const DenoiserSpec& spec() const { return spec_; }
  const Normalisation& normalisation() const { return normalisation_; }
  /// Mean loss of the averaged weights on the held-out rows; the same times and noise at every call. Ranks
  /// call it together.
  double held_out_loss() const;
  /// The same loss by the times that the objective draws, or asked of the denoiser. Nothing where rows have
  /// no time of their own.
  LossOverTime held_out_loss_over_time() const;

  /// The lowest held-out loss so far, where the options ask for it; and with `keep_best` a copy of the
  /// network with the averaged weights of that time, or null.
  const std::optional<BestHeldOut>& best() const { return best_; }
  std::unique_ptr<Network> best_network() const;
  const Incidents& incidents() const { return incidents_; }
  /// How often steps of the last `run` had to wait for rows that stay on disk, and how long.
  const Prefetch::Waits& waits() const { return waits_; }

  /// What the caller knows of the problem and this class does not, such as the objective's name. Its keys
  /// replace those of `problem`.
  void describe(Json more) { described_ = std::move(more); }
  /// What a resumed run must have in common with the one that it continues: process, prediction, network,
  /// kind of normalisation, seed, batch size, and the data by number of rows, shape and a hash of its
  /// content. Steps, minutes, learning rate, average, clipping and weight decay may change.
  Json problem() const;

  /// Weights, averages, optimiser moments, counters and the problem: all that a resumed run needs, and a
  /// manifest of it.
  void save_state(const std::filesystem::path& folder) const;
  /// Gives all ranks the state that rank 0 has. Input error, on all, that names each difference where one has
  /// another problem. `run` begins with it.
  void share_state();
  /// Checks every byte first. DamageError where the folder holds no state or a damaged
  /// one; input error where it is of another problem: names each difference. The trainer is then as it was.
  /// Returns false for a state of an earlier version, which knows its network, seed and batch size only.
  bool load_state(const std::filesystem::path& folder);
  /// Whether every byte of a saved state is as it was written, as far as that was recorded.
  static Verification verify_state(const std::filesystem::path& folder);

 private:
  struct Line;
  struct RestorePoint;
  TrainOutcome run_steps(const TrainHooks& hooks);
  std::string progress() const;
  bool out_of_patience() const;
  bool watches_held_out() const { return options_.keep_best || options_.patience > 0; }
  void note_loss(Line& line, double loss);
  void tell(const TrainHooks& hooks, Line& line, double rate);
  bool settle(const TrainHooks& hooks, bool moved, bool completed);
  Batch held_out_batch(int64_t part) const;
  int64_t held_out_parts() const;
  double measure_held_out();
  void remember();
  void rewind(const std::string& reason);
  void leave_out(const std::string& reason);
  Batch gather(const Dataset& data, const Tensor& rows, DrawPosition position) const;
  Batch batch_of(int64_t step) const;
  Batch next_batch();
  std::unique_ptr<Prefetch> prefetch() const;
  Tensor mean_loss(const Batch& batch) const;
  void check_shared_problem() const;
  Votes votes(const TrainHooks& hooks, const Line& line) const;
  std::optional<double> train_step(double learning_rate, const TrainHooks& hooks, const Line& line);
  std::optional<double> train_step_or_abandon(double learning_rate, const TrainHooks& hooks,
                                              const Line& line);
  bool abandoned(const TrainHooks& hooks) const;
  double learning_rate(double fraction) const;
  double fraction_done(double seconds) const;
  bool weights_are_finite() const;
  double next_loss();
  /// The file of each set of numbers, flat.
  std::vector<std::pair<std::string, Tensor>> kept_tensors() const;
  bool check_same_problem(const Json& state, const std::filesystem::path& folder) const;

  std::shared_ptr<Network> network_, average_;
  std::unique_ptr<FlatParameters> parameters_, averages_;
  Tensor first_moment_, second_moment_;
  std::unique_ptr<Denoiser> denoiser_, averaged_;
  DenoiserSpec spec_;
  std::shared_ptr<const Objective> objective_;
  Split data_;
  Normalisation normalisation_;
  std::shared_ptr<const TableMap> table_;  ///< where the rows are cells of a table: in place of it
  ConditionMap condition_;                 ///< where rows have conditions
  TrainOptions options_;
  Rng rng_;
  int64_t step_ = 0, loaded_step_ = -1, saved_step_ = -1;
  double seconds_ = 0;
  double gradient_norm_ = 0;
  Incidents incidents_;
  LossWatch watch_;
  UntoldSteps untold_;
  std::optional<BestHeldOut> best_;
  Tensor best_weights_;  ///< flat, with keep_best
  std::shared_ptr<const RestorePoint> restore_point_;
  StepExchange exchange_;
  Votes agreed_;
  std::shared_ptr<const StepRows> step_rows_;
  std::unique_ptr<Prefetch> prefetch_;  ///< while it runs, of rows that stay on disk
  Prefetch::Waits waits_;
  Json described_ = Json::object();
  mutable std::optional<Json> data_record_;
};

}  // namespace fokker
