#pragma once
#include "fokker/core/text/spec_registry.h"
#include "fokker/sample/chain/markov_chain.h"
#include "fokker/sample/sampler.h"
#include "fokker/sample/time_grid.h"

namespace fokker {

/// A sampler with the grid it is used on unless told otherwise.
struct SamplerChoice {
  std::unique_ptr<Sampler> sampler;
  std::string grid = "log-snr";  ///< default spacing
  int64_t steps = 30;            ///< default number of steps
  /// The parameter that has set `steps`, as "levels"; empty where it is the default.
  std::string steps_set_by = {};
};

/// By name with parameters, as "ddim:eta=0.5", "unipc:order=3,corrector=0". Argument errors list the valid
/// names and parameters.
SamplerChoice make_sampler(std::string_view spec, const GaussianProcess& process);
/// Of ours and of those registered, and after them the chains on one law (make_kernel).
std::vector<std::string> sampler_names();
std::vector<Description> sampler_descriptions();
/// Whether a spec names a method that goes from one time to another.
bool is_sampler(std::string_view spec);
/// Adds a method under a name. Argument error where the name is taken, also by a chain.
void register_sampler(const std::string& name,
                      std::function<SamplerChoice(Spec&, const GaussianProcess&)> make,
                      const std::string& summary = "");

/// A spacing by name with parameters: uniform, log-snr, quadratic, karras (rho), and those of a chain:
/// linspace, leading (offset), trailing. `range` is for those that are not a chain's.
TimeGrid make_grid(std::string_view spec, const GaussianProcess& process, int64_t steps,
                   TimeRange range = {});
std::vector<std::string> grid_names();
std::vector<Description> grid_descriptions();
/// Adds a spacing under a name.
void register_grid(const std::string& name,
                   std::function<TimeGrid(Spec&, const GaussianProcess&, int64_t steps, TimeRange)> make,
                   const std::string& summary = "");

/// The times of a run: a spacing as make_grid reads it, or the sampler's usual one where empty; steps = 0
/// takes the usual number. Begins where the sampler can (ScheduleModel::sde_end). Argument errors: a spacing
/// for a method that chooses its own steps, steps where a parameter of the sampler has set them.
TimeGrid sampler_grid(const SamplerChoice& choice, const GaussianProcess& process,
                      const std::string& spacing = "", int64_t steps = 0);

/// sigma/alpha where a grid's last step to clean data begins. That step takes the mean of what the data may
/// be there, so samples lack what is finer: data of deviation s come out with s / sqrt(1 + (last_noise /
/// s)^2). 0 where the grid ends before the data.
double last_noise(const TimeGrid& grid, const GaussianProcess& process);

/// A spacing, or "log-snr" where the last of so many of its steps would begin with more than a tenth of unit
/// data's deviation in noise: equal steps of t do in a process that is noisy soon after t = 0.
std::string spacing_to_data(const std::string& spacing, const GaussianProcess& process, int64_t steps);

/// A Markov chain's kernel with the time of a process at whose law it runs.
struct KernelChoice {
  std::unique_ptr<MarkovKernel> kernel;
  double time = -1;  ///< negative: the earliest of the process
};

/// "ula", "mala:step=0.3", "underdamped-langevin:friction=2", each with time=T; step_size > 0 takes the place
/// of `step`.
KernelChoice make_kernel(std::string_view spec, double step_size = 0);
std::vector<std::string> chain_names();
std::vector<Description> chain_descriptions();
/// Whether a spec names a Markov chain on one law.
bool is_chain(std::string_view spec);
/// Adds a kernel under a name; `step_size` is what make_kernel was given. Argument error where the name is
/// taken, also by a sampler.
void register_kernel(const std::string& name,
                     std::function<std::unique_ptr<MarkovKernel>(Spec&, double step_size)> make,
                     const std::string& summary = "");

}  // namespace fokker
