#include "cli/plot/convergence.h"

#include "cli/output.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/plot/chart/error_curves.h"

namespace fokker::cli {
namespace {

const char* error_label(const StudyOptions& o, ErrorMeasure measure) {
  switch (measure) {
    case ErrorMeasure::path:
      return o.run.empty() ? "distance from the exact flow (root mean square)"
                           : "distance from the reference run (root mean square)";
    case ErrorMeasure::strong:
      return "distance from the solution on the same noise (root mean square)";
    case ErrorMeasure::mean:
      return "error of the mean";
    case ErrorMeasure::covariance:
      return "error of the covariance";
    case ErrorMeasure::wasserstein:
      return "sliced Wasserstein distance W_2";
    case ErrorMeasure::weights:
      return "error of the weights of the modes";
  }
  fail(ErrorKind::argument, "unknown error measure");
}

/// The levels that a logarithmic axis can show: a method that is exact, or left the numbers, has none.
std::optional<plot::ErrorCurve> curve_of(const Study& study, const StudyRow& row) {
  std::vector<double> work, errors;
  for (const auto& level : row.found.levels) {
    if (!(level.error > 0) || !std::isfinite(level.error)) continue;
    work.push_back(static_cast<double>(study.by_budget ? level.evaluations : level.steps));
    errors.push_back(level.error);
  }
  if (work.empty()) return {};
  plot::ErrorCurve curve{row.sampler, at::tensor(work), at::tensor(errors)};
  if (!study.by_budget && row.declared > 0) curve.declared = row.declared;
  curve.measured = row.measured;
  return curve;
}

void draw_study(const Study& study, const StudyOptions& o, const StudyPicture& picture) {
  std::vector<plot::ErrorCurve> curves;
  for (const StudyRow& row : study.rows) {
    if (auto curve = curve_of(study, row))
      curves.push_back(std::move(*curve));
    else
      message(row.sampler + ": no error that a logarithmic axis could show");
  }
  check(!curves.empty(), "expected a sampler with an error above 0: all are exact here");
  plot::error_curves(curves, {.chart = {.title = picture.title,
                                        .x_label = study.by_budget ? "evaluations of the denoiser" : "steps",
                                        .y_label = error_label(o, study.measure),
                                        .theme = picture.theme},
                              .floor = study.floor,
                              .floor_label = "exact samples, as many"})
      .save(picture.out);
}

std::string default_title(const StudyOptions& o) {
  const std::string on = o.run.empty() ? o.target + ", " + (o.process.empty() ? "vp" : o.process) : o.run;
  return o.evaluations.empty() && o.grid.empty()
             ? fmt::format("Convergence on {} from t = {} to {}", on, o.start, o.end)
             : "Convergence on " + on;
}

}  // namespace

void describe_study(Command& c, StudyOptions& o, bool& table) {
  c.option("--target", o.target, "convergence: a known target with its exact denoiser");
  c.option("--process", o.process,
           "Process of the exact denoiser (default: vp); for schedule several, separated by commas");
  c.option("--samplers", o.samplers, "Samplers to compare, separated by commas (default: all that suit)");
  c.option("--measure", o.measure, "What is compared with the truth: " + join(error_measure_names()));
  c.option("--steps", o.steps, "Numbers of steps, the same for all (default: 20,40,80,160)");
  c.option("--evaluations", o.evaluations,
           "Budgets of denoiser calls instead: whole runs, each on its sampler's usual grid");
  c.option("--grid", o.grid, "Spacing of times of whole runs (with --steps the default is uniform)");
  c.option("--start", o.start, "With --steps: time at which the uniform grid begins");
  c.option("--end", o.end, "With --steps: time at which it ends");
  c.option("--samples", o.samples, "Rows: 0 takes 256 paths, 20000 for laws, 16 of a model");
  c.option("--reference", o.reference, "Of a run folder: the sampler that stands for the truth");
  c.option("--reference-steps", o.reference_steps, "Its number of steps");
  c.flag("--table", table, "Print the errors as a table in Markdown");
}

void show_study(const StudyOptions& o, const StudyPicture& picture, const CommonOptions& common) {
  check(!picture.out.empty() || picture.table || common.json,
        "plot convergence: expected --out PICTURE, --table or --json");
  if (!picture.out.empty()) plot::image_format(picture.out);
  const Study study = study_samplers(o, common);
  if (!picture.out.empty()) {
    StudyPicture titled = picture;
    if (titled.title.empty()) titled.title = default_title(o);
    draw_study(study, o, titled);
  }
  if (picture.table || common.json) print_result(common, study_json(study), study_table(study));
}

}  // namespace fokker::cli
