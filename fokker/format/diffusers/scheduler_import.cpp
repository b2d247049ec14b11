#include "fokker/format/diffusers/scheduler_import.h"

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/format/diffusers/beta_schedule.h"

namespace fokker {
namespace {

using detail::JsonReader;

/// The defaults that a scheduler's class has for what its configuration leaves out.
const Json& class_defaults(const std::string& name, const std::string& place) {
  static const Json chain = {
      {"num_train_timesteps", 1000},    {"beta_start", 0.0001},     {"beta_end", 0.02},
      {"beta_schedule", "linear"},      {"trained_betas", nullptr}, {"prediction_type", "epsilon"},
      {"rescale_betas_zero_snr", false}};
  static const Json classes = {{"DDPMScheduler", chain}, {"DDIMScheduler", chain}};
  check_input(classes.contains(name),
              "{}: the scheduler {} cannot be represented; expected DDPMScheduler or DDIMScheduler", place,
              name);
  return classes[name];
}

Prediction read_prediction(const JsonReader& reader) {
  const auto type = reader.get<std::string>("prediction_type");
  if (type == "epsilon") return Prediction::noise();
  if (type == "sample") return Prediction::data();
  check_input(type == "v_prediction",
              "{}: expected \"prediction_type\" to be epsilon, sample or v_prediction but received \"{}\"",
              reader.place(), type);
  return Prediction::velocity();
}

}  // namespace

ImportedScheduler read_scheduler(const Json& config, const std::string& place) {
  const auto name = JsonReader(config, place).get<std::string>("_class_name");
  Json complete = class_defaults(name, place);
  complete.update(config);
  const JsonReader reader(complete, place);
  reader.require("thresholding", {false});
  BetaTable table = read_beta_table(complete, place);
  const auto steps = static_cast<double>(table.beta.size());
  return {.spec = {.process = GaussianProcess(std::move(table)),
                   .prediction = read_prediction(reader),
                   .time_input = {TimeInput::Kind::time, steps, -1}}};
}

}  // namespace fokker
