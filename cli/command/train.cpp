#include "cli/option/command.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/run/plan_output.h"
#include "cli/run/preview.h"
#include "cli/run/rehearsal.h"
#include "cli/run/run_report.h"
#include "cli/run/train_setup.h"
#include "cli/signals.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/stop.h"
#include "fokker/core/text/text.h"
#include "fokker/objective/registry.h"
#include "fokker/objective/weighting.h"
#include "fokker/table/describe.h"
#include "fokker/train/run_events.h"
#include "fokker/train/train_into.h"

namespace fokker::cli {
namespace {

/// The report of a run that has just ended. That it cannot be written is no failure of the training.
std::optional<std::string> report_of(const TrainSettings& settings, const TrainingPlan& plan) {
  if (settings.no_report) return {};
  try {
    return write_report({.run = settings.out, .common = settings.common, .data = plan.data}).file;
  } catch (const std::exception& error) {
    warn(fmt::format("the model is complete but its report was not written: {}", error.what()));
    check_stop();
    return {};
  }
}

/// Progress with the losses known so far.
class TrainingProgress {
 public:
  explicit TrainingProgress(const TrainingPlan& plan)
      : progress_("training", plan.options.minutes > 0 ? 0 : plan.options.steps) {}
  TrainHooks hooks() {
    TrainHooks hooks;
    hooks.on_step = [this](int64_t step, double fraction, double loss) {
      progress_.update_fraction(fraction, step, status(loss));
    };
    hooks.on_metrics = [this](const TrainMetrics& metrics) {
      loss_ = metrics.loss;
      if (metrics.held_out_loss) held_out_ = metrics.held_out_loss;
    };
    hooks.should_stop = [] { return caught_signal() != 0; };
    hooks.abandon = &impatient_request();
    return hooks;
  }

 private:
  std::string status(double loss) const {
    return held_out_ ? fmt::format("loss {:.4f}, held out {:.4f}", *loss_, *held_out_)
                     : fmt::format("loss {:.4f}", loss_.value_or(loss));
  }

  Progress progress_;
  std::optional<double> loss_, held_out_;
};

/// A signal that comes before it is done leaves it out: then there is no file.
std::optional<std::filesystem::path> preview(int64_t step, const Model& model, const TrainingPlan& plan,
                                             const TrainSettings& settings) {
  const StopScope scope(&signal_request());
  const auto folder = std::filesystem::path(settings.out) / "previews";
  auto file = folder / fmt::format("step-{:08}.png", step);
  try {
    write_preview(file, model, plan.data.training, settings.common.seed);
    return file;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::stopped) throw;
    return {};
  }
}

/// The caller's hooks, and what TensorBoard is told.
TrainHooks with_events(TrainHooks hooks, std::optional<RunEvents>& events) {
  hooks.on_metrics = [&events, told = hooks.on_metrics](const TrainMetrics& metrics) {
    told(metrics);
    if (events) events->add(metrics);
  };
  hooks.on_rewind = [&events](int64_t step) {
    if (events) events->go_back(step);
  };
  return hooks;
}

/// From its first step to the last checkpoint nothing is cut short: a signal ends the training after a step.
TrainedRun run_plan(const RunFolder& folder, const TrainingPlan& plan, const TrainSettings& settings,
                    const Command& command) {
  std::optional<OrderlyEnd> end;
  std::optional<RunEvents> events;
  TrainingProgress progress(plan);
  RunOptions options{.resume = settings.resume, .overwrite = settings.overwrite};
  if (!plan.options.ranks.root()) end.emplace();
  options.on_begin = [&](const Trainer& trainer, const std::filesystem::path& place) {
    command.save_configuration(place / "config.toml");
    if (const auto& schema = plan.data.training.schema) save_schema(place / "schema.json", *schema);
    if (settings.tensorboard) events.emplace(place / "tensorboard", trainer);
    end.emplace();
  };
  options.on_saved = [&](int64_t step, const Model& model) {
    const auto file = preview(step, model, plan, settings);
    if (file && events) events->add_picture(step, "samples", *file);
  };
  options.on_warning = warn;
  return train_into(folder, plan, with_events(progress.hooks(), events), options);
}

/// Refuses a folder before the data is read.
void check_folder(const RunFolder& folder, const TrainSettings& s) {
  check(s.resume || s.overwrite || s.dry_run || !folder.holds_run(),
        "{}: holds a run already; use --resume to continue it or --overwrite to replace it",
        folder.path().string());
  folder.check_usable(s.resume, s.overwrite || (s.dry_run && !s.resume));
}

Json result_json(const TrainedRun& run, const TrainSettings& settings) {
  Json result = {{"run", settings.out}, {"steps", run.steps}, {"seconds", run.seconds}, {"loss", run.loss}};
  if (run.held_out_loss) result["held_out_loss"] = *run.held_out_loss;
  if (run.outcome == TrainOutcome::early) result["ended"] = "patience";
  if (run.best) result["best"] = {{"held_out_loss", run.best->loss}, {"step", run.best->step}};
  if (run.incidents.any()) result["incidents"] = run.incidents.to_json();
  if (run.waits.asked > 0)
    result["waits"] = {
        {"batches", run.waits.asked}, {"waited", run.waits.waited}, {"seconds", run.waits.seconds}};
  return result;
}

/// What the best held-out loss and the patience came to.
void say_best(const TrainedRun& run, const TrainSettings& settings) {
  if (!run.best) return;
  if (run.outcome == TrainOutcome::early)
    message(fmt::format("ended early: {} held-out losses were not below that of step {}", settings.patience,
                        run.best->step));
  const std::string where =
      settings.keep_best ? fmt::format("; its weights are the model {}/best", settings.out) : "";
  message(fmt::format("the lowest held-out loss was {:.6g}, after step {}{}", run.best->loss, run.best->step,
                      where));
}

/// Whether the steps were kept waiting for rows that stay on disk.
void say_waits(const TrainedRun& run) {
  if (run.waits.asked == 0) return;
  message(fmt::format("{} of {} batches were not there yet when a step asked for them: {:.1f} s of waiting",
                      run.waits.waited, run.waits.asked, run.waits.seconds));
}

int run_train(const TrainSettings& settings, const Command& command) {
  const RunFolder folder(settings.out);
  if (!settings.from.empty())
    command.refuse({"process", "predict", "network", "width", "depth", "activation", "plain", "embedding",
                    "time-scale", "normalise"},
                   "the run of --from brings its own");
  const Ranks ranks = join_ranks(settings.timeout);
  ranks.on_root([&] { check_folder(folder, settings); });
  const TrainingPlan plan = make_plan(settings, ranks);
  check_used(settings, plan, command);
  say_plan(plan, settings);
  ranks.on_root([&] { rehearse_pictures(plan, settings); });
  if (settings.dry_run) {
    if (ranks.root()) print_result(settings.common, plan_json(plan), json_text(plan_json(plan), 2) + "\n");
    return 0;
  }
  const TrainedRun run = run_plan(folder, plan, settings, command);
  if (run.outcome == TrainOutcome::stopped) {
    message(fmt::format("stopped at step {}; a checkpoint is in {}; continue with --resume", run.steps,
                        (folder.path() / "checkpoints").string()));
    return stopped_code();
  }
  if (!ranks.root()) return 0;
  Json result = result_json(run, settings);
  if (const auto report = report_of(settings, plan)) result["report"] = *report;
  if (settings.common.json) print_result(settings.common, result, "");
  say_best(run, settings);
  say_waits(run);
  message(
      fmt::format("trained {} steps in {:.0f} s; the model is in {}", run.steps, run.seconds, settings.out));
  return 0;
}

void describe_rows(Command& c, TrainSettings& o) {
  c.heading("Data");
  c.option("--data", o.data,
           "Table, array or images: .csv, .npy, .npz, .idx(.gz), .bin, or a folder of images (PNG, JPEG, "
           "WebP, GIF, TIFF, BMP); "
           "target:TARGET draws --rows from a known law",
           Command::Need::required);
  c.option("--rows", o.rows, "Rows drawn where the data is target:TARGET");
  describe_data(c, o.reading,
                "1 to 4: what images are converted to (1 grey, 3 colour, 2 and 4 with alpha); more: channels "
                "of the U-Net's first level; 0 keeps the images and chooses the U-Net");
  c.option("--label-column", o.label_column, "Column that holds class labels");
  c.option(
      "--labels", o.labels,
      "File of class labels, one per row; or an array of floats (n, k): what each row is conditioned on");
  c.option(
      "--condition", o.condition,
      "Columns that the others are learned given: p(others | these), as simulation-based inference wants");
  describe_kinds(c, o);
  c.heading("Output");
  c.option("--out", o.out, "Run folder to write", Command::Need::required);
}

void describe_problem(Command& c, TrainSettings& o) {
  c.heading("Process and objective");
  c.option("--process", o.process, "Noising process, one of: " + join(schedule_names()));
  c.option("--predict", o.predict, "What the network predicts, one of: " + join(denoiser_names()));
  c.option("--objective", o.objective, "Training objective, one of: " + join(objective_names()));
  c.option("--weighting", o.weighting, "Weight of each time, one of: " + join(Weighting::names()));
  c.option("--times", o.times, "Law of training times: uniform or log-normal");
  c.heading("Network");
  c.option(
      "--from", o.from,
      "Run to go on from, trained here or imported: its weights, process, prediction, scaling and labels");
  c.option("--network", o.network, "mlp or unet (default: by the data)");
  c.option("--width", o.mlp.width, "Width of the MLP");
  c.option("--depth", o.mlp.depth, "Depth of the MLP");
  c.option("--activation", o.mlp.activation,
           "Activation of the MLP: silu, elu, relu, gelu, tanh or softplus");
  c.flag("--plain", o.plain, "A plain MLP without residual blocks");
  c.option("--embedding", o.mlp.embedding, "Time embedding of the MLP: fourier, sinusoidal or raw");
  c.option("--time-scale", o.mlp.time_scale,
           "Factor on t in the sinusoidal embedding: larger resolves finer times");
  c.heading("Data");
  c.option("--normalise", o.normalise, "Scaling of a table: whiten, standardise or identity");
  c.option(
      "--stream", o.stream,
      "Whether rows of an NPY or CSV file, or of a folder of images, stay on disk and are read as they are "
      "needed: yes, no or auto (where they would take more than half of the memory available)");
  c.option(
      "--cache", o.cache,
      "Folder for the rows of a CSV file as numbers, where they stay on disk (default: beside the file)");
  c.option("--workers", o.workers,
           "Threads that read and decode rows on disk ahead of the steps; 0 chooses: 1, of images up to 4");
}

void describe_training(Command& c, TrainSettings& o) {
  c.heading("Training");
  c.option("--steps", o.steps, "Number of training steps; 0 chooses");
  c.option("--minutes", o.minutes, "Train for this long instead");
  c.alternatives("--steps", "--minutes");
  c.option("--batch", o.batch, "Rows per step; 0 chooses");
  c.option("--learning-rate", o.learning_rate, "Peak learning rate; 0 chooses");
  c.option("--ema", o.ema, "Decay of the moving average of the weights");
  c.option("--gradient-clip", o.gradient_clip, "Largest norm of the gradient; 0 is off");
  c.option("--weight-decay", o.weight_decay,
           "Weight decay of AdamW (-1: 0.3 of tables with conditions of plain numbers, else 0)");
  c.option("--held-out", o.held_out, "Fraction of rows kept for the held-out loss");
  c.option("--held-out-every", o.held_out_every, "Steps between held-out losses; 0 chooses");
  c.option("--patience", o.patience,
           "End after this many held-out losses that were not below the lowest; 0 never does");
  c.option("--on-divergence", o.on_divergence,
           "At a loss or gradient that is not finite: stop, skip the batch, or rewind to the last checkpoint "
           "and go on at half the learning rate");
  c.option("--divergence-limit", o.divergence_limit,
           "Batches skipped, or times rewound, before training ends after all; 0: 100 and 5");
  describe_ranks(c, o.timeout);
  c.heading("Output");
  c.option("--checkpoint-every", o.checkpoint_every, "Steps between checkpoints; 0 chooses");
  c.flag("--keep-best", o.keep_best,
         "Keep the weights of the lowest held-out loss too, as a model of its own in RUN/best");
  c.flag(
      "--tensorboard", o.tensorboard,
      "Write losses, rate, gradient norm, the loss over t and previews to RUN/tensorboard, for TensorBoard");
  c.flag("--no-report", o.no_report, "Do not write report.html at the end");
  c.flag("--resume", o.resume, "Continue the run in --out from its newest checkpoint", Command::Saved::no);
  c.flag("--overwrite", o.overwrite,
         "Replace a run that is in --out already, at the first checkpoint of the new one",
         Command::Saved::no);
  c.flag("--dry-run", o.dry_run, "Show what would be done, and write nothing", Command::Saved::no);
}

}  // namespace

void add_train(CommandLine& line) {
  add_command<TrainSettings>(
      line,
      {"train", "Train a model on your own data",
       "fokker train --data points.csv --out run\n  "
       "fokker train --data pairs.csv --condition x0,x1 --out posterior\n  "
       "fokker train --data faces --from imported --out run --learning-rate 1e-5\n  "
       "fokker train --data train-images-idx3-ubyte.gz --out run --minutes 5"},
      [](Command& c, TrainSettings& o) {
        describe_rows(c, o);
        describe_problem(c, o);
        describe_training(c, o);
      },
      run_train);
}

}  // namespace fokker::cli
