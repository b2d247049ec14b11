#include "cli/denoiser_source.h"
#include "cli/given.h"
#include "cli/langevin.h"
#include "cli/output.h"
#include "cli/run/prior.h"
#include "cli/sampling.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/data/labels.h"

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

/// A table with a schema as the files of its rows are: a column each.
std::vector<int64_t> written_event(const Model& model) {
  return model.table ? std::vector<int64_t>{model.table->schema().size()} : model.event_shape();
}

fokker::SampleOptions library_options(const SampleOptions& o, const WatchedRun& run) {
  fokker::SampleOptions options{.sampler = run.sampler(),
                                .grid = run.grid(),
                                .guidance = o.guidance,
                                .clip = clip_of(o),
                                .batch = run.block(),
                                .observers = run.observers()};
  if (!o.label.empty()) options.labels = {o.label};
  return options;
}

/// Samples of a trained model, from the prior.
Samples run_model(const SampleOptions& o, const Model& model) {
  check_output_holds(o.out, written_event(model));
  GivenRows given{.groups = o.n};
  if (is_given(o)) given = read_given(o, model);
  const bool ranges = !all_exact(given);
  check(!ranges || o.trajectory.empty(),
        "trajectory: rows are drawn again until they meet the ranges of --given; expected single values");
  const GaussianProcess& process = model.spec.process;
  const int64_t n = given.groups * given.copies;
  WatchedRun run(o, {.process = process,
                     .rows = n,
                     .event = model.event_shape(),
                     .to_user = [&](const Tensor& x) { return model.to_user(x); },
                     .table = model.table != nullptr && (o.label.empty() || o.guidance == 1),
                     .watched = !ranges});
  Samples samples;
  samples.prior = judge_prior(process, recorded_spread(model.training), run.grid());
  warn_of_last_step(process, 1, *run.sampler(), run.grid());
  const fokker::SampleOptions options = library_options(o, run);
  if (is_given(o)) {
    std::optional<Progress> progress;
    if (ranges) progress.emplace("sampling", n);
    given.on_round = [&](int64_t kept) { progress->update(kept); };
    GivenSamples drawn = sample_given(model, given, Rng(o.common.seed), options);
    if (ranges) samples.drawn = drawn.drawn;
    samples.rows = std::move(drawn.rows);
    samples.evaluations = drawn.evaluations;
    samples.rejected = drawn.rejected;
  } else {
    ModelSamples drawn = sample_counted(model, n, Rng(o.common.seed), options);
    samples.rows = std::move(drawn.rows);
    samples.evaluations = drawn.evaluations;
    samples.rejected = drawn.rejected;
  }
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

Samples sample_model(const SampleOptions& o) {
  const DenoiserSource source = open_denoiser(o.common, {.run = o.run});
  const Model& model = *source.model;
  check(o.label.empty() || !model.label_names.empty(),
        "label: {} was trained without labels but received '{}'", o.run, o.label);
  if (o.label.empty() && !model.label_names.empty())
    message(fmt::format("no --label: samples of any class, without regard to it, of {}",
                        list_labels(model.label_names)));
  check(!is_given(o) || !is_chain(o.sampler),
        "given: the chains of {} know no conditions; expected another sampler", o.sampler);
  Samples samples = is_chain(o.sampler) ? run_model_kernel(o, model) : run_model(o, model);
  samples.rows.columns = model.columns;
  samples.rows.format = model.format;
  return samples;
}

}  // namespace fokker::cli
