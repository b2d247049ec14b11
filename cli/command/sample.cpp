#include <charconv>

#include "cli/denoiser_source.h"
#include "cli/langevin.h"
#include "cli/option/sample_options.h"
#include "cli/output.h"
#include "cli/plot/trajectory_file.h"
#include "cli/progress.h"
#include "cli/registry.h"
#include "cli/run/prior.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/spec.h"
#include "fokker/data/labels.h"
#include "fokker/evaluate/metrics.h"
#include "fokker/target/toys.h"
#include "fokker/train/defaults.h"
#include "fokker/train/sample_model.h"

namespace fokker::cli {
namespace {

struct Samples {
  Tensor values = {};  ///< in the user's units
  std::vector<std::string> columns = {};
  int64_t evaluations = 0;
  std::optional<double> acceptance = {};  ///< of a Markov chain
  std::optional<int64_t> rejected = {};   ///< steps of an adaptive method, over all blocks
  Json prior = {};                        ///< how it fits, where they start from it
};

/// The rows of one time, carried to the user's units.
using ToUserUnits = std::function<Tensor(const Tensor&)>;

/// As typed: below 0 the model's own.
std::optional<double> clip_of(const SampleOptions& o) {
  return o.clip < 0 ? std::nullopt : std::optional<double>(o.clip);
}

/// From 5 to 20 evaluations nearest to the flow or not to be told from the nearest, of points and of a
/// network's images (docs/choosing-a-sampler.md).
constexpr const char* default_sampler = "unipc:order=3";

/// The law of x_t where it is known: rows at time t.
using ExactStart = std::function<Tensor(double t)>;

/// Where a grid begins; a method that uses f and g begins where they are finite, and that is meant as 1.
double begin_of(const TimeGrid& grid) {
  const double first = grid.times().front();
  return first > 0.99 ? 1 : first;
}

/// A method on its grid, with progress and the trajectory where it is asked for.
class WatchedRun {
 public:
  WatchedRun(const SampleOptions& o, const GaussianProcess& process, const std::vector<int64_t>& event,
             const ToUserUnits& to_user)
      : choice_(make_sampler(o.sampler.empty() ? default_sampler : o.sampler, process)),
        grid_(make_grid(choice_, process, o.grid, o.steps)),
        block_(o.batch > 0 ? o.batch : usual_batch(event)),
        progress_("sampling", (o.n + block_ - 1) / block_ * grid_.steps()) {
    observers_.emplace_back([this](const Observation& seen) {
      if (seen.step > 0) progress_.update(++done_);
    });
    if (o.trajectory.empty()) return;
    const auto kept = o.trajectory_times.empty()
                          ? every_step(grid_.steps(), o.trajectory_every)
                          : steps_at(grid_, parse_numbers("trajectory-times", o.trajectory_times));
    observers_.push_back(states_.emplace(o.trajectory, o.n, kept, to_user).observer());
  }
  const std::shared_ptr<const Sampler>& sampler() const { return sampler_; }
  const TimeGrid& grid() const { return grid_; }
  int64_t block() const { return block_; }
  const std::vector<Observer>& observers() const { return observers_; }
  void finish() {
    progress_.finish();
    if (states_) states_->finish();
  }

 private:
  SamplerChoice choice_;
  TimeGrid grid_;
  std::shared_ptr<const Sampler> sampler_ = std::move(choice_.sampler);
  int64_t block_;
  std::vector<Observer> observers_;
  Progress progress_;
  int64_t done_ = 0;
  std::optional<TrajectoryFile> states_;
};

/// How the prior fits where the grid begins, having said so where it does not.
Json judge_prior(const GaussianProcess& process, double spread, const TimeGrid& grid) {
  const PriorFit fit = prior_fit(process, spread, begin_of(grid));
  warn_of_prior(process, spread, fit, "samples");
  return prior_record(process, spread, fit);
}

/// Samples of a target's exact denoiser, from the prior, or from the exact law where given: from N(0, I) the
/// modes of two-modes end with 0.6 per cent too much or too little.
Samples run_exact(const SampleOptions& o, const AnalyticDenoiser& denoiser, const ExactStart& start) {
  const int64_t dimension = denoiser.target().dimension();
  check_output_holds(o.out, {dimension});
  const GaussianProcess& process = denoiser.process();
  WatchedRun run(o, process, {dimension}, [](const Tensor& x) { return x; });
  const Rng rng(o.common.seed);
  IntegrateOptions options{.noise = nullptr, .block = run.block(), .observers = run.observers()};
  Samples samples;
  const Tensor some = denoiser.target().sample(4096, rng.stream("spread"));
  if (!start) samples.prior = judge_prior(process, data_spread(some), run.grid());
  warn_of_last_step(process, smallest_deviation(some), *run.sampler(), run.grid());
  if (start) options.noise = rng.stream("sampler").noise_source(at::kDouble);
  const Integration result =
      start ? integrate(denoiser, *run.sampler(), run.grid(), start(run.grid().times().front()), options)
            : generate(denoiser, *run.sampler(), run.grid(), {o.n, dimension}, rng, at::kDouble, options);
  run.finish();
  samples.values = result.x;
  samples.evaluations = result.evaluations;
  if (run.sampler()->adaptive()) samples.rejected = result.rejected;
  return samples;
}

/// Samples of a trained model, from the prior.
Samples run_model(const SampleOptions& o, const Model& model) {
  check_output_holds(o.out, model.event_shape());
  const GaussianProcess& process = model.spec.process;
  WatchedRun run(o, process, model.event_shape(),
                 [&](const Tensor& x) { return model.normalisation.invert(x.cpu()); });
  Samples samples;
  samples.prior = judge_prior(process, recorded_spread(model.training), run.grid());
  warn_of_last_step(process, 1, *run.sampler(), run.grid());
  fokker::SampleOptions options{.sampler = run.sampler(),
                                .grid = run.grid(),
                                .guidance = o.guidance,
                                .clip = clip_of(o),
                                .batch = run.block(),
                                .observers = run.observers()};
  if (!o.label.empty()) options.labels = {o.label};
  const ModelSamples drawn = sample_counted(model, o.n, Rng(o.common.seed), options);
  run.finish();
  samples.values = drawn.rows.values;
  samples.evaluations = drawn.evaluations;
  if (run.sampler()->adaptive()) samples.rejected = drawn.rejected;
  return samples;
}

/// Runs a Markov chain on one law, with the same progress and trajectory.
Samples run_kernel(const SampleOptions& o, const KernelChoice& choice, const Distribution& law,
                   const Tensor& start, const ToUserUnits& to_user) {
  check_output_holds(o.out, start.sizes().slice(1));
  ChainOptions options{.steps = o.steps > 0 ? o.steps : 1000, .observers = {}};
  options.block = o.batch > 0 ? o.batch : start.dim() == 4 ? 64 : 4096;
  Progress progress("sampling", ((o.n + options.block - 1) / options.block) * options.steps);
  int64_t done = 0;
  options.observers.emplace_back([&](const Observation& seen) {
    if (seen.step > 0) progress.update(++done);
  });
  std::optional<TrajectoryFile> states;
  if (!o.trajectory.empty()) {
    states.emplace(o.trajectory, o.n, every_step(options.steps, o.trajectory_every), to_user);
    options.observers.push_back(states->observer());
  }
  const NoiseSource noise = Rng(o.common.seed).stream("sampler").noise_source(start.scalar_type());
  const ChainRun run = run_chain(*choice.kernel, law, start, noise, options);
  progress.finish();
  if (states) states->finish();
  return {to_user(run.x), {}, run.evaluations, run.acceptance};
}

/// A chain on the law of x_t at the kernel's time, as the denoiser describes it.
Samples run_model_kernel(const SampleOptions& o, const Model& model) {
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

Samples sample_model(const SampleOptions& o) {
  const DenoiserSource source = open_denoiser(o.common, {.run = o.run});
  const Model& model = *source.model;
  check(o.label.empty() || !model.label_names.empty(),
        "label: {} was trained without labels but received '{}'", o.run, o.label);
  if (o.label.empty() && !model.label_names.empty())
    message(fmt::format("no --label: samples of any class, without regard to it, of {}",
                        list_labels(model.label_names)));
  Samples samples = is_chain(o.sampler) ? run_model_kernel(o, model) : run_model(o, model);
  samples.columns = model.columns;
  return samples;
}

/// A chain on the target itself, or with a process on the exact law of x_t.
Samples run_target_kernel(const SampleOptions& o) {
  const KernelChoice choice = make_kernel(o.sampler, o.step_size);
  std::unique_ptr<Distribution> law = target_from(o.target, o.reading.load_options());
  if (!o.process.empty()) {
    const AnalyticDenoiser denoiser =
        exact_denoiser(o.target, GaussianProcess(make_schedule(o.process)), o.reading.load_options());
    const double t = choice.time >= 0 ? choice.time : denoiser.process().time_min();
    law = std::make_unique<GaussianMixture>(denoiser.marginal(t));
  } else {
    check(choice.time < 0, "{}: a time needs a --process", choice.kernel->name());
  }
  const Tensor start = chain_start(o.start, o.n, {law->dimension()}, Rng(o.common.seed));
  return run_kernel(o, choice, *law, start, [](const Tensor& x) { return x; });
}

Samples sample_target(const SampleOptions& o) {
  if (is_chain(o.sampler)) return run_target_kernel(o);
  if (drawn_directly(o)) {
    const auto target = target_from(o.target, o.reading.load_options());
    check_output_holds(o.out, {target->dimension()});
    check(target->can_sample(), "target '{}' cannot be sampled directly; give a --process and a --sampler",
          o.target);
    return {target->sample(o.n, Rng(o.common.seed).stream("target")), {}, 0};
  }
  // Annealing is defined on mu * N(0, sigma^2 I), a process that only adds noise.
  const std::string usual = o.sampler.starts_with("annealed-langevin") ? "ve" : "vp";
  const std::string process = o.process.empty() ? usual : o.process;
  const AnalyticDenoiser denoiser =
      exact_denoiser(o.target, GaussianProcess(make_schedule(process)), o.reading.load_options());
  ExactStart start;  // annealing is there to do without one
  if (!o.sampler.starts_with("annealed-langevin"))
    start = [&](double t) { return denoiser.marginal(t).sample(o.n, Rng(o.common.seed).stream("prior")); };
  return run_exact(o, denoiser, start);
}

/// What share of the samples each mode of a mixture got.
std::optional<ModeStatistics> count_modes(const SampleOptions& o, const Tensor& samples) {
  if (o.target.empty()) return {};
  const auto target = target_from(o.target, o.reading.load_options());
  const GaussianMixture* mixture = as_gaussian_mixture(*target);
  if (!mixture || mixture->components() < 2 || mixture->components() > 32) return {};
  return mode_weights(samples, *mixture);
}

/// Adds to the JSON object and returns the text.
std::string describe(const Samples& samples, const std::optional<ModeStatistics>& modes, Json& json) {
  std::string text;
  if (!samples.prior.is_null()) json["prior"] = samples.prior;
  if (samples.evaluations > 0) text += fmt::format("evaluations {} per sample\n", samples.evaluations);
  if (samples.rejected) {
    json["rejected"] = *samples.rejected;
    text += fmt::format("rejected {} steps\n", *samples.rejected);
  }
  if (samples.acceptance) {
    json["acceptance"] = *samples.acceptance;
    text += fmt::format("acceptance {:.4f}\n", *samples.acceptance);
  }
  if (!modes) return text;
  json["mode_weights"] = json["mode_weights_expected"] = Json::array();
  for (int64_t k = 0; k < modes->weights.size(0); ++k) {
    const double weight = modes->weights[k].item<double>(), expected = modes->expected[k].item<double>();
    json["mode_weights"].push_back(weight);
    json["mode_weights_expected"].push_back(expected);
    text += fmt::format("mode {:<3} weight {:.4f} (expected {:.4f})\n", k, weight, expected);
  }
  return text;
}

int run_sample(const SampleOptions& o, const Command& command) {
  check_options(o, command);
  const Samples samples = o.run.empty() ? sample_target(o) : sample_model(o);
  const int64_t broken = samples.values.flatten(1).isfinite().all(1).logical_not().sum().item<int64_t>();
  if (broken > 0)
    fail(ErrorKind::failed, "sample: {} of {} rows are not finite; nothing was written to {}", broken, o.n,
         o.out);
  write_samples(o.out, samples.values, samples.columns);
  Json json = {{"n", o.n}, {"out", o.out}, {"evaluations", samples.evaluations}, {"seed", o.common.seed}};
  if (!o.label.empty()) json["label"] = o.label;
  const std::string text = describe(samples, count_modes(o, samples.values), json);
  print_result(o.common, json, text);
  message(fmt::format("wrote {} samples to {}", o.n, o.out));
  return 0;
}

}  // namespace

void add_sample(CommandLine& line) {
  add_command<SampleOptions>(
      line,
      {"sample", "Draw samples from a trained model or from the exact denoiser of a target",
       "fokker sample run --n 1000 --out samples.csv\n  "
       "fokker sample --target two-modes --sampler ula --steps 5000 --step-size 0.1 --out samples.csv\n  "
       "fokker sample --target two-modes --sampler annealed-langevin:levels=20,inner=100,step=0.1 --out "
       "samples.csv"},
      describe_options, run_sample);
}

}  // namespace fokker::cli
