#include "fokker/process/schedule.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/spec.h"
#include "fokker/process/variance_exploding.h"
#include "fokker/process/variance_preserving.h"

namespace fokker {

Schedule::Schedule(VariancePreserving options) : model_(make_model(options)) {}
Schedule::Schedule(ConstantBeta options) : model_(make_model(options)) {}
Schedule::Schedule(Cosine options) : model_(make_model(options)) {}
Schedule::Schedule(BetaTable options) : model_(make_model(std::move(options))) {}
Schedule::Schedule(SubVariancePreserving options) : model_(make_model(options)) {}
Schedule::Schedule(VarianceExploding options) : model_(make_model(options)) {}
Schedule::Schedule(Brownian options) : model_(make_model(options)) {}
Schedule::Schedule(Flow options) : model_(make_model(options)) {}
Schedule::Schedule(Edm options) : model_(make_model(options)) {}

std::vector<std::string> schedule_names() {
  return {"vp", "vp-cosine", "vp-constant", "sub-vp", "ve", "brownian", "flow", "edm", "ddpm"};
}

namespace {

BetaTable table_from(Spec& spec) {
  return BetaTable::linear(spec.integer("steps", 1000), spec.number("beta_first", 1e-4),
                           spec.number("beta_last", 0.02));
}

Schedule schedule_from(Spec& spec) {
  const std::string& name = spec.name();
  if (name == "vp") return VariancePreserving{spec.number("beta_min", 0.1), spec.number("beta_max", 20.0)};
  if (name == "vp-cosine") return Cosine{spec.number("offset", 0.008), spec.number("time_scale", 0.9946)};
  if (name == "vp-constant") return ConstantBeta{spec.number("beta", ConstantBeta{}.beta)};
  if (name == "sub-vp")
    return SubVariancePreserving{spec.number("beta_min", 0.1), spec.number("beta_max", 20.0)};
  if (name == "ve") return VarianceExploding{spec.number("sigma_min", 0.01), spec.number("sigma_max", 50.0)};
  if (name == "brownian") return Brownian{spec.number("sigma", 1.0)};
  if (name == "flow") return Flow{};
  if (name == "edm")
    return Edm{spec.number("sigma_min", 0.002), spec.number("sigma_max", 80.0), spec.number("rho", 7.0)};
  if (name == "ddpm") return table_from(spec);
  spec.unknown_name(schedule_names());
}

double number(const Json& config, const char* key) {
  check_input(config.contains(key) && config[key].is_number(), "process: expected a number '{}' in {}", key,
              json_text(config));
  return config[key].get<double>();
}

}  // namespace

Schedule make_schedule(std::string_view text) try {
  Spec spec("process", text);
  Schedule schedule = schedule_from(spec);
  spec.finish();
  return schedule;
} catch (...) {
  detail::throw_as_error();
}

Schedule schedule_from_config(const Json& config) {
  check_input(config.is_object() && config.contains("type") && config["type"].is_string(),
              "process: expected an object with a 'type' but received {}", json_text(config));
  const auto type = config["type"].get<std::string>();
  if (type == "vp") return VariancePreserving{number(config, "beta_min"), number(config, "beta_max")};
  if (type == "vp-cosine") return Cosine{number(config, "offset"), number(config, "time_scale")};
  if (type == "vp-constant") return ConstantBeta{number(config, "beta")};
  if (type == "sub-vp") return SubVariancePreserving{number(config, "beta_min"), number(config, "beta_max")};
  if (type == "ve") return VarianceExploding{number(config, "sigma_min"), number(config, "sigma_max")};
  if (type == "brownian") return Brownian{number(config, "sigma")};
  if (type == "flow") return Flow{};
  if (type == "edm")
    return Edm{number(config, "sigma_min"), number(config, "sigma_max"), number(config, "rho")};
  if (type == "ddpm") {
    check_input(config.contains("betas") && config["betas"].is_array(),
                "process: expected an array 'betas' for ddpm");
    BetaTable table;
    for (const auto& beta : config["betas"]) {
      check_input(beta.is_number(), "process: expected numbers in 'betas'");
      table.beta.push_back(beta.get<double>());
    }
    return table;
  }
  fail(ErrorKind::input, "process: unknown type '{}'; valid types: {}", type, join(schedule_names()));
}

}  // namespace fokker
