#include "fokker/report/report.h"

#include "fokker/core/boundary.h"
#include "fokker/process/prior_fit.h"
#include "fokker/report/sections.h"
#include "fokker/train/defaults.h"

namespace fokker::report {
namespace {

/// Small ones differ only in how certain they are.
std::string headline_p_value(double p) {
  return p < 1e-3 ? "< 0.001" : number(p);
}

constexpr size_t kTitleLength = 80;

/// Ours by what they are called, a program's own by its class.
std::string kind_of(const Network& network) {
  const std::string name = network.class_name();
  if (is_unet_class(name)) return "A U-Net";
  if (name == "FokkerTableNetwork") return "An MLP of a table";
  return name == "FokkerMlp" ? "An MLP" : fmt::format("A network of class {}", shorten(name, 40));
}

std::string summary_line(const RunRecord& run) {
  const Model& model = run.model;
  const std::string source = model.training.data.value_or("data that is not recorded");
  std::string shape;
  for (const int64_t size : model.event_shape()) shape += (shape.empty() ? "" : " × ") + std::to_string(size);
  const auto columns = std::ssize(model.columns);
  const std::string rows = model.is_image()
                               ? fmt::format("images of {}", shape)
                               : fmt::format("rows of {} {}", columns, columns == 1 ? "column" : "columns");
  return fmt::format("{} of {} parameters, trained on {} {} from {}.", kind_of(*model.network),
                     thousands(model.network->parameter_count()), thousands(model.training.rows.value_or(0)),
                     rows, shorten(source, kTitleLength));
}

Pairs highlights(const Material& m, Json& summary) {
  Pairs items;
  const TrainingRecord& training = m.run.model.training;
  const int64_t steps = training.steps_done.value_or(0);
  const double seconds = training.seconds.value_or(0);
  summary["steps"] = steps;
  summary["seconds"] = seconds;
  items.emplace_back("steps", thousands(steps));
  items.emplace_back("of training", seconds < 90 ? fmt::format("{:.0f} s", seconds)
                                                 : fmt::format("{:.1f} min", seconds / 60));
  if (!m.run.metrics.empty()) {
    summary["loss"] = m.run.metrics.back().loss;
    items.emplace_back("training loss", number(m.run.metrics.back().loss));
  }
  std::optional<double> held_out;
  for (const TrainMetrics& line : m.run.metrics)
    if (line.held_out_loss) held_out = line.held_out_loss;
  if (held_out) {
    summary["held_out_loss"] = *held_out;
    items.emplace_back("held-out loss", number(*held_out));
  }
  if (m.comparison) {
    items.emplace_back("p-value of samples against data", headline_p_value(m.comparison->verdict.p_value));
    if (m.comparison->classifier)
      items.emplace_back("classifier accuracy (best: 0.5)",
                         fmt::format("{:.3f}", m.comparison->classifier->accuracy));
  }
  return items;
}

/// Says where samples start from a prior that is not the law of x_1.
void note_prior(Page& page, const Model& model, Json& summary) {
  const double spread = recorded_spread(model.training);
  const PriorFit fit = prior_fit(model.spec.process, spread);
  summary["prior"] = fit.to_json();
  if (fit.fits()) return;
  const std::string better = fitting_process(model.spec.process, spread);
  page.note(
      fmt::format("Samples start from noise alone, but {}. They will be off, however long the training{}.",
                  fit.text(), better.empty() ? "" : "; a process that would do is " + better));
}

}  // namespace

Report make_report(const RunRecord& run, const ReportOptions& options) try {
  const GradientMode off(false);
  const Material m = gather(run, options);
  Report report{Page("Report of " + shorten(run.name, kTitleLength), summary_line(run)), Json::object()};
  Page& page = report.page;
  page.highlights(highlights(m, report.summary));
  note_prior(page, run.model, report.summary);
  add_samples(page, m);
  add_comparison(page, m, report.summary);
  add_table(page, m, report.summary);
  add_flow(page, m);
  add_marginals(page, m, report.summary);
  add_loss(page, m, report.summary);
  add_score_field(page, m);
  add_schedule(page, m);
  add_making(page, m);
  return report;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker::report
