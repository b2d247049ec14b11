#include "cli/written_sde.h"

#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/course/problem/formula_sde.h"
#include "fokker/sde/simulate.h"

namespace fokker::cli {
namespace {

using course::WrittenSde;

/// The law of x(0), standard normal where none is given; null of a named diffusion, which brings its own.
std::unique_ptr<Distribution> start_of(const WrittenRun& run, const WrittenSde& written,
                                       const LoadOptions& reading) {
  if (written.sample) {
    check(run.target.empty(), "target: the diffusion '{}' brings its own start", run.text);
    return nullptr;
  }
  if (run.target.empty()) {
    message("x(0) is standard normal (--target gives it another law)");
    return std::make_unique<GaussianMixture>(GaussianMixture::standard_normal(written.sde.dimension));
  }
  auto start = target_from(run.target, reading);
  check(start->dimension() == written.sde.dimension,
        "sde: expected a target in {} dimension{} but '{}' has {}", written.sde.dimension,
        written.sde.dimension == 1 ? "" : "s", run.target, start->dimension());
  check(start->can_sample(), "target '{}' cannot be sampled", run.target);
  return start;
}

Tensor kept_states(const Sde& sde, const Tensor& start, const std::vector<double>& times, const Rng& rng) {
  Tensor states = at::empty({static_cast<int64_t>(times.size()), start.size(0), start.size(1)}, at::kDouble);
  SimulateOptions options{.observer = [&](const SdeState& s) { states[s.step].copy_(s.x); }};
  if (sde.dispersion.kind() != Dispersion::Kind::none) options.noise = wiener_increments(rng.stream("noise"));
  simulate(sde, start, times, options);
  return states;
}

WrittenPaths forward_paths(const WrittenRun& run, const WrittenSde& written, const Distribution* start,
                           const Rng& rng) {
  const Rng data = rng.stream("data");
  const Tensor x0 = start ? start->sample(run.n, data) : written.sample(run.n, data, 0);
  const std::vector<double> times = uniform_times(0, run.end, run.steps);
  return {kept_states(written.sde, x0, times, rng), times, ""};
}

WrittenPaths backward_paths(const WrittenRun& run, const WrittenSde& written, const Distribution* start,
                            const Rng& rng) {
  const course::DiffusionLaw law = law_of_diffusion(written, start, run.end, run.steps, rng.stream("law"));
  Sde sde = written.sde;
  if (run.without_divergence) sde.divergence = [](const Tensor& x, double) { return at::zeros_like(x); };
  const Tensor end = law.sample_end(run.n, rng.stream("start"));
  const std::vector<double> times = uniform_times(run.end, 0, run.steps);
  if (run.direction == "flow")
    return {kept_states(probability_flow(sde, law.score), end, times, rng), times, law.method};
  const Tensor states =
      kept_states(reverse(sde, law.score, run.end), end, uniform_times(0, run.end, run.steps), rng);
  return {states, times, law.method};
}

}  // namespace

WrittenPaths simulate_written(const WrittenRun& run, const LoadOptions& reading, const Rng& rng) {
  check(run.end > 0 && run.end <= 1000, "end: expected a time in (0, 1000] but received {}", run.end);
  const WrittenSde written = course::parse_sde(run.text);
  const auto start = start_of(run, written, reading);
  if (run.without_divergence) {
    check(run.direction != "forward",
          "without-divergence: a forward simulation has no div a; expected reverse or flow");
    check(written.state_dependent, "without-divergence: sigma does not depend on x, so div a is zero");
  }
  return run.direction == "forward" ? forward_paths(run, written, start.get(), rng)
                                    : backward_paths(run, written, start.get(), rng);
}

}  // namespace fokker::cli
