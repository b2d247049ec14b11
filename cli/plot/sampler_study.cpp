#include "cli/plot/sampler_study.h"

#include "cli/denoiser_source.h"
#include "cli/langevin.h"
#include "cli/progress.h"
#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/spec.h"
#include "fokker/train/sample_model.h"

namespace fokker::cli {
namespace {

// Below this, rounding and the reference's own tolerance show in an error.
constexpr double smallest_error = 1e-11;

/// How many denoiser calls a run takes, found on a denoiser that costs nothing.
int64_t evaluations_of(const SamplerChoice& choice, const GaussianProcess& process, const TimeGrid& grid) {
  const FunctionDenoiser free([](const Tensor& x, const Times&) { return x; }, process, Prediction::noise());
  return integrate(free, *choice.sampler, grid, at::ones({1, 1}, at::kDouble),
                   {.noise = Rng(0).noise_source(at::kDouble), .observers = {}})
      .evaluations;
}

/// The most steps of whole runs within each budget, rising and without repetition.
std::vector<int64_t> steps_within(const std::vector<int64_t>& budgets, const SamplerChoice& choice,
                                  const GaussianProcess& process, const std::string& grid) {
  if (choice.sampler->adaptive()) return {1};
  std::vector<int64_t> all;
  for (const int64_t budget : budgets) {
    int64_t low = choice.sampler->least_steps() - 1, high = budget + 1;  // low fits, high does not
    while (high - low > 1) {
      const int64_t middle = (low + high) / 2;
      const bool fits = evaluations_of(choice, process, make_grid(choice, process, grid, middle)) <= budget;
      (fits ? low : high) = middle;
    }
    if (low >= choice.sampler->least_steps() && (all.empty() || low > all.back())) all.push_back(low);
  }
  return all;
}

/// Whether a sampler belongs in a study for which none was named.
bool suits(const Sampler& sampler, const Study& study) {
  const SamplerOrder order = sampler.order();
  if (study.measure == ErrorMeasure::path && !order.deterministic) return false;
  if (study.measure == ErrorMeasure::strong && order.deterministic) return false;
  if (study.by_budget) return study.measure != ErrorMeasure::strong || !sampler.adaptive();
  return !sampler.adaptive() && order.weak > 0 && sampler.least_steps() <= study.asked.front();
}

std::vector<std::string> samplers_of(const StudyOptions& o, const Study& study,
                                     const GaussianProcess& process) {
  if (!o.samplers.empty()) return split_specs(o.samplers);
  std::vector<std::string> names;
  for (const auto& name : sampler_names())
    if (!is_chain(name) && suits(*make_sampler(name, process).sampler, study)) names.push_back(name);
  return names;
}

/// Everything that one sampler is measured on.
struct Setting {
  const StudyOptions& options;
  const Study& study;
  const Denoiser& denoiser;
  const AnalyticDenoiser* exact = nullptr;  ///< where the truth is known
  ConvergenceOptions measuring = {};
  Tensor starts = {}, ends = {};  ///< of a model: noise, and where the reference run took it
};

Convergence measure(const Setting& setting, const SamplerChoice& choice) {
  const GaussianProcess& process = setting.denoiser.process();
  const std::string& spacing = setting.options.grid;
  ConvergenceOptions options = setting.measuring;
  if (setting.study.by_budget) options.steps = steps_within(setting.study.asked, choice, process, spacing);
  if (setting.study.by_budget || !spacing.empty())
    options.grid = [&](int64_t steps) { return make_grid(choice, process, spacing, steps); };
  if (options.steps.empty()) return {};
  if (setting.exact)
    return measure_convergence(*setting.exact, *choice.sampler, setting.study.measure, options);
  std::vector<TimeGrid> grids;
  for (const int64_t steps : options.steps) grids.push_back(options.grid(steps));
  return path_errors(setting.denoiser, *choice.sampler, grids, setting.starts, setting.ends);
}

StudyRow row_of(const Setting& setting, const std::string& name) {
  const SamplerChoice choice = make_sampler(name, setting.denoiser.process());
  const Sampler& sampler = *choice.sampler;
  check(setting.study.by_budget || !sampler.adaptive(),
        "{} chooses its own steps: it has no error at a number of steps; use --evaluations", name);
  StudyRow row{name, sampler.order(), 0, measure(setting, choice)};
  const bool paths =
      setting.study.measure == ErrorMeasure::path || setting.study.measure == ErrorMeasure::strong;
  row.declared = paths ? row.order.strong : row.order.weak;
  if (!setting.study.by_budget) row.measured = row.found.order_above(smallest_error);
  return row;
}

Study start_study(const StudyOptions& o) {
  check(o.steps.empty() || o.evaluations.empty(), "expected either --steps or --evaluations");
  Study study{
      .measure = error_measure_from(o.measure), .by_budget = !o.evaluations.empty(), .asked = {}, .rows = {}};
  study.asked = study.by_budget ? parse_counts("evaluations", o.evaluations)
                                : parse_counts("steps", o.steps.empty() ? "20,40,80,160" : o.steps);
  check(std::is_sorted(study.asked.begin(), study.asked.end()), "expected rising numbers but received {}",
        study.by_budget ? o.evaluations : o.steps);
  return study;
}

void run_study(Study& study, const Setting& setting) {
  const auto names = samplers_of(setting.options, study, setting.denoiser.process());
  Progress progress("samplers", static_cast<int64_t>(names.size()));
  int64_t done = 0;
  for (const auto& name : names) {
    StudyRow row = row_of(setting, name);
    // A method may not fit into the least budget, and one that chooses its own steps into none.
    if (study.by_budget)
      std::erase_if(row.found.levels,
                    [&](const auto& level) { return level.evaluations > study.asked.back(); });
    if (row.found.levels.empty())
      message(name + ": takes more evaluations than any budget");
    else
      study.rows.push_back(std::move(row));
    progress.update(++done);
  }
  progress.finish();
  check(!study.rows.empty(), "expected a sampler that fits into {} evaluations", study.asked.back());
}

Study study_target(const StudyOptions& o, const CommonOptions& common) {
  Study study = start_study(o);
  const AnalyticDenoiser denoiser = exact_denoiser(o.target, process_or_default(o.process), o.reading);
  const bool paths = study.measure == ErrorMeasure::path || study.measure == ErrorMeasure::strong;
  Setting setting{o, study, denoiser, &denoiser};
  setting.measuring = {.steps = study.asked,
                       .samples = o.samples > 0 ? o.samples
                                  : paths       ? 256
                                                : 20'000,
                       .rng = Rng(common.seed)};
  if (!study.by_budget)
    setting.measuring.grid = [&](int64_t n) {
      return TimeGrid::uniform(n, {.start = o.start, .end = o.end});
    };
  run_study(study, setting);
  const bool whole = study.by_budget || !o.grid.empty();
  const bool sampled =
      study.by_budget || denoiser.target().dimension() > 1 || denoiser.target().components() > 1;
  if (!paths && sampled)
    study.floor = sampling_error(denoiser, study.measure, whole ? 0.0 : o.end, setting.measuring);
  return study;
}

Study study_model(const StudyOptions& o, const CommonOptions& common) {
  Study study = start_study(o);
  check(study.measure == ErrorMeasure::path && study.by_budget,
        "a run folder has no exact law: expected --measure path and --evaluations");
  const DenoiserSource source = open_denoiser(common, {.run = o.run});
  const auto denoiser = sampling_denoiser(*source.model);
  Setting setting{o, study, *denoiser};
  std::vector<int64_t> shape{o.samples > 0 ? o.samples : 16};
  shape.insert(shape.end(), source.event.begin(), source.event.end());
  setting.starts = source.process().sample_prior(shape, Rng(common.seed).stream("prior")).to(source.type);
  const SamplerChoice reference = make_sampler(o.reference, source.process());
  check(reference.sampler->order().deterministic,
        "reference: expected a method without noise but received {}", o.reference);
  message(fmt::format("reference: {} in {} steps", o.reference, o.reference_steps));
  setting.ends = integrate(setting.denoiser, *reference.sampler,
                           make_grid(reference, source.process(), o.grid, o.reference_steps), setting.starts,
                           {.denoise_end = false})
                     .x;
  run_study(study, setting);
  // Per coordinate: a pixel's error does not depend on how many there are.
  for (auto& row : study.rows)
    for (auto& level : row.found.levels) level.error /= std::sqrt(static_cast<double>(source.dimension()));
  return study;
}

}  // namespace

Study study_samplers(const StudyOptions& o, const CommonOptions& common) {
  check(o.run.empty() != o.target.empty(), "expected either a run folder or --target");
  check(o.run.empty() || o.process.empty(),
        "process: a run has its own; expected --process with --target only");
  return o.run.empty() ? study_target(o, common) : study_model(o, common);
}

Json study_json(const Study& study) {
  Json json = {{study.by_budget ? "budgets" : "steps", study.asked}, {"samplers", Json::array()}};
  if (study.floor > 0) json["sampling_error"] = study.floor;
  for (const StudyRow& row : study.rows) {
    Json levels = Json::array();
    for (const auto& level : row.found.levels)
      levels.push_back({{"steps", level.steps}, {"evaluations", level.evaluations}, {"error", level.error}});
    json["samplers"].push_back({{"sampler", row.sampler},
                                {"strong", row.order.strong},
                                {"weak", row.order.weak},
                                {"measured", row.measured ? Json(*row.measured) : Json()},
                                {"levels", levels}});
  }
  return json;
}

namespace {

std::string order_table(const Study& study) {
  std::string text = "| sampler | strong | weak | measured |";
  std::string rule = "|---|---|---|---|";
  for (const int64_t steps : study.asked) {
    text += fmt::format(" error, {} steps |", steps);
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const StudyRow& row : study.rows) {
    text += fmt::format("| `{}` | {} | {} | {} |", row.sampler, row.order.strong, row.order.weak,
                        row.measured ? fmt::format("{:.2f}", *row.measured) : "exact");
    for (const auto& level : row.found.levels) text += fmt::format(" {:.1e} |", level.error);
    text += "\n";
  }
  return text;
}

/// What the run within each budget reached; the evaluations it took in brackets where they are fewer.
std::string budget_cells(const StudyRow& row, const std::vector<int64_t>& budgets) {
  std::string text;
  int64_t before = 0;
  for (const int64_t budget : budgets) {
    const Convergence::Level* best = nullptr;
    for (const auto& level : row.found.levels)
      if (level.evaluations > before && level.evaluations <= budget) best = &level;
    before = budget;
    if (!best)
      text += " |";
    else
      text += fmt::format(" {:.2g}{} |", best->error,
                          best->evaluations < budget ? fmt::format(" ({})", best->evaluations) : "");
  }
  return text;
}

}  // namespace

std::string study_table(const Study& study) {
  if (!study.by_budget) return order_table(study);
  std::string text = "| evaluations |", rule = "|---|";
  for (const int64_t budget : study.asked) {
    text += fmt::format(" {} |", budget);
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const StudyRow& row : study.rows)
    text += fmt::format("| `{}` |{}\n", row.sampler, budget_cells(row, study.asked));
  if (study.floor > 0) text += fmt::format("\nExact samples, as many: {:.2g}.\n", study.floor);
  return text;
}

}  // namespace fokker::cli
