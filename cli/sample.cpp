#include <charconv>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/registry.h"
#include "fokker/core/error.h"
#include "fokker/core/progress.h"
#include "fokker/core/spec.h"
#include "fokker/data/npy.h"
#include "fokker/denoise/guidance.h"
#include "fokker/format/model.h"

namespace fokker::cli {
namespace {

struct Options {
  CommonOptions common;
  std::string run, target, process = "vp", out, sampler, grid, trajectory, label;
  int64_t n = 1000, steps = 0, batch = 0;
  double guidance = 1.0, clip = -1.0;
};

struct Samples {
  Tensor values;  ///< in the user's units
  std::vector<std::string> columns;
  int64_t evaluations = 0;
};

/// The rows of one time, carried to the user's units.
using ToUserUnits = std::function<Tensor(const Tensor&)>;

int64_t label_index(const Model& model, const std::string& label) {
  const auto& names = model.label_names;
  const auto named = std::find(names.begin(), names.end(), label);
  if (named != names.end()) return named - names.begin();
  int64_t index = -1;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), index);
  const bool number = error == std::errc() && end == label.data() + label.size() && index >= 0;
  check(number && names.empty(), "label: expected {} but received '{}'",
        names.empty() ? "an index >= 0" : "one of " + join(names), label);
  return index;
}

/// Points are cheap to evaluate, so their default is the more accurate method; images take the one that needs
/// least.
std::string default_sampler(const std::vector<int64_t>& event) {
  return event.size() == 3 ? "dpmpp-2m" : "heun";
}

/// Runs the sampler, in blocks with progress, and keeps the trajectory where asked.
Samples run_sampler(const Options& o, const Denoiser& denoiser, std::vector<int64_t> event,
                    at::TensorOptions type, const ToUserUnits& to_user) {
  const SamplerChoice choice =
      make_sampler(o.sampler.empty() ? default_sampler(event) : o.sampler, denoiser.process());
  const int64_t steps = o.steps > 0 ? o.steps : choice.steps;
  const TimeGrid grid =
      make_grid(o.grid.empty() ? choice.grid : o.grid, denoiser.process(), *choice.sampler, steps);
  std::vector<int64_t> shape{o.n};
  shape.insert(shape.end(), event.begin(), event.end());
  const int64_t block = o.batch > 0 ? o.batch : event.size() == 3 ? 64 : 4096;
  const int64_t blocks = (o.n + block - 1) / block;
  Progress progress("sampling", blocks * grid.steps());
  int64_t done = 0;
  IntegrateOptions options{.noise = nullptr, .block = block, .observers = {}};
  options.observers.emplace_back([&](const Observation& seen) {
    if (seen.step > 0) progress.update(++done);
    check(caught_signal() == 0, "sampling was stopped by a signal; nothing was written");
  });
  std::optional<Trajectory> states;
  if (!o.trajectory.empty()) {
    states.emplace(grid.steps(), shape, type);
    options.observers.push_back(states->observer());
  }
  const Integration result =
      generate(denoiser, *choice.sampler, grid, shape, Rng(o.common.seed), type, options);
  progress.finish();
  if (states) save_npy(o.trajectory, trajectory_in_user_units(states->states(), to_user));
  return {to_user(result.x), {}, result.evaluations};
}

Samples sample_model(const Options& o) {
  const Model model = load_model(o.run);
  const auto type = at::TensorOptions(network_type(parse_precision(o.common.precision)))
                        .device(parse_device(o.common.device));
  model.network->to(type.device(), c10::typeMetaToScalarType(type.dtype()));
  const LearnedDenoiser learned = model.denoiser();
  const Denoiser* denoiser = &learned;
  std::optional<GuidedDenoiser> guided;
  if (!o.label.empty()) denoiser = &guided.emplace(learned, label_index(model, o.label), o.guidance);
  std::optional<ClippedDenoiser> clipped;
  const double limit = o.clip >= 0 ? o.clip : model.is_image() ? 1.0 : 0.0;
  if (limit > 0) denoiser = &clipped.emplace(*denoiser, limit);
  Samples samples = run_sampler(o, *denoiser, model.event_shape(), type,
                                [&](const Tensor& x) { return model.normalisation.invert(x.cpu()); });
  samples.columns = model.columns;
  return samples;
}

Samples sample_target(const Options& o) {
  const bool direct = o.sampler.empty() && o.steps == 0;
  if (direct) {
    const auto target = target_from(o.target);
    check(target->can_sample(), "target '{}' cannot be sampled directly; give a --process and a --sampler",
          o.target);
    return {target->sample(o.n, Rng(o.common.seed).stream("target")), {}, 0};
  }
  const AnalyticDenoiser denoiser = exact_denoiser(o.target, GaussianProcess(make_schedule(o.process)));
  return run_sampler(o, denoiser, {denoiser.target().dimension()}, at::kDouble,
                     [](const Tensor& x) { return x; });
}

int run_sample(const Options& o, const Command& command) {
  check(o.n > 0, "n: expected n > 0 but received {}", o.n);
  check(o.steps >= 0, "steps: expected steps > 0 but received {}", o.steps);
  check(o.run.empty() != o.target.empty(), "expected either a run folder or --target");
  check_output(o.out);
  if (!o.trajectory.empty()) check_output(o.trajectory);
  catch_signals();
  const Samples samples = o.run.empty() ? sample_target(o) : sample_model(o);
  write_samples(o.out, samples.values, samples.columns);
  command.save_configuration(o.out + ".toml");
  const Json json = {
      {"n", o.n}, {"out", o.out}, {"evaluations", samples.evaluations}, {"seed", o.common.seed}};
  if (o.common.json) print_result(o.common, json, "");
  message(fmt::format("wrote {} samples to {}", o.n, o.out));
  return 0;
}

}  // namespace

void add_sample(CommandLine& line) {
  add_command<Options>(
      line,
      {"sample", "Draw samples from a trained model or from the exact denoiser of a target",
       "fokker sample run --n 1000 --out samples.csv"},
      [](Command& c, Options& o) {
        c.option("run", o.run, "Run folder of a trained model");
        c.option("--target", o.target, "Sample a known target with its exact denoiser");
        c.option("--process", o.process, "Process of the exact denoiser");
        c.option("--n", o.n, "Number of samples");
        c.option("--out", o.out, "Output file: .npy, .csv or .png", Command::Need::required);
        c.option("--sampler", o.sampler, "One of: " + join(sampler_names()));
        c.option("--steps", o.steps, "Number of steps; 0 takes the sampler's default");
        c.option("--grid", o.grid, "Spacing of times, one of: " + join(grid_names()));
        c.option("--trajectory", o.trajectory, "Also write every state to this .npy, (steps+1, n, ...)");
        c.option("--label", o.label, "Class to sample");
        c.option("--guidance", o.guidance, "Weight of classifier-free guidance; 1 is plain conditioning");
        c.option("--clip", o.clip, "Clip the denoised estimate to [-C, C]; 0 is off; images default to 1");
        c.option("--batch", o.batch, "Rows sampled together; 0 chooses");
      },
      run_sample);
}

}  // namespace fokker::cli
