#include "fokker/format/diffusers/scheduler_classes.h"

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/core/text/text.h"

namespace fokker {
namespace {

/// Of every scheduler that has a table of betas.
Json table_defaults() {
  return {{"num_train_timesteps", 1000}, {"beta_start", 0.0001},          {"beta_end", 0.02},
          {"beta_schedule", "linear"},   {"trained_betas", nullptr},      {"prediction_type", "epsilon"},
          {"steps_offset", 0},           {"timestep_spacing", "linspace"}};
}

/// Of those that solve an equation in several steps.
Json solver_defaults() {
  Json config = table_defaults();
  config.update({{"solver_order", 2},
                 {"thresholding", false},
                 {"lower_order_final", true},
                 {"use_karras_sigmas", false},
                 {"use_exponential_sigmas", false},
                 {"use_beta_sigmas", false},
                 {"use_flow_sigmas", false}});
  return config;
}

Json dpm_defaults() {
  Json config = solver_defaults();
  config.update({{"algorithm_type", "dpmsolver++"},
                 {"solver_type", "midpoint"},
                 {"final_sigmas_type", "zero"},
                 {"rescale_betas_zero_snr", false},
                 {"use_lu_lambdas", false},
                 {"euler_at_final", false},
                 {"variance_type", nullptr}});
  return config;
}

/// Of those in sigma, which k-diffusion's follow.
Json sigma_defaults() {
  Json config = table_defaults();
  config.update(
      {{"use_karras_sigmas", false}, {"use_exponential_sigmas", false}, {"use_beta_sigmas", false}});
  return config;
}

Json edm_defaults() {
  return {{"sigma_min", 0.002},
          {"sigma_max", 80.0},
          {"sigma_data", 0.5},
          {"sigma_schedule", "karras"},
          {"num_train_timesteps", 1000},
          {"prediction_type", "epsilon"},
          {"rho", 7.0},
          {"final_sigmas_type", "zero"}};
}

Json with(Json config, const Json& changes) {
  config.update(changes);
  return config;
}

/// Of the chain's own samplers.
Json chain_defaults() {
  return with(table_defaults(), {{"clip_sample", true},
                                 {"clip_sample_range", 1.0},
                                 {"thresholding", false},
                                 {"timestep_spacing", "leading"},
                                 {"rescale_betas_zero_snr", false}});
}

/// Of the schedulers in a chain's own variables.
Json chain_classes() {
  return {{"DDPMScheduler", with(chain_defaults(), {{"variance_type", "fixed_small"}})},
          {"DDIMScheduler", with(chain_defaults(), {{"set_alpha_to_one", true}})},
          {"PNDMScheduler",
           with(table_defaults(),
                {{"skip_prk_steps", false}, {"set_alpha_to_one", false}, {"timestep_spacing", "leading"}})},
          {"DPMSolverMultistepScheduler", dpm_defaults()},
          {"DPMSolverSinglestepScheduler", with(dpm_defaults(), {{"lower_order_final", false}})},
          {"UniPCMultistepScheduler", with(solver_defaults(), {{"solver_type", "bh2"},
                                                               {"predict_x0", true},
                                                               {"disable_corrector", Json::array()},
                                                               {"solver_p", nullptr},
                                                               {"final_sigmas_type", "zero"},
                                                               {"rescale_betas_zero_snr", false},
                                                               {"sigma_min", nullptr},
                                                               {"sigma_max", nullptr},
                                                               {"shift_terminal", nullptr}})},
          {"DEISMultistepScheduler",
           with(solver_defaults(), {{"algorithm_type", "deis"}, {"solver_type", "logrho"}})}};
}

/// Of those in noise levels.
Json level_classes() {
  return {{"LMSDiscreteScheduler", sigma_defaults()},
          {"EulerDiscreteScheduler", with(sigma_defaults(), {{"interpolation_type", "linear"},
                                                             {"timestep_type", "discrete"},
                                                             {"sigma_min", nullptr},
                                                             {"sigma_max", nullptr},
                                                             {"final_sigmas_type", "zero"},
                                                             {"rescale_betas_zero_snr", false}})},
          {"EulerAncestralDiscreteScheduler", with(table_defaults(), {{"rescale_betas_zero_snr", false}})},
          {"HeunDiscreteScheduler", with(sigma_defaults(), {{"beta_start", 0.00085},
                                                            {"beta_end", 0.012},
                                                            {"clip_sample", false},
                                                            {"clip_sample_range", 1.0}})},
          {"EDMEulerScheduler", edm_defaults()},
          {"EDMDPMSolverMultistepScheduler", with(edm_defaults(), {{"solver_order", 2},
                                                                   {"thresholding", false},
                                                                   {"algorithm_type", "dpmsolver++"},
                                                                   {"solver_type", "midpoint"},
                                                                   {"lower_order_final", true},
                                                                   {"euler_at_final", false}})},
          {"FlowMatchEulerDiscreteScheduler",
           {{"num_train_timesteps", 1000},
            {"shift", 1.0},
            {"use_dynamic_shifting", false},
            {"invert_sigmas", false},
            {"shift_terminal", nullptr},
            {"use_karras_sigmas", false},
            {"use_exponential_sigmas", false},
            {"use_beta_sigmas", false},
            {"stochastic_sampling", false}}}};
}

const Json& all_defaults() {
  static const Json classes = with(chain_classes(), level_classes());
  return classes;
}

}  // namespace

std::vector<std::string> scheduler_class_names() {
  std::vector<std::string> names;
  names.reserve(all_defaults().size());
  for (const auto& [name, defaults] : all_defaults().items()) names.push_back(name);
  return names;
}

Json complete_scheduler_config(const Json& config, const std::string& place) {
  const auto name = detail::JsonReader(config, place).get<std::string>("_class_name");
  check_input(all_defaults().contains(name), "{}: the scheduler {} cannot be represented; expected one of {}",
              place, shown(name), join(scheduler_class_names()));
  Json complete = all_defaults()[name];
  for (const auto& [key, value] : config.items())
    if (!value.is_null() || !complete.contains(key)) complete[key] = value;
  return complete;
}

}  // namespace fokker
