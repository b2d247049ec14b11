#include <cmath>

#include "fokker/core/check.h"
#include "fokker/sample/samplers.h"

namespace fokker {
namespace {

using GridRegistry = Registry<TimeGrid, GaussianProcess, int64_t, TimeRange>;

/// n times of a chain of N at which it is seen, without a rounding to its steps: (k (N - 1)/(n - 1) + 1)/N.
std::vector<double> unrounded_times(const GaussianProcess& process, int64_t steps) {
  const auto length = static_cast<double>(process.schedule()->chain_steps());
  std::vector<double> times;
  times.reserve(static_cast<size_t>(steps) + 1);
  for (int64_t k = steps - 1; k >= 0; --k) {
    const double share = steps > 1 ? static_cast<double>(k) / static_cast<double>(steps - 1) : 0.0;
    times.push_back((share * (length - 1) + 1) / length);
  }
  times.push_back(0);
  return times;
}

/// The ways in which programs take n of a chain's N steps. `open`: n + 1 are spaced, and the first is left
/// out. `to` "first": the run ends at the first step's noise, not at clean data.
GridRegistry::Make chain_spacing(ChainSpacing spacing) {
  return [=](Spec& spec, const GaussianProcess& process, int64_t steps, const TimeRange&) {
    const bool open = spacing != ChainSpacing::trailing && spec.flag("open", false);
    const bool rounded = spacing != ChainSpacing::linspace || spec.flag("rounded", true);
    const bool to_first = spec.word<bool>("to", {{"data", false}, {"first", true}});
    const int64_t offset = spacing == ChainSpacing::leading ? spec.integer("offset", 0) : 0;
    check(rounded || !open, "grid: linspace: expected open=1 or rounded=0, not both");
    std::vector<double> times = TimeGrid::chain(process, steps + (open ? 1 : 0), spacing, offset).times();
    if (!rounded) times = unrounded_times(process, steps);
    if (open) times.erase(times.end() - 2);
    if (!to_first) return TimeGrid(std::move(times));
    const double first = 1 / static_cast<double>(process.schedule()->chain_steps());
    while (!times.empty() && times.back() <= first) times.pop_back();
    times.push_back(first);
    return TimeGrid(std::move(times));
  };
}

/// Flow matching's times (Esser et al. 2024, eq. 23): t = shift u / (1 + (shift - 1) u) of equal steps of u
/// from 1 to `least` and then one to 0, or without it to 0 in equal steps; 1 - t stretched so that the last
/// but one is `terminal`, where that is given.
std::vector<double> shifted_times(double shift, double least, double terminal, int64_t steps) {
  std::vector<double> times;
  times.reserve(static_cast<size_t>(steps) + 1);
  const auto parts = static_cast<double>(least > 0 ? steps - 1 : steps);
  for (int64_t i = 0; i < steps; ++i) {
    const double u = parts > 0 ? std::lerp(1.0, least, static_cast<double>(i) / parts) : 1.0;
    times.push_back(shift * u / (1 + (shift - 1) * u));
  }
  if (terminal > 0 && steps > 1) {
    const double stretch = (1 - terminal) / (1 - times.back());
    for (double& t : times) t = 1 - (1 - t) * stretch;
  }
  times.push_back(0);
  return times;
}

TimeGrid make_shifted(Spec& spec, const GaussianProcess&, int64_t steps, const TimeRange& range) {
  const double shift = spec.number("shift", 1.0), least = spec.number("least", 0.0),
               terminal = spec.number("terminal", 0.0);
  check(steps > 0, "grid: shifted: expected at least one step but received {}", steps);
  check(shift > 0 && least >= 0 && least < 1 && terminal >= 0 && terminal < 1,
        "grid: shifted: expected shift > 0, and least and terminal in [0, 1) but received {}, {} and {}",
        shift, least, terminal);
  std::vector<double> times = shifted_times(shift, least, terminal, steps);
  for (double& t : times) t = std::lerp(range.end, range.start, t);
  return TimeGrid(std::move(times));
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
       {"shifted", "flow matching's shift of equal steps of t", make_shifted},
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
