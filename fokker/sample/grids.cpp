#include "fokker/core/check.h"
#include "fokker/sample/samplers.h"

namespace fokker {
namespace {

using GridRegistry = Registry<TimeGrid, GaussianProcess, int64_t, TimeRange>;

GridRegistry::Make chain_spacing(ChainSpacing spacing) {
  return [=](Spec& spec, const GaussianProcess& process, int64_t steps, const TimeRange&) {
    const int64_t offset = spacing == ChainSpacing::leading ? spec.integer("offset", 0) : 0;
    return TimeGrid::chain(process, steps, spacing, offset);
  };
}

GridRegistry& grids() {
  static GridRegistry registry(
      "grid",
      {{"uniform", "equal steps of t",
        [](Spec&, const GaussianProcess&, int64_t steps, const TimeRange& range) {
          return TimeGrid::uniform(steps, range);
        }},
       {"log-snr", "equal steps of the log-SNR",
        [](Spec&, const GaussianProcess& process, int64_t steps, const TimeRange& range) {
          return TimeGrid::uniform_log_snr(process, steps, range);
        }},
       {"quadratic", "t = (1 - i/steps)^2",
        [](Spec&, const GaussianProcess&, int64_t steps, const TimeRange& range) {
          return TimeGrid::quadratic(steps, range);
        }},
       {"karras", "(sigma/alpha)^(1/rho) evenly",
        [](Spec& spec, const GaussianProcess& process, int64_t steps, const TimeRange& range) {
          return TimeGrid::karras(process, steps, spec.number("rho", 7.0), range);
        }},
       {"linspace", "steps of the chain, evenly with both ends", chain_spacing(ChainSpacing::linspace)},
       {"leading", "steps of the chain, every k-th from the first", chain_spacing(ChainSpacing::leading)},
       {"trailing", "steps of the chain, every k-th from the last", chain_spacing(ChainSpacing::trailing)}});
  return registry;
}

}  // namespace

TimeGrid make_grid(std::string_view spec, const GaussianProcess& process, int64_t steps, TimeRange range) {
  return grids().make(spec, process, steps, range);
}

std::vector<std::string> grid_names() {
  return grids().names();
}

std::vector<Description> grid_descriptions() {
  return grids().descriptions(BetaTable::linear(), 2, {});
}

void register_grid(const std::string& name,
                   std::function<TimeGrid(Spec&, const GaussianProcess&, int64_t, TimeRange)> make,
                   const std::string& summary) {
  grids().add({name, summary, std::move(make)});
}

double last_noise(const TimeGrid& grid, const GaussianProcess& process) {
  const std::vector<double>& times = grid.times();
  if (times.back() > 0) return 0;
  const double t = process.sigma(0) > 0 ? 0 : times[times.size() - 2];
  return process.sigma(t) / process.alpha(t);
}

std::string spacing_to_data(const std::string& spacing, const GaussianProcess& process, int64_t steps) {
  constexpr double most = 0.1;
  return last_noise(make_grid(spacing, process, steps), process) <= most ? spacing : "log-snr";
}

TimeGrid sampler_grid(const SamplerChoice& choice, const GaussianProcess& process, const std::string& spacing,
                      int64_t steps) {
  const Sampler& sampler = *choice.sampler;
  check(choice.steps_set_by.empty() || steps == 0,
        "{}: expected {} or a number of steps, not both: each says how many times there are", sampler.name(),
        choice.steps_set_by);
  check(!sampler.adaptive() || spacing.empty(),
        "grid: {} chooses its own steps; expected no spacing, but received '{}' (its accuracy is set by rtol "
        "and "
        "atol, and the steps say at how many times it is seen)",
        sampler.name(), spacing);
  // Only methods that use f and g themselves must keep away from where they are infinite.
  const TimeRange range{.start = sampler.needs_sde() ? process.schedule()->sde_end() : 1.0};
  return make_grid(spacing.empty() ? choice.grid : spacing, process, steps > 0 ? steps : choice.steps, range);
}

}  // namespace fokker
