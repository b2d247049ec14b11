#include <charconv>
#include <fstream>

#include "cli/command.h"
#include "cli/preview.h"
#include "cli/run_folder.h"
#include "cli/train_setup.h"
#include "fokker/core/error.h"
#include "fokker/core/files.h"
#include "fokker/core/progress.h"
#include "fokker/core/spec.h"

namespace fokker::cli {
namespace {

Json plan_json(const TrainingPlan& plan) {
  return {{"data", plan.data.training.source},
          {"rows", plan.data.training.size() + plan.data.held_out.size()},
          {"held_out_rows", plan.data.held_out.size()},
          {"event_shape", plan.data.training.event_shape()},
          {"process", plan.process.schedule()->config()},
          {"predict", plan.prediction.name()},
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
  const std::string budget =
      plan.train.minutes > 0 ? fmt::format("{} minutes", plan.train.minutes) : fmt::format("{} steps", plan.train.steps);
  return fmt::format("{}: {} rows of shape {} ({} held out); {} parameters; {} of batch {}", plan.data.training.source,
                     plan.data.training.size() + plan.data.held_out.size(),
                     shape_string(plan.data.training.event_shape()), plan.data.held_out.size(),
                     plan.network->parameter_count(), budget, plan.train.batch);
}

/// Writes what training produces into the run folder.
class Recorder {
 public:
  Recorder(RunFolder folder, const TrainingPlan& plan, const CommonOptions& common)
      : folder_(std::move(folder)), plan_(plan), common_(common) {}

  void checkpoint(const Trainer& trainer) {
    folder_.save_checkpoint(trainer, plan_.train.checkpoints_kept);
    Model model = plan_.model(trainer.averaged_network());
    model.training = plan_json(plan_);
    model.training["steps_done"] = trainer.step();
    model.training["seconds"] = trainer.seconds();
    model.training["seed"] = common_.seed;
    save_model(folder_.path(), model);
    write_preview(folder_.path() / "previews" / fmt::format("step-{:08}.png", trainer.step()), model,
                  plan_.data.training, common_.seed);
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
  RunFolder folder_;
  const TrainingPlan& plan_;
  const CommonOptions& common_;
  TrainMetrics last_;
  std::optional<double> held_out_;
};

TrainOutcome run_trainer(Trainer& trainer, Recorder& recorder, const TrainingPlan& plan) {
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

int run_train(const TrainSettings& settings, const CLI::App& command) {
  const RunFolder folder(settings.out);
  folder.check_usable(settings.resume, settings.overwrite, settings.dry_run);
  TrainingPlan plan = make_plan(settings);
  message(plan_text(plan));
  if (settings.dry_run) {
    print_result(settings.common, plan_json(plan), plan_json(plan).dump(2) + "\n");
    return 0;
  }
  Trainer trainer(plan.network->clone(), plan.process, plan.prediction, plan.denoiser_options, plan.objective, plan.data,
                  plan.normalisation, plan.train, Rng(settings.common.seed));
  folder.create(settings.overwrite);
  if (settings.resume) folder.load_newest_checkpoint(trainer);
  save_configuration(command, folder.path() / "config.toml");
  catch_signals();
  Recorder recorder(folder, plan, settings.common);
  const TrainOutcome outcome = run_trainer(trainer, recorder, plan);
  if (outcome == TrainOutcome::stopped) {
    message(fmt::format("stopped at step {}; a checkpoint is in {}; continue with --resume", trainer.step(),
                        (folder.path() / "checkpoints").string()));
    return 128 + caught_signal();
  }
  Json result = {{"run", settings.out}, {"steps", trainer.step()}, {"seconds", trainer.seconds()},
                 {"loss", recorder.loss()}};
  const bool measured = plan.data.held_out.size() > 0;
  if (measured) result["held_out_loss"] = trainer.held_out_loss();
  if (settings.common.json) print_result(settings.common, result, "");
  message(fmt::format("trained {} steps in {:.0f} s; the model is in {}", trainer.step(), trainer.seconds(),
                      settings.out));
  return 0;
}

}  // namespace

void add_train(CLI::App& app) {
  auto s = std::make_shared<TrainSettings>();
  CLI::App* c = add_command(app, "train", "Train a model on your own data",
                            "fokker train --data points.csv --out run\n  "
                            "fokker train --data train-images-idx3-ubyte.gz --out run --minutes 5",
                            std::shared_ptr<CommonOptions>(s, &s->common),
                            [s, &app] { return run_train(*s, *app.get_subcommand("train")); });
  c->add_option("--data", s->data, "Table, array or images: .csv, .npy, .npz, .idx(.gz), .bin, or a folder of images")
      ->required();
  c->add_option("--columns", s->columns, "Columns of a table to use (default: all)")->delimiter(',');
  c->add_option("--label-column", s->label_column, "Column that holds class labels");
  c->add_option("--labels", s->labels, "File of class labels, one per row");
  c->add_option("--out", s->out, "Run folder to write")->required();
  c->add_option("--process", s->process, "Noising process, one of: " + join(schedule_names()));
  c->add_option("--predict", s->predict, "What the network predicts, one of: " + join(Prediction::names()));
  c->add_option("--objective", s->objective, "Training objective, one of: denoising");
  c->add_option("--weighting", s->weighting, "Weight of each time, one of: " + join(Weighting::names()));
  c->add_option("--times", s->times, "Law of training times: uniform or log-normal");
  c->add_option("--network", s->network, "mlp or unet (default: by the data)");
  c->add_option("--width", s->width, "Width of the MLP");
  c->add_option("--depth", s->depth, "Depth of the MLP");
  c->add_option("--activation", s->activation, "Activation of the MLP: silu, elu, relu, gelu, tanh or softplus");
  c->add_flag("--plain", s->plain, "A plain MLP without residual blocks");
  c->add_option("--channels", s->channels, "Channels of the U-Net's first level; 0 chooses");
  c->add_option("--embedding", s->embedding, "Time embedding of the MLP: fourier, sinusoidal or raw");
  c->add_option("--normalise", s->normalise, "Scaling of a table: whiten, standardise or identity");
  c->add_option("--steps", s->steps, "Number of training steps; 0 chooses");
  c->add_option("--minutes", s->minutes, "Train for this long instead");
  c->add_option("--batch", s->batch, "Rows per step; 0 chooses");
  c->add_option("--learning-rate", s->learning_rate, "Peak learning rate; 0 chooses");
  c->add_option("--ema", s->ema, "Decay of the moving average of the weights");
  c->add_option("--gradient-clip", s->gradient_clip, "Largest norm of the gradient; 0 is off");
  c->add_option("--weight-decay", s->weight_decay, "Weight decay of AdamW");
  c->add_option("--held-out", s->held_out, "Fraction of rows kept for the held-out loss");
  c->add_option("--checkpoint-every", s->checkpoint_every, "Steps between checkpoints; 0 chooses");
  c->add_flag("--resume", s->resume, "Continue the run in --out from its newest checkpoint")->configurable(false);
  c->add_flag("--overwrite", s->overwrite, "Replace a run that is in --out already")->configurable(false);
  c->add_flag("--dry-run", s->dry_run, "Show what would be done, and write nothing")->configurable(false);
}

}  // namespace fokker::cli
