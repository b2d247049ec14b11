#include "fokker/train/train_into.h"

#include <unistd.h>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/leftovers.h"
#include "fokker/core/file/replacement.h"
#include "fokker/core/file/shown.h"
#include "fokker/core/messages.h"
#include "fokker/core/stop.h"
#include "fokker/train/run_status.h"
#include "fokker/train/thread_count.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// Four sets of parameters in each checkpoint, one in the model; another of each while it is replaced. The
/// best is another set in each.
uint64_t bytes_needed(const TrainingPlan& plan) {
  const auto set = static_cast<uint64_t>(plan.network->parameter_count()) * 4;
  const auto sets = static_cast<uint64_t>(4 * (plan.options.checkpoints_kept + 1) + 2);
  return set * (plan.options.keep_best ? sets * 5 / 4 + 2 : sets) + (uint64_t{16} << 20);
}

void save_on_trial(const fs::path& run, const fs::path& trial, const TrainingPlan& plan) {
  const auto space = fs::space(trial);
  if (space.available < bytes_needed(plan))
    fail(ErrorKind::resource, "{}: training takes up to {} MB there but {} MB are free", run.string(),
         bytes_needed(plan) >> 20, space.available >> 20);
  save_model(trial, plan.model(*plan.network));
}

/// Where a run is written: in its folder, or out of sight inside until it can replace the run that is there.
class Place {
 public:
  Place(const RunFolder& folder, bool overwrite) : folder_(folder) {
    folder_.create();
    if (!overwrite || !folder_.holds_run()) return;
    unfinished_.emplace(temporary_beside(folder_.path() / "run"));
    staged_.emplace(unfinished_->path());
    staged_->create();
  }
  const RunFolder& now() const { return staged_ ? *staged_ : folder_; }
  /// What is written is a run of its own.
  void settle() {
    if (!staged_) return;
    replace_entries(folder_.path(), *unfinished_, RunFolder::parts());
    staged_.reset();
  }

 private:
  const RunFolder& folder_;
  std::optional<Unfinished> unfinished_;
  std::optional<RunFolder> staged_;
};

/// The caller's hooks, with what a run folder keeps.
class Keeper {
 public:
  Keeper(Place& place, const TrainingPlan& plan, const TrainHooks& hooks, const RunOptions& options)
      : place_(place), plan_(plan), hooks_(hooks), options_(options) {
    for (const TrainMetrics& earlier : place_.now().metrics()) loss_ = earlier.loss;
  }

  TrainHooks hooks() {
    TrainHooks all = hooks_;
    all.on_metrics = [this](const TrainMetrics& metrics) {
      place_.now().append_metrics(metrics);
      loss_ = metrics.loss;
      if (hooks_.on_metrics) hooks_.on_metrics(metrics);
    };
    all.on_rewind = [this](int64_t step) {
      place_.now().drop_metrics_after(step);
      if (hooks_.on_rewind) hooks_.on_rewind(step);
    };
    all.on_checkpoint = [this](const Trainer& trainer) {
      place_.now().save_checkpoint(trainer, plan_.options.checkpoints_kept);
      if (const auto best = plan_.best_model(trainer)) save_model(place_.now().best(), *best);
      saved_ = plan_.model(trainer);
      save_model(place_.now().path(), *saved_);
      place_.settle();
      if (options_.on_saved) options_.on_saved(trainer.step(), *saved_);
      if (hooks_.on_checkpoint) hooks_.on_checkpoint(trainer);
    };
    return all;
  }
  Model take_model() { return std::move(*saved_); }
  double loss() const { return loss_; }

 private:
  Place& place_;
  const TrainingPlan& plan_;
  const TrainHooks& hooks_;
  const RunOptions& options_;
  std::optional<Model> saved_;
  double loss_ = 0;
};

/// Says in the run folder how the run goes, for whoever watches it.
class StatusKeeper {
 public:
  StatusKeeper(const Place& place, const TrainOptions& options)
      : place_(place), status_(begin_status(options.steps, options.minutes)) {
    write_status(place_.now().path(), status_);
  }
  ~StatusKeeper() {
    if (status_.state == "running") end("failed");
  }
  StatusKeeper(const StatusKeeper&) = delete;
  StatusKeeper& operator=(const StatusKeeper&) = delete;
  /// That it cannot be written is no failure of the training.
  void end(const char* state) {
    status_.state = state;
    const StopScope to_the_end(nullptr);
    try {
      write_status(place_.now().path(), status_);
    } catch (const Error& error) {
      warn(error.what());
    }
  }

 private:
  const Place& place_;
  RunStatus status_;
};

const char* state_after(TrainOutcome outcome) {
  if (outcome == TrainOutcome::stopped) return "stopped";
  return outcome == TrainOutcome::early ? "early" : "completed";
}

/// Runs the training, whatever comes of it.
TrainOutcome run_watched(Trainer& trainer, Keeper& keeper, StatusKeeper& status) {
  try {
    const TrainOutcome outcome = trainer.run(keeper.hooks());
    status.end(state_after(outcome));
    return outcome;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::diverged) status.end("diverged");
    if (error.kind() == ErrorKind::stopped) status.end("stopped");
    throw;
  }
}

/// Does the work of a rank; where another is lost, says where the run can be continued.
template <typename Work>
TrainedRun among_ranks(const Trainer& trainer, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::peer_lost) throw;
    const int64_t step = trainer.saved_step();
    fail(ErrorKind::peer_lost, "{}; {}", error.what(),
         step < 0 ? "no checkpoint had been finished"
                  : fmt::format("the last checkpoint is that of step {}: continue with --resume", step));
  }
}

TrainedRun result_of(const Trainer& trainer, Model model, TrainOutcome outcome, int64_t first_step,
                     bool held_out) {
  TrainedRun run{.model = std::move(model),
                 .outcome = outcome,
                 .first_step = first_step,
                 .steps = trainer.step(),
                 .seconds = trainer.seconds(),
                 .best = trainer.best(),
                 .incidents = trainer.incidents(),
                 .waits = trainer.waits()};
  if (outcome != TrainOutcome::stopped && held_out) run.held_out_loss = trainer.held_out_loss();
  return run;
}

/// A rank beside the first: it trains, and writes nothing.
TrainedRun train_beside(Trainer& trainer, const TrainingPlan& plan, const TrainHooks& hooks) {
  plan.options.ranks.on_root([] {});
  trainer.share_state();
  const int64_t first_step = trainer.step();
  const TrainOutcome outcome = trainer.run(hooks);
  return result_of(trainer, plan.model(trainer), outcome, first_step, plan.data.held_out.size() > 0);
}

void say(const RunOptions& options, const std::string& warning) {
  if (options.on_warning) options.on_warning(warning);
}

/// Refuses what cannot be written or continued, and makes the place of the run.
void begin_run(std::optional<Place>& place, Trainer& trainer, const RunFolder& folder,
               const TrainingPlan& plan, const RunOptions& options) {
  folder.check_usable(options.resume, options.overwrite);
  rehearse_saving(folder, plan);
  place.emplace(folder, options.overwrite);
  if (options.resume && !folder.load_newest_checkpoint(trainer))
    say(options, fmt::format("{}: its checkpoint was written by an earlier version and does not say of which "
                             "process, prediction, objective and data it is; that they are still the same is "
                             "not checked",
                             folder.path().string()));
}

/// The first rank, or the only one.
TrainedRun train_and_write(Trainer& trainer, const RunFolder& folder, const TrainingPlan& plan,
                           const TrainHooks& hooks, const RunOptions& options) {
  std::optional<Place> made;
  plan.options.ranks.on_root([&] { begin_run(made, trainer, folder, plan, options); });
  Place& place = *made;
  trainer.share_state();
  const int64_t first_step = trainer.step();
  if (options.on_begin) options.on_begin(trainer, place.now().path());
  Keeper keeper(place, plan, hooks, options);
  StatusKeeper status(place, plan.options);
  const TrainOutcome outcome = run_watched(trainer, keeper, status);
  if (outcome != TrainOutcome::stopped && trainer.step() == first_step)
    say(options,
        fmt::format("nothing was left to train: the run has {} steps and {:.1f} minutes; give more {}",
                    trainer.step(), trainer.seconds() / 60,
                    outcome == TrainOutcome::early ? "patience" : "steps or minutes"));
  TrainedRun run =
      result_of(trainer, keeper.take_model(), outcome, first_step, plan.data.held_out.size() > 0);
  run.loss = keeper.loss();
  return run;
}

}  // namespace

void rehearse_saving(const RunFolder& folder, const TrainingPlan& plan) {
  const fs::path& run = folder.path();
  const fs::path trial = run / fmt::format(".trial-{}", ::getpid());
  std::error_code error;
  const bool existed = fs::exists(run, error);
  fs::create_directories(trial, error);
  if (error) fail(ErrorKind::resource, "{}: cannot create the folder: {}", run.string(), error.message());
  const auto clean = [&] {
    fs::remove_all(trial, error);
    if (!existed) fs::remove(run, error);
  };
  try {
    with_errors_of(run, trial, [&] { save_on_trial(run, trial, plan); });
  } catch (const Json::exception&) {
    clean();
    fail(ErrorKind::input,
         "{}: a name or path in it is not UTF-8, and could not be saved with the model; rename it",
         plan.data.training.source);
  } catch (...) {
    clean();
    throw;
  }
  clean();
}

TrainedRun train_into(const RunFolder& folder, const TrainingPlan& plan, const TrainHooks& hooks,
                      const RunOptions& options) try {
  Trainer trainer = plan.trainer();
  return among_ranks(trainer, [&] {
    return plan.options.ranks.root() ? train_and_write(trainer, folder, plan, hooks, options)
                                     : train_beside(trainer, plan, hooks);
  });
} catch (...) {
  detail::throw_as_error();
}

TrainedRun train_into(const RunFolder& folder, const Dataset& data, const Recipe& recipe, const Rng& rng,
                      const RunOptions& options) try {
  const detail::ThreadCount threads(recipe.threads);
  recipe.options.ranks.on_root([&] { folder.check_usable(options.resume, options.overwrite); });
  const TrainingPlan plan = resolve(data, recipe, rng);
  for (const std::string& warning : plan.warnings) say(options, warning);
  if (!plan.prior.fits()) say(options, "prior: samples start from noise alone, but " + plan.prior.text());
  return train_into(folder, plan, recipe.hooks, options);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
