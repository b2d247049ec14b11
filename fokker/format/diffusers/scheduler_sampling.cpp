#include "fokker/format/diffusers/scheduler_sampling.h"

#include <map>

#include "fokker/core/check.h"

namespace fokker {
namespace {

using detail::JsonReader;

/// Which of a chain's steps a scheduler takes: n of them with both ends; n of n + 1, without the first; or n
/// points between both ends that are no whole steps.
enum class ChainPoints { closed, open, fractional };

bool is_set(const JsonReader& reader, const char* key) {
  bool value = false;
  reader.read(key, value);
  return value;
}

std::string word_of(const JsonReader& reader, const char* key) {
  std::string value;
  reader.read(key, value);
  return value;
}

int64_t order_of(const JsonReader& reader, int64_t most) {
  const auto order = reader.get<int64_t>("solver_order");
  check_input(order >= 1 && order <= most, "{}: expected \"solver_order\" from 1 to {} but received {}",
              reader.place(), most, order);
  return order;
}

/// The noise levels that use_karras_sigmas and its kin space, or nothing.
std::string level_grid(const JsonReader& reader, ChainPoints points, bool to_first,
                       std::vector<std::string>& notes) {
  const char* key = is_set(reader, "use_karras_sigmas")        ? "use_karras_sigmas"
                    : is_set(reader, "use_exponential_sigmas") ? "use_exponential_sigmas"
                    : is_set(reader, "use_lu_lambdas")         ? "use_lu_lambdas"
                                                               : nullptr;
  if (key == nullptr) return {};
  check_input(!to_first, "{}: {} cannot be represented where the run ends before clean data", reader.place(),
              key);
  check_input(points != ChainPoints::fractional || word_of(reader, "timestep_spacing") == "linspace",
              "{}: {} cannot be represented beside timestep_spacing \"{}\"; expected linspace",
              reader.place(), key, word_of(reader, "timestep_spacing"));
  check_input(!is_set(reader, "rescale_betas_zero_snr"),
              "{}: {} cannot be represented beside rescale_betas_zero_snr, where the first level is infinite",
              reader.place(), key);
  notes.emplace_back(
      fmt::format("{}: the network is told the time of each noise level itself, which diffusers {}", key,
                  points == ChainPoints::open ? "rounds to a step" : "takes from the nearest steps"));
  return std::string(key) == "use_karras_sigmas" ? "karras" : "log-snr";
}

std::string chain_grid(const JsonReader& reader, ChainPoints points, bool to_first) {
  const std::string spacing = word_of(reader, "timestep_spacing");
  reader.require("timestep_spacing", {"linspace", "leading", "trailing"});
  int64_t offset = 0;
  reader.read("steps_offset", offset);
  std::string grid = spacing;
  const auto add = [&](const std::string& parameter) { grid += (grid == spacing ? ":" : ",") + parameter; };
  if (spacing == "leading" && offset != 0) add(fmt::format("offset={}", offset));
  if (points == ChainPoints::open && spacing != "trailing") add("open=1");
  if (points == ChainPoints::fractional && spacing == "linspace") add("rounded=0");
  if (to_first) add("to=first");
  return grid;
}

std::string grid_for(const JsonReader& reader, ChainPoints points, bool to_first,
                     std::vector<std::string>& notes) {
  const std::string levels = level_grid(reader, points, to_first, notes);
  return levels.empty() ? chain_grid(reader, points, to_first) : levels;
}

/// Whether the run ends at the chain's first step and not at clean data.
bool ends_at_first(const JsonReader& reader) {
  reader.require("final_sigmas_type", {"zero", "sigma_min"});
  return word_of(reader, "final_sigmas_type") == "sigma_min";
}

std::optional<double> clip_of(const JsonReader& reader) {
  return is_set(reader, "clip_sample") ? reader.get<double>("clip_sample_range") : 0.0;
}

using Notes = std::vector<std::string>;

UsualSampling read_ddpm(const JsonReader& reader, Notes&) {
  reader.require("variance_type", {"fixed_small", "fixed_small_log", "fixed_large"});
  const bool large = word_of(reader, "variance_type") == "fixed_large";
  return {large ? "ancestral:variance=transition" : "ancestral",
          chain_grid(reader, ChainPoints::closed, false), clip_of(reader)};
}

UsualSampling read_ddim(const JsonReader& reader, Notes& notes) {
  if (word_of(reader, "timestep_spacing") != "leading")
    notes.emplace_back(
        "DDIMScheduler: each step goes to the next time of the grid; diffusers steps by a whole part of the "
        "chain, which need not meet it");
  if (is_set(reader, "clip_sample"))
    notes.emplace_back("DDIMScheduler: the noise is that of the clipped estimate (use_clipped_model_output)");
  return {"ddim", chain_grid(reader, ChainPoints::closed, !is_set(reader, "set_alpha_to_one")),
          clip_of(reader)};
}

UsualSampling read_pndm(const JsonReader& reader, Notes& notes) {
  if (word_of(reader, "prediction_type") != "epsilon")
    notes.emplace_back(
        "PNDMScheduler: estimates of the noise are combined, where diffusers combines velocities");
  return {is_set(reader, "skip_prk_steps") ? "pndm:warm_up=0" : "pndm",
          chain_grid(reader, ChainPoints::closed, !is_set(reader, "set_alpha_to_one")), 0.0};
}

void note_lower_order(const JsonReader& reader, Notes& notes) {
  if (is_set(reader, "lower_order_final"))
    notes.emplace_back(
        "lower_order_final: runs of fewer than 15 steps keep their order to the last step but one");
}

/// DPM-Solver++ of an order, in several steps.
std::string multistep_dpm(const JsonReader& reader) {
  reader.require("algorithm_type", {"dpmsolver++", "sde-dpmsolver++", "deis"});
  reader.require("solver_type", {"midpoint", "logrho", "bh1", "bh2"});
  const bool noisy = word_of(reader, "algorithm_type") == "sde-dpmsolver++";
  const int64_t order = order_of(reader, noisy ? 2 : 3);
  if (noisy) return order == 1 ? "ddim:eta=1" : "dpmpp-sde";
  return order == 1 ? "ddim" : order == 2 ? "dpmpp-2m" : "dpmpp-3m:weights=published";
}

/// A bound on the levels, of which -infinity is none (read_python_json).
void refuse_clipped_levels(const JsonReader& reader) {
  reader.require("lambda_min_clipped", {"-Infinity"});
  reader.require("variance_type", {});
}

UsualSampling read_dpm_multistep(const JsonReader& reader, Notes& notes) {
  refuse_clipped_levels(reader);
  const bool to_first = ends_at_first(reader);
  if (to_first) reader.require("euler_at_final", {false});
  note_lower_order(reader, notes);
  return {multistep_dpm(reader), grid_for(reader, ChainPoints::open, to_first, notes), 0.0};
}

UsualSampling read_dpm_singlestep(const JsonReader& reader, Notes& notes) {
  refuse_clipped_levels(reader);
  reader.require("algorithm_type", {"dpmsolver++"});
  reader.require("solver_type", {"midpoint"});
  const bool to_first = ends_at_first(reader);
  if (to_first) reader.require("lower_order_final", {false});
  return {order_of(reader, 2) == 1 ? "ddim" : "dpmpp-2s:paired=1",
          grid_for(reader, ChainPoints::open, to_first, notes), 0.0};
}

UsualSampling read_unipc(const JsonReader& reader, Notes& notes) {
  reader.require("predict_x0", {true});
  reader.require("disable_corrector", {Json::array()});
  for (const char* key : {"solver_p", "sigma_min", "sigma_max", "shift_terminal"}) reader.require(key, {});
  reader.require("solver_type", {"bh2", "bh1"});
  return {fmt::format("unipc:order={},scale={},lower_order_final={}", order_of(reader, 3),
                      word_of(reader, "solver_type"), is_set(reader, "lower_order_final") ? 1 : 0),
          grid_for(reader, ChainPoints::open, ends_at_first(reader), notes), 0.0};
}

UsualSampling read_deis(const JsonReader& reader, Notes& notes) {
  reader.require("algorithm_type", {"deis", "dpmsolver", "dpmsolver++"});
  reader.require("solver_type", {"logrho", "midpoint", "heun", "bh1", "bh2"});
  note_lower_order(reader, notes);
  const int64_t order = order_of(reader, 3);
  return {order == 1 ? "ddim" : fmt::format("deis:order={},variable=log-snr", order),
          grid_for(reader, ChainPoints::open, true, notes), 0.0};
}

UsualSampling read_lms(const JsonReader& reader, Notes& notes) {
  return {"lms", grid_for(reader, ChainPoints::fractional, false, notes), 0.0};
}

UsualSampling read_euler(const JsonReader& reader, Notes& notes) {
  reader.require("interpolation_type", {"linear"});
  reader.require("timestep_type", {"discrete"});
  for (const char* key : {"sigma_min", "sigma_max"}) reader.require(key, {});
  return {"ddim", grid_for(reader, ChainPoints::fractional, ends_at_first(reader), notes), 0.0};
}

UsualSampling read_euler_ancestral(const JsonReader& reader, Notes&) {
  return {"ddim:eta=1", chain_grid(reader, ChainPoints::fractional, false), 0.0};
}

UsualSampling read_heun(const JsonReader& reader, Notes& notes) {
  return {"edm-stochastic:churn=0", grid_for(reader, ChainPoints::fractional, false, notes), clip_of(reader)};
}

/// Equal steps of the process's time are the scheduler's levels.
UsualSampling edm_sampling(std::string sampler, const JsonReader& reader, Notes& notes) {
  reader.require("final_sigmas_type", {"zero"});
  notes.emplace_back(
      "EDM: the step from the last noise level to clean data is not counted here: n steps of diffusers are "
      "n - 1");
  return {std::move(sampler), "uniform", 0.0};
}

UsualSampling read_edm_euler(const JsonReader& reader, Notes& notes) {
  return edm_sampling("ddim", reader, notes);
}

UsualSampling read_edm_dpm(const JsonReader& reader, Notes& notes) {
  note_lower_order(reader, notes);
  return edm_sampling(multistep_dpm(reader), reader, notes);
}

/// The times between 1 and the last but one, which the scheduler shifts twice.
UsualSampling read_flow_match(const JsonReader& reader, Notes&) {
  const auto shift = reader.get<double>("shift");
  const auto steps = static_cast<double>(reader.get<int64_t>("num_train_timesteps"));
  double terminal = 0;
  reader.read("shift_terminal", terminal);
  check_input(
      shift > 0 && steps >= 1 && terminal >= 0 && terminal < 1,
      "{}: expected shift > 0, num_train_timesteps >= 1 and shift_terminal in [0, 1) but received {}, "
      "{} and {}",
      reader.place(), shift, steps, terminal);
  const double least = shift / (steps + shift - 1);
  std::string grid = fmt::format("shifted:least={}", least);
  if (shift != 1) grid += fmt::format(",shift={}", shift);
  if (terminal > 0) grid += fmt::format(",terminal={}", terminal);
  return {"ddim", grid, 0.0};
}

}  // namespace

UsualSampling read_sampling(const JsonReader& reader, std::vector<std::string>& notes) {
  using Read = UsualSampling (*)(const JsonReader&, Notes&);
  static const std::map<std::string, Read> readers = {
      {"DDPMScheduler", read_ddpm},
      {"DDIMScheduler", read_ddim},
      {"PNDMScheduler", read_pndm},
      {"DPMSolverMultistepScheduler", read_dpm_multistep},
      {"DPMSolverSinglestepScheduler", read_dpm_singlestep},
      {"UniPCMultistepScheduler", read_unipc},
      {"DEISMultistepScheduler", read_deis},
      {"LMSDiscreteScheduler", read_lms},
      {"EulerDiscreteScheduler", read_euler},
      {"EulerAncestralDiscreteScheduler", read_euler_ancestral},
      {"HeunDiscreteScheduler", read_heun},
      {"EDMEulerScheduler", read_edm_euler},
      {"EDMDPMSolverMultistepScheduler", read_edm_dpm},
      {"FlowMatchEulerDiscreteScheduler", read_flow_match}};
  return readers.at(reader.get<std::string>("_class_name"))(reader, notes);
}

}  // namespace fokker
