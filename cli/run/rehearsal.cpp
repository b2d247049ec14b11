#include "cli/run/rehearsal.h"

#include <unistd.h>

#include "cli/run/preview.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/spec.h"
#include "fokker/report/report.h"

namespace fokker::cli {
namespace fs = std::filesystem;
namespace {

/// Objectives that draw no times, or by a law of their own.
bool draws_times(const std::string& objective) {
  const std::string name = objective.substr(0, objective.find(':'));
  return name == "denoising" || name == "implicit" || name == "sliced" || name == "explicit";
}

void say_what_few_rows_lack(const TrainingPlan& plan, const TrainSettings& s) {
  const int64_t rows = plan.rows;
  if (plan.data.held_out.size() == 0 && s.held_out > 0)
    message(fmt::format("no row is held out: {} of {} rows is less than half of one", s.held_out, rows));
  if (plan.data.training.size() < report::kFewestCompared && !s.no_report)
    message(fmt::format("the report will not compare samples with data: that takes {} rows of training data",
                        report::kFewestCompared));
}

void say_normalisation(const TrainingPlan& plan, const TrainSettings& s) {
  if (s.normalise != "whiten" || plan.normalisation.kind() == NormalisationKind::whiten) return;
  warn(fmt::format(
      "normalise: {} rows of {} columns cannot be whitened (expected more than twice as many rows "
      "as columns, and 256 columns at most); each column is standardised instead",
      plan.data.training.size(), plan.normalisation.dimension()));
}

/// Four sets of parameters in each checkpoint, one in the model; another of each while it is replaced.
uint64_t bytes_needed(const TrainingPlan& plan) {
  const auto set = static_cast<uint64_t>(plan.network->parameter_count()) * 4;
  return set * static_cast<uint64_t>(4 * (plan.train.checkpoints_kept + 1) + 2) + (uint64_t{16} << 20);
}

}  // namespace

void check_used(const TrainSettings& s, const TrainingPlan& plan, const Command& command) {
  if (plan.data.training.is_images()) {
    command.refuse({"width", "depth", "activation", "plain", "embedding", "time-scale"},
                   "images are learned by a U-Net, whose size is that of --channels");
    command.refuse({"normalise"}, "images are scaled to [-1, 1] whatever they are");
  } else {
    command.refuse({"channels"}, "a table is learned by an MLP, whose size is that of --width and --depth");
    if (s.mlp.embedding != "sinusoidal")
      command.refuse({"time-scale"}, "it belongs to --embedding sinusoidal");
  }
  if (!s.data.starts_with("target:"))
    command.refuse({"rows"}, "a file has its own rows; expected --data target:TARGET");
  if (!draws_times(s.objective))
    command.refuse({"times"}, fmt::format("the objective {} draws times by its own law", s.objective));
  say_normalisation(plan, s);
  say_what_few_rows_lack(plan, s);
}

void rehearse_sampling(const TrainingPlan& plan, const TrainSettings& s) {
  const Model model = plan.model(*plan.network);
  const Dataset row = plan.data.training.subset(at::zeros({1}, at::TensorOptions(at::kLong)));
  const auto type = plan.network->parameters().front().tensor.options().requires_grad(false);
  plan.objective->loss(*model.denoiser(),
                       {.x0 = plan.normalisation.apply(row.values).to(type),
                        .label = row.labels.defined() ? row.labels.to(type.device()) : Tensor(),
                        .step = 0},
                       Rng(s.common.seed));
  try_preview(model);
  if (!s.no_report) report::try_sampling(model);
}

void rehearse_saving(const TrainingPlan& plan, const TrainSettings& s, const Json& record) {
  const fs::path run(s.out), trial = run / fmt::format(".trial-{}", ::getpid());
  std::error_code error;
  const bool existed = fs::exists(run, error);
  fs::create_directories(trial, error);
  if (error) fail(ErrorKind::resource, "{}: cannot create the folder: {}", run.string(), error.message());
  const auto clean = [&] {
    fs::remove_all(trial, error);
    if (!existed) fs::remove(run, error);
  };
  try {
    const auto space = fs::space(trial);
    if (space.available < bytes_needed(plan))
      fail(ErrorKind::resource, "{}: training takes up to {} MB there but {} MB are free", run.string(),
           bytes_needed(plan) >> 20, space.available >> 20);
    Model model = plan.model(*plan.network);
    model.training = record;
    save_model(trial, model);
  } catch (const Json::exception&) {
    clean();
    fail(ErrorKind::input,
         "{}: a name or path in it is not UTF-8, and could not be saved with the model; rename it", s.data);
  } catch (...) {
    clean();
    throw;
  }
  clean();
}

}  // namespace fokker::cli
