#include <charconv>
#include <fstream>

#include "cli/option/command.h"
#include "cli/progress.h"
#include "cli/run/preview.h"
#include "cli/run/prior.h"
#include "cli/run/rehearsal.h"
#include "cli/run/run_folder.h"
#include "cli/run/run_report.h"
#include "cli/run/train_setup.h"
#include "cli/signals.h"
#include "fokker/core/error.h"
#include "fokker/core/file/files.h"
#include "fokker/core/machine.h"
#include "fokker/core/messages.h"
#include "fokker/core/stop.h"
#include "fokker/core/text/spec.h"
#include "fokker/data/labels.h"
#include "fokker/objective/registry.h"

namespace fokker::cli {
namespace {

Json plan_json(const TrainingPlan& plan) {
  return {{"data", plan.data.training.source},
          {"rows", plan.rows},
          {"held_out_rows", plan.data.held_out.size()},
          {"event_shape", plan.data.training.event_shape()},
          {"labels", plan.label_names.size()},
          {"process", plan.process.schedule()->config()},
          {"prior", prior_json(plan.process, plan.spread, prior_fit(plan.process, plan.spread))},
          {"data_spread", plan.spread},
          {"predict", plan.prediction_name()},
          {"objective", plan.objective_name},
          {"weighting", plan.weighting_name},
          {"network", plan.network->config()},
          {"parameters", plan.network->parameter_count()},
          {"steps", plan.train.steps},
          {"minutes", plan.train.minutes},
          {"batch", plan.train.batch},
          {"learning_rate", plan.train.learning_rate},
          {"ema", plan.train.ema_decay}};
}

std::string plan_text(const TrainingPlan& plan) {
  const std::string budget = plan.train.minutes > 0 ? fmt::format("{} minutes", plan.train.minutes)
                                                    : fmt::format("{} steps", plan.train.steps);
  const std::string labels =
      plan.label_names.empty() ? "" : fmt::format(" labels {};", list_labels(plan.label_names));
  const bool mirrored = plan.data.training.size() + plan.data.held_out.size() > plan.rows;
  return fmt::format("{}: {} rows of shape {}{} ({} held out);{} {} parameters; {} of batch {}",
                     plan.data.training.source, plan.rows, shape_string(plan.data.training.event_shape()),
                     mirrored ? " and their mirror images" : "", plan.data.held_out.size(), labels,
                     plan.network->parameter_count(), budget, plan.train.batch);
}

/// What belongs to the problem and the trainer does not know (Trainer::describe).
Json problem_of(const TrainSettings& settings, const TrainingPlan& plan) {
  const auto law = default_times(plan.process);
  const char* usual = law == TimeSampling::Law::uniform ? "uniform" : "log-normal";
  Json problem = {{"objective", plan.objective_name},
                  {"weighting", plan.weighting_name},
                  {"times", settings.times == "auto" ? usual : settings.times},
                  {"columns", plan.columns},
                  {"labels", plan.label_names}};
  // Rows drawn from a law differ in their last bits from machine to machine.
  if (settings.data.starts_with("target:"))
    problem["data"] = {{"drawn_from", settings.data},
                       {"rows", plan.data.training.size()},
                       {"held_out_rows", plan.data.held_out.size()}};
  return problem;
}

/// What is saved with the model of a training.
Json training_record(const TrainingPlan& plan, const TrainSettings& settings) {
  Json record = plan_json(plan);
  record["seed"] = settings.common.seed;
  record["data_options"] = data_options(settings);
  record["machine"] = machine();
  return record;
}

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

/// Writes what training produces into the run folder.
class Recorder {
 public:
  Recorder(RunFolder folder, const TrainingPlan& plan, const TrainSettings& settings)
      : folder_(std::move(folder)), plan_(plan), settings_(settings) {
    for (const TrainMetrics& earlier : folder_.metrics()) last_ = earlier;
  }

  void checkpoint(const Trainer& trainer) {
    folder_.save_checkpoint(trainer, plan_.train.checkpoints_kept);
    Model model = plan_.model(trainer.averaged_network());
    model.training = training_record(plan_, settings_);
    model.training["steps_done"] = trainer.step();
    model.training["seconds"] = trainer.seconds();
    save_model(folder_.path(), model);
    preview(trainer.step(), model);
  }

  void metrics(const TrainMetrics& metrics) {
    folder_.append_metrics(metrics);
    last_ = metrics;
    if (metrics.held_out_loss) held_out_ = *metrics.held_out_loss;
  }

  std::string status(double loss) const {
    return held_out_ ? fmt::format("loss {:.4f}, held out {:.4f}", last_.loss, *held_out_)
                     : fmt::format("loss {:.4f}", last_.step ? last_.loss : loss);
  }

  std::optional<double> held_out() const { return held_out_; }
  double loss() const { return last_.loss; }

 private:
  /// A signal that comes before it is done leaves it out.
  void preview(int64_t step, const Model& model) const {
    const StopScope scope(&signal_request());
    try {
      write_preview(folder_.path() / "previews" / fmt::format("step-{:08}.png", step), model,
                    plan_.data.training, settings_.common.seed);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::stopped) throw;
    }
  }

  RunFolder folder_;
  const TrainingPlan& plan_;
  const TrainSettings& settings_;
  TrainMetrics last_;
  std::optional<double> held_out_;
};

/// From here to the last checkpoint nothing is cut short: a signal ends the training after a step.
TrainOutcome run_trainer(Trainer& trainer, Recorder& recorder, const TrainingPlan& plan) {
  const OrderlyEnd end;
  Progress progress("training", plan.train.minutes > 0 ? 0 : plan.train.steps);
  TrainHooks hooks;
  hooks.on_step = [&](int64_t step, double fraction, double loss) {
    progress.update_fraction(fraction, step, recorder.status(loss));
  };
  hooks.on_metrics = [&](const TrainMetrics& metrics) { recorder.metrics(metrics); };
  hooks.on_checkpoint = [&](const Trainer& t) { recorder.checkpoint(t); };
  hooks.should_stop = [] { return caught_signal() != 0; };
  return trainer.run(hooks);
}

int run_train(const TrainSettings& settings, const Command& command) {
  const RunFolder folder(settings.out);
  folder.check_usable(settings.resume, settings.overwrite, settings.dry_run);
  TrainingPlan plan = make_plan(settings);
  check_options(plan.train);
  check_savable(plan.model(*plan.network));
  message(plan_text(plan));
  check_used(settings, plan, command);
  warn_of_prior(plan.process, plan.spread, prior_fit(plan.process, plan.spread), "samples of this model");
  rehearse_sampling(plan, settings);
  if (settings.dry_run) {
    print_result(settings.common, plan_json(plan), json_text(plan_json(plan), 2) + "\n");
    return 0;
  }
  Trainer trainer(plan.network->clone(), plan.process, plan.prediction, plan.denoiser_options, plan.objective,
                  plan.data, plan.normalisation, plan.train, Rng(settings.common.seed));
  trainer.describe(problem_of(settings, plan));
  rehearse_saving(plan, settings, training_record(plan, settings));
  folder.create(settings.overwrite);
  if (settings.resume) folder.load_newest_checkpoint(trainer);
  const int64_t first_step = trainer.step();
  command.save_configuration(folder.path() / "config.toml");
  Recorder recorder(folder, plan, settings);
  const TrainOutcome outcome = run_trainer(trainer, recorder, plan);
  if (outcome == TrainOutcome::stopped) {
    message(fmt::format("stopped at step {}; a checkpoint is in {}; continue with --resume", trainer.step(),
                        (folder.path() / "checkpoints").string()));
    return 128 + caught_signal();
  }
  if (trainer.step() == first_step)
    warn(fmt::format(
        "nothing was left to train: the run has {} steps and {:.1f} minutes; give more steps or minutes",
        trainer.step(), trainer.seconds() / 60));
  Json result = {{"run", settings.out},
                 {"steps", trainer.step()},
                 {"seconds", trainer.seconds()},
                 {"loss", recorder.loss()}};
  const bool measured = plan.data.held_out.size() > 0;
  if (measured) result["held_out_loss"] = trainer.held_out_loss();
  if (const auto report = report_of(settings, plan)) result["report"] = *report;
  if (settings.common.json) print_result(settings.common, result, "");
  message(fmt::format("trained {} steps in {:.0f} s; the model is in {}", trainer.step(), trainer.seconds(),
                      settings.out));
  return 0;
}

}  // namespace

void add_train(CommandLine& line) {
  add_command<TrainSettings>(
      line,
      {"train", "Train a model on your own data",
       "fokker train --data points.csv --out run\n  "
       "fokker train --data train-images-idx3-ubyte.gz --out run --minutes 5"},
      [](Command& c, TrainSettings& o) {
        c.option(
            "--data", o.data,
            "Table, array or images: .csv, .npy, .npz, .idx(.gz), .bin, or a folder of images (PNG, JPEG, "
            "WebP, GIF, TIFF, BMP); "
            "target:TARGET draws --rows from a known law",
            Command::Need::required);
        c.option("--rows", o.rows, "Rows drawn where the data is target:TARGET");
        describe_data(
            c, o.reading,
            "1 to 4: what images are converted to (1 grey, 3 colour, 2 and 4 with alpha); more: channels "
            "of the U-Net's first level; 0 keeps the images and chooses the U-Net");
        c.option("--label-column", o.label_column, "Column that holds class labels");
        c.option("--labels", o.labels, "File of class labels, one per row");
        c.option("--out", o.out, "Run folder to write", Command::Need::required);
        c.option("--process", o.process, "Noising process, one of: " + join(schedule_names()));
        c.option("--predict", o.predict, "What the network predicts, one of: " + join(prediction_names()));
        c.option("--objective", o.objective, "Training objective, one of: " + join(objective_names()));
        c.option("--weighting", o.weighting, "Weight of each time, one of: " + join(Weighting::names()));
        c.option("--times", o.times, "Law of training times: uniform or log-normal");
        c.option("--network", o.network, "mlp or unet (default: by the data)");
        c.option("--width", o.mlp.width, "Width of the MLP");
        c.option("--depth", o.mlp.depth, "Depth of the MLP");
        c.option("--activation", o.mlp.activation,
                 "Activation of the MLP: silu, elu, relu, gelu, tanh or softplus");
        c.flag("--plain", o.plain, "A plain MLP without residual blocks");
        c.option("--embedding", o.mlp.embedding, "Time embedding of the MLP: fourier, sinusoidal or raw");
        c.option("--time-scale", o.mlp.time_scale,
                 "Factor on t in the sinusoidal embedding: larger resolves finer times");
        c.option("--normalise", o.normalise, "Scaling of a table: whiten, standardise or identity");
        c.option("--steps", o.steps, "Number of training steps; 0 chooses");
        c.option("--minutes", o.minutes, "Train for this long instead");
        c.alternatives("--steps", "--minutes");
        c.option("--batch", o.batch, "Rows per step; 0 chooses");
        c.option("--learning-rate", o.learning_rate, "Peak learning rate; 0 chooses");
        c.option("--ema", o.ema, "Decay of the moving average of the weights");
        c.option("--gradient-clip", o.gradient_clip, "Largest norm of the gradient; 0 is off");
        c.option("--weight-decay", o.weight_decay, "Weight decay of AdamW");
        c.option("--held-out", o.held_out, "Fraction of rows kept for the held-out loss");
        c.option("--checkpoint-every", o.checkpoint_every, "Steps between checkpoints; 0 chooses");
        c.flag("--no-report", o.no_report, "Do not write report.html at the end");
        c.flag("--resume", o.resume, "Continue the run in --out from its newest checkpoint",
               Command::Saved::no);
        c.flag("--overwrite", o.overwrite, "Replace a run that is in --out already", Command::Saved::no);
        c.flag("--dry-run", o.dry_run, "Show what would be done, and write nothing", Command::Saved::no);
      },
      run_train);
}

}  // namespace fokker::cli
