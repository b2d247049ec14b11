#include "fokker/format/diffusers/scheduler_import.h"

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/format/diffusers/beta_schedule.h"
#include "fokker/format/diffusers/scheduler_classes.h"
#include "fokker/format/diffusers/scheduler_sampling.h"

namespace fokker {
namespace {

using detail::JsonReader;

Prediction read_prediction(const JsonReader& reader) {
  const auto type = reader.get<std::string>("prediction_type");
  if (type == "epsilon") return Prediction::noise();
  if (type == "sample") return Prediction::data();
  check_input(type == "v_prediction",
              "{}: expected \"prediction_type\" to be epsilon, sample or v_prediction but received \"{}\"",
              reader.place(), type);
  return Prediction::velocity();
}

/// A chain's step i, told as i - 1.
DenoiserSpec chain_spec(const JsonReader& reader) {
  BetaTable table = read_beta_table(reader.json(), reader.place());
  const auto steps = static_cast<double>(table.beta.size());
  return {.process = GaussianProcess(std::move(table)),
          .prediction = read_prediction(reader),
          .time_input = {TimeInput::Kind::time, steps, -1}};
}

/// Karras et al. (2022), Table 1: the network is told log(sigma)/4 and sees x / sqrt(sigma^2 + sigma_data^2).
DenoiserSpec edm_spec(const JsonReader& reader) {
  reader.require("prediction_type", {"epsilon"});
  const auto schedule = reader.get<std::string>("sigma_schedule");
  reader.require("sigma_schedule", {"karras", "exponential"});
  const auto low = reader.get<double>("sigma_min"), high = reader.get<double>("sigma_max"),
             data = reader.get<double>("sigma_data"), rho = reader.get<double>("rho");
  check_input(
      0 < low && low < high && data > 0 && rho > 0,
      "{}: expected 0 < sigma_min < sigma_max, sigma_data > 0 and rho > 0 but received {}, {}, {} and {}",
      reader.place(), low, high, data, rho);
  GaussianProcess process = schedule == "karras" ? GaussianProcess(Edm{low, high, rho})
                                                 : GaussianProcess(VarianceExploding{low, high});
  return {.process = std::move(process),
          .prediction = Prediction::edm(data),
          .time_input = {TimeInput::Kind::quarter_log_sigma, 1, 0},
          .scale_input = true,
          .sigma_data = data};
}

/// The straight line, told N sigma; the output is eps - x_0.
DenoiserSpec flow_spec(const JsonReader& reader) {
  for (const char* key : {"use_dynamic_shifting", "invert_sigmas", "use_karras_sigmas",
                          "use_exponential_sigmas", "use_beta_sigmas", "stochastic_sampling"})
    reader.require(key, {false});
  return {.process = GaussianProcess(Flow{}),
          .prediction = Prediction::velocity(),
          .time_input = {TimeInput::Kind::time,
                         static_cast<double>(reader.get<int64_t>("num_train_timesteps")), 0}};
}

}  // namespace

ImportedScheduler read_scheduler(const Json& config, const std::string& place) {
  const Json complete = complete_scheduler_config(config, place);
  const JsonReader reader(complete, place);
  const auto name = reader.get<std::string>("_class_name");
  for (const char* key : {"thresholding", "use_beta_sigmas", "use_flow_sigmas"})
    if (name != "FlowMatchEulerDiscreteScheduler") reader.require(key, {false});
  ImportedScheduler imported{.spec = name == "FlowMatchEulerDiscreteScheduler" ? flow_spec(reader)
                                     : name.starts_with("EDM")                 ? edm_spec(reader)
                                                                               : chain_spec(reader)};
  imported.sampling = read_sampling(reader, imported.notes);
  return imported;
}

}  // namespace fokker
