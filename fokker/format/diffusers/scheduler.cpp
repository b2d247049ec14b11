#include "fokker/format/diffusers/scheduler.h"

#include <cmath>

#include "fokker/core/error.h"

namespace fokker {
namespace {

using Kind = Prediction::Kind;

constexpr int checked_times = 64;

/// alpha^2 + sigma^2 = 1 at every time, from the data itself on: what DDPM's chain is. Its betas lie within
/// (0, 1), so something of the data must be left.
bool preserves_variance(const GaussianProcess& process) {
  if (process.sigma(0) > 0 || process.alpha(1) < 1e-7) return false;
  for (int i = 0; i <= checked_times; ++i) {
    const double t = static_cast<double>(i) / checked_times;
    if (std::abs(std::hypot(process.alpha(t), process.sigma(t)) - 1) > 1e-9) return false;
  }
  return true;
}

bool adds_noise_only(const GaussianProcess& process) {
  for (int i = 0; i <= checked_times; ++i)
    if (process.alpha(static_cast<double>(i) / checked_times) != 1) return false;
  return true;
}

std::string type_of(const GaussianProcess& process) {
  return process.schedule()->config().value("type", std::string());
}

/// Whether the network is told scale t + offset, and x as it is.
bool is_fed(const DenoiserSpec& spec, double scale, double offset) {
  const TimeInput& input = spec.time_input;
  return input.kind == TimeInput::Kind::time && input.scale == scale && input.offset == offset &&
         !spec.scale_input;
}

Json with_class(const char* name, Json config) {
  config["_class_name"] = name;
  config["_diffusers_version"] = "0.30.0";
  return config;
}

/// Step i of the chain, told as i - 1. Exact for a table; else the process at i/1000.
Json ddpm(const ScheduleModel& schedule, int64_t steps, const char* prediction_type) {
  Json betas = Json::array();
  const auto n = static_cast<double>(steps);
  for (int64_t i = 1; i <= steps; ++i)
    betas.push_back(-std::expm1(2 * (schedule.log_alpha(static_cast<double>(i) / n) -
                                     schedule.log_alpha(static_cast<double>(i - 1) / n))));
  return with_class("DDPMScheduler", {{"num_train_timesteps", steps},
                                      {"trained_betas", betas},
                                      {"beta_schedule", "linear"},
                                      {"prediction_type", prediction_type},
                                      {"variance_type", "fixed_small"},
                                      {"clip_sample", true},
                                      {"clip_sample_range", 1.0}});
}

/// x_t = (1 - sigma) x_0 + sigma eps with sigma = t, told as 1000 sigma; the output is eps - x_0.
Json flow_match() {
  return with_class("FlowMatchEulerDiscreteScheduler", {{"num_train_timesteps", 1000}, {"shift", 1.0}});
}

/// Karras et al. (2022), Table 1; levels between the process's own, geometric where its own are.
Json edm(const Model& model) {
  const GaussianProcess& process = model.spec.process;
  const bool geometric = type_of(process) == "ve";
  Json config = {
      {"num_train_timesteps", 1000},         {"prediction_type", "epsilon"},
      {"sigma_data", model.spec.sigma_data}, {"sigma_min", process.sigma(process.time_min())},
      {"sigma_max", process.sigma(1)},       {"sigma_schedule", geometric ? "exponential" : "karras"}};
  if (!geometric)
    config["rho"] = type_of(process) == "edm" ? process.schedule()->config()["rho"].get<double>() : 7.0;
  return with_class("EDMEulerScheduler", config);
}

}  // namespace

std::optional<Json> scheduler_config(const Model& model) {
  const GaussianProcess& process = model.spec.process;
  const DenoiserSpec& spec = model.spec;
  const Kind kind = spec.native().kind();
  const int64_t chain = process.schedule()->chain_steps(), steps = chain > 0 ? chain : 1000;
  if (preserves_variance(process) && is_fed(spec, static_cast<double>(steps), -1)) {
    if (kind == Kind::noise) return ddpm(process.schedule().model(), steps, "epsilon");
    if (kind == Kind::data) return ddpm(process.schedule().model(), steps, "sample");
    if (kind == Kind::velocity) return ddpm(process.schedule().model(), steps, "v_prediction");
  }
  const bool flow = type_of(process) == "flow";
  if (flow && kind == Kind::velocity && is_fed(spec, 1000, 0)) return flow_match();
  const bool by_level = spec.time_input.kind == TimeInput::Kind::quarter_log_sigma && spec.scale_input;
  if (adds_noise_only(process) && kind == Kind::edm && by_level) return edm(model);
  return {};
}

bool suits_pipeline(const Json& scheduler_config) {
  return scheduler_config["_class_name"] != "EDMEulerScheduler";
}

}  // namespace fokker
