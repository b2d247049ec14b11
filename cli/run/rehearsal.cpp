#include "cli/run/rehearsal.h"

#include "cli/registry.h"
#include "cli/run/preview.h"
#include "fokker/report/report.h"

namespace fokker::cli {
namespace {

/// Objectives that draw no times, or by a law of their own.
bool draws_times(const std::string& objective) {
  const std::string name = objective.substr(0, objective.find(':'));
  return name == "denoising" || name == "implicit" || name == "sliced" || name == "explicit";
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
  if (!named_target(s.data))
    command.refuse({"rows"}, "a file has its own rows; expected --data target:TARGET");
  if (s.on_divergence == "stop")
    command.refuse({"divergence-limit"}, "it belongs to --on-divergence skip or rewind");
  if (!draws_times(s.objective))
    command.refuse({"times"}, fmt::format("the objective {} draws times by its own law", s.objective));
}

void rehearse_pictures(const TrainingPlan& plan, const TrainSettings& s) {
  const Model model = plan.model(*plan.network);
  try_preview(model, plan.data.training);
  if (!s.no_report) report::try_sampling(model, plan.data.training);
}

}  // namespace fokker::cli
