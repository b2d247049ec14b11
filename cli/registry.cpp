#include "cli/registry.h"

#include "cli/langevin.h"
#include "fokker/core/error.h"
#include "fokker/core/spec.h"
#include "fokker/data/load.h"
#include "fokker/sample/ancestral.h"
#include "fokker/sample/annealed_langevin.h"
#include "fokker/sample/ddim.h"
#include "fokker/sample/dpmpp_2m.h"
#include "fokker/sample/euler_maruyama.h"
#include "fokker/sample/probability_flow.h"
#include "fokker/target/toys.h"

namespace fokker::cli {
namespace {

Ancestral::Variance ancestral_variance(Spec& spec) {
  const std::string name = spec.text("variance", "posterior");
  check(name == "posterior" || name == "transition",
        "ancestral: variance: expected posterior or transition but received '{}'", name);
  return name == "posterior" ? Ancestral::Variance::posterior : Ancestral::Variance::transition;
}

/// annealed-langevin:levels=20,inner=100 with step = h_i / sigma_i^2, or last_step = h_L.
SamplerChoice annealed_langevin(Spec& spec, const GaussianProcess& process) {
  const double last_sigma = process.sigma(process.time_min());
  const bool by_last = spec.has("last_step");
  check(!by_last || !spec.has("step"), "annealed-langevin: expected step or last_step, not both");
  const double step =
      by_last ? spec.number("last_step", 0) / (last_sigma * last_sigma) : spec.number("step", 0.1);
  const int64_t levels = spec.integer("levels", 20);
  check(levels > 1, "annealed-langevin: expected levels > 1 but received {}", levels);
  // Levels are the times of the grid; where sigma(0) = 0 the time 0 is not one of them.
  const int64_t steps = process.sigma(0) > 0 ? levels - 1 : levels;
  return {std::make_unique<AnnealedLangevin>(
              AnnealedLangevin::Options{.inner = spec.integer("inner", 100), .relative_step = step}),
          "log-snr", steps};
}

SamplerChoice choose(Spec& spec, const GaussianProcess& process) {
  const std::string& name = spec.name();
  const int64_t chain = process.schedule()->chain_steps();
  if (name == "ancestral")
    return {std::make_unique<Ancestral>(ancestral_variance(spec)), chain ? "uniform" : "log-snr",
            chain ? chain : 200};
  if (name == "ddim")
    return {std::make_unique<Ddim>(spec.number("eta", 0.0)), chain ? "uniform" : "log-snr", 50};
  if (name == "euler-maruyama")
    return {std::make_unique<EulerMaruyama>(
                EulerMaruyama::Options{.denoise_last = spec.integer("denoise_last", 0) != 0}),
            "uniform", 500};
  if (name == "euler") return {std::make_unique<Euler>(), "log-snr", 100};
  if (name == "heun") return {std::make_unique<Heun>(), "log-snr", 40};
  if (name == "dpmpp-2m") return {std::make_unique<DpmPp2M>(), "log-snr", 30};
  if (name == "annealed-langevin") return annealed_langevin(spec, process);
  spec.unknown_name(sampler_names());
}

}  // namespace

std::vector<std::string> sampler_names() {
  std::vector<std::string> names = {"ancestral", "ddim",     "euler-maruyama",   "euler",
                                    "heun",      "dpmpp-2m", "annealed-langevin"};
  for (const auto& name : chain_names()) names.push_back(name);
  return names;
}

SamplerChoice make_sampler(const std::string& text, const GaussianProcess& process) {
  Spec spec("sampler", text);
  SamplerChoice choice = choose(spec, process);
  spec.finish();
  return choice;
}

std::vector<std::string> grid_names() {
  return {"uniform", "log-snr", "quadratic", "karras"};
}

TimeGrid make_grid(const std::string& text, const GaussianProcess& process, const Sampler& sampler,
                   int64_t steps) {
  Spec spec("grid", text);
  // Only methods that use f and g themselves must keep away from where they are infinite.
  const TimeRange range{.start = sampler.name() == "euler-maruyama" ? process.schedule()->sde_end() : 1.0};
  const auto choose = [&]() -> TimeGrid {
    if (spec.name() == "uniform") return TimeGrid::uniform(steps, range);
    if (spec.name() == "log-snr") return TimeGrid::uniform_log_snr(process, steps, range);
    if (spec.name() == "quadratic") return TimeGrid::quadratic(steps, range);
    if (spec.name() == "karras") return TimeGrid::karras(process, steps, spec.number("rho", 7.0), range);
    spec.unknown_name(grid_names());
  };
  TimeGrid grid = choose();
  spec.finish();
  return grid;
}

Tensor load_rows(const std::string& path) {
  return load_data(path, {}).values.to(at::kDouble).flatten(1);
}

std::unique_ptr<Distribution> target_from(const std::string& spec) {
  return make_target(spec, load_rows);
}

AnalyticDenoiser exact_denoiser(const std::string& target, const GaussianProcess& process) {
  const auto distribution = target_from(target);
  const GaussianMixture* mixture = as_gaussian_mixture(*distribution);
  check(mixture != nullptr,
        "target '{}' has no closed form under noise; use a Gaussian mixture (a built-in one, a JSON file) or "
        "data:FILE",
        target);
  return AnalyticDenoiser(*mixture, process);
}

}  // namespace fokker::cli
