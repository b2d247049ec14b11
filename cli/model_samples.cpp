#include "cli/denoiser_source.h"
#include "cli/given.h"
#include "cli/langevin.h"
#include "cli/output.h"
#include "cli/run/prior.h"
#include "cli/sampling.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/data/columns.h"
#include "fokker/data/labels.h"
#include "fokker/train/guide.h"

namespace fokker::cli {
namespace {

/// As typed: below 0 the model's own.
std::optional<double> clip_of(const SampleOptions& o) {
  return o.clip < 0 ? std::nullopt : std::optional<double>(o.clip);
}

bool all_exact(const GivenRows& given) {
  return std::all_of(given.conditions.begin(), given.conditions.end(),
                     [](const ColumnCondition& condition) { return condition.is_exact(); });
}

/// As the files of its rows are: of a table with a schema, or with conditions, a column each.
std::vector<int64_t> written_event(const Model& model) {
  if (model.table) return {model.table->schema().size()};
  std::vector<int64_t> event = model.event_shape();
  if (!model.condition.places.empty()) event[0] += model.condition.size();
  return event;
}

/// The run of --guide, compared with the model; null without one.
std::shared_ptr<const Model> open_guide(const SampleOptions& o, const Model& model) {
  if (o.guide.empty()) return nullptr;
  const auto guide = std::make_shared<Model>(*open_denoiser(o.common, {.run = o.guide}).model);
  check_guide(model, *guide, !o.label.empty() || is_given(o), "guide: " + o.guide);
  return guide;
}

fokker::SampleOptions library_options(const SampleOptions& o, const WatchedRun& run,
                                      std::shared_ptr<const Model> guide, const Ranks& ranks) {
  fokker::SampleOptions options{.sampler = run.sampler(),
                                .grid = run.grid(),
                                .guidance = o.guidance,
                                .guidance_interval = guidance_interval(o),
                                .guide = std::move(guide),
                                .clip = clip_of(o),
                                .batch = run.block(),
                                .observers = run.observers(),
                                .ranks = ranks};
  if (!o.label.empty()) options.labels = {o.label};
  return options;
}

/// What rows are drawn given.
struct Given {
  int64_t rows = 0;
  std::optional<GivenRows> cells = {};  ///< of a table with a schema
  Tensor conditions = {};               ///< (rows, k) in the user's units
  bool ranges() const { return cells && !all_exact(*cells); }
};

Given read_what_is_given(const SampleOptions& o, const Model& model) {
  if (!is_given(o)) return {.rows = o.n};
  if (model.condition.scale) {
    const GivenConditions given = read_conditions(o, model);
    return {.rows = given.rows.size(0) * given.copies,
            .conditions = given.rows.repeat_interleave(given.copies, 0)};
  }
  GivenRows cells = read_given(o, model);
  const int64_t rows = cells.groups * cells.copies;
  return {.rows = rows, .cells = std::move(cells)};
}

/// Draws them; `samples` begins with what is known before.
void draw_given(const SampleOptions& o, const Model& model, Given given, fokker::SampleOptions options,
                Samples& samples) {
  const auto keep = [&](auto&& drawn) {
    samples.rows = std::move(drawn.rows);
    samples.evaluations = drawn.evaluations;
    samples.rejected = drawn.rejected;
  };
  if (!given.cells) {
    options.conditions = given.conditions;
    return keep(sample_counted(model, given.rows, Rng(o.common.seed), options));
  }
  std::optional<Progress> progress;
  if (given.ranges()) progress.emplace("sampling", given.rows);
  given.cells->on_round = [&](int64_t kept) { progress->update(kept); };
  GivenSamples drawn = sample_given(model, *given.cells, Rng(o.common.seed), options);
  if (given.ranges()) samples.drawn = drawn.drawn;
  keep(std::move(drawn));
}

/// With the model's own sampler and grid where none is asked for, having said so.
SampleOptions with_own_method(SampleOptions o, const Model& model) {
  if (!o.sampler.empty() || model.sampling.sampler.empty()) return o;
  o.sampler = model.sampling.sampler;
  if (o.grid.empty()) o.grid = model.sampling.grid;
  message(fmt::format("no --sampler: {} on the grid {}, as the model came with", o.sampler,
                      o.grid.empty() ? "that suits it" : o.grid));
  return o;
}

/// Samples of a trained model, from the prior.
Samples run_model(const SampleOptions& typed, const Model& model, const Ranks& ranks) {
  const SampleOptions o = with_own_method(typed, model);
  check_output_holds(o.out, written_event(model));
  const auto guide = open_guide(o, model);
  Given given = read_what_is_given(o, model);
  const bool ranges = given.ranges();
  check(ranks.alone() || o.trajectory.empty(),
        "several processes: they share samples without --trajectory; expected one process");
  check(!ranges || o.trajectory.empty(),
        "trajectory: rows are drawn again until they meet the ranges of --given; expected single values");
  const GaussianProcess& process = model.spec.process;
  WatchedRun run(o, {.process = process,
                     .rows = ranks.share(given.rows).count,
                     .event = model.event_shape(),
                     .to_user = [&](const Tensor& x) { return model.to_user(x); },
                     .table = model.table != nullptr && ((o.label.empty() && !guide) || o.guidance == 1),
                     .watched = !ranges,
                     .block = usual_batch(model)});
  Samples samples;
  samples.prior = judge_prior(process, recorded_spread(model.training), run.grid());
  warn_of_last_step(process, 1, *run.sampler(), run.grid());
  draw_given(o, model, std::move(given), library_options(o, run, guide, ranks), samples);
  run.finish();
  if (!run.sampler()->adaptive()) samples.rejected.reset();
  return samples;
}

/// A chain on the law of x_t at the kernel's time, as the denoiser describes it.
Samples run_model_kernel(const SampleOptions& o, const Model& model) {
  check(
      !model.table,
      "sampler {}: a chain at one time does not move between the levels that columns of {} have; expected a "
      "sampler that goes through all times",
      o.sampler, o.run);
  check_output_holds(o.out, model.event_shape());
  const auto denoiser = sampling_denoiser(model, clip_of(o), o.label, o.guidance);
  const KernelChoice choice = make_kernel(o.sampler, o.step_size);
  const double t = choice.time >= 0 ? choice.time : model.spec.process.time_min();
  const auto shape = model.event_shape();
  const Tensor start = chain_start(o.start, o.n, shape, Rng(o.common.seed)).to(at::kFloat);
  const int64_t dimension = event_size(start.sizes());
  const auto energy = std::dynamic_pointer_cast<const EnergyDenoiser>(denoiser);
  const DenoiserLaw law = energy ? DenoiserLaw(energy, t, dimension) : DenoiserLaw(denoiser, t, dimension);
  return run_kernel(o, choice, law, o.start.empty() ? start : model.normalisation.apply(start),
                    [&](const Tensor& x) { return model.normalisation.invert(x); });
}

}  // namespace

Samples sample_model(const SampleOptions& o, const Ranks& ranks) {
  check(ranks.alone() || !is_chain(o.sampler),
        "several processes: they share samples of methods that go through all times; expected one process "
        "for {}",
        o.sampler);
  const DenoiserSource source = open_denoiser(o.common, {.run = o.run});
  const Model& model = *source.model;
  check(o.label.empty() || !model.label_names.empty(),
        "label: {} was trained without labels but received '{}'", o.run, o.label);
  if (o.label.empty() && !model.label_names.empty())
    message(fmt::format("no --label: samples of any class, without regard to it, of {}",
                        list_labels(model.label_names)));
  if (!is_given(o) && model.condition.scale)
    message(fmt::format("no --given: samples without regard to the conditions {}",
                        list_columns(model.condition.columns)));
  check(!is_given(o) || !is_chain(o.sampler),
        "given: the chains of {} know no conditions; expected another sampler", o.sampler);
  Samples samples = is_chain(o.sampler) ? run_model_kernel(o, model) : run_model(o, model, ranks);
  samples.rows.columns = model.columns;
  samples.rows.format = model.format;
  samples.rows = with_condition_columns(std::move(samples.rows));
  return samples;
}

}  // namespace fokker::cli
