#include "cli/run/plan_output.h"

#include "cli/run/prior.h"
#include "cli/run/run_report.h"
#include "fokker/core/messages.h"
#include "fokker/data/columns.h"
#include "fokker/data/labels.h"

namespace fokker::cli {
namespace {

std::string plan_text(const TrainingPlan& plan) {
  const std::string budget = plan.options.minutes > 0 ? fmt::format("{} minutes", plan.options.minutes)
                                                      : fmt::format("{} steps", plan.options.steps);
  const std::string labels =
      plan.label_names.empty() ? "" : fmt::format(" labels {};", list_labels(plan.label_names));
  const std::string given =
      plan.condition.any() ? fmt::format(" given {};", list_columns(plan.condition.columns)) : "";
  const bool mirrored = plan.data.training.size() + plan.data.held_out.size() > plan.rows;
  return fmt::format("{}: {} rows of shape {}{} ({} held out);{}{} {} parameters; {} of batch {}{}",
                     plan.data.training.source, plan.rows, shape_string(plan.data.training.event_shape()),
                     mirrored ? " and their mirror images" : "", plan.data.held_out.size(), labels, given,
                     plan.network->parameter_count(), budget, plan.options.batch,
                     plan.network->bf16_products() ? "; products in bfloat16" : "");
}

}  // namespace

Json plan_json(const TrainingPlan& plan) {
  Json json = plan.record().to_json();
  for (const char* key : {"seed", "data_options", "machine"}) json.erase(key);
  return json;
}

void say_plan(const TrainingPlan& plan, const TrainSettings& settings) {
  message(plan_text(plan));
  for (const std::string& warning : plan.warnings) warn(warning);
  for (const std::string& note : plan.notes) message(note);
  if (plan.data.training.size() < report::kFewestCompared && !settings.no_report)
    message(fmt::format("the report will not compare samples with data: that takes {} rows of training data",
                        report::kFewestCompared));
  warn_of_prior(plan.spec.process, plan.spread, plan.prior, "samples of this model");
}

}  // namespace fokker::cli
