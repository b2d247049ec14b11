#include <map>
#include <mutex>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/core/text/text.h"
#include "fokker/process/beta_file.h"
#include "fokker/process/schedule.h"

namespace fokker {
namespace {

using FromConfig = std::function<Schedule(const Json&)>;

double number(const Json& config, const char* key) {
  return detail::JsonReader(config, "process").get<double>(key);
}

/// How a schedule is read from a spec and from its config.
struct ScheduleEntry {
  std::string name;
  std::string summary;
  std::function<Schedule(Spec&)> from_spec;
  FromConfig from_config;
};

std::vector<ScheduleEntry> variance_preserving() {
  return {{"vp", "variance preserving, beta linear in t",
           [](Spec& s) {
             return VariancePreserving{s.number("beta_min", 0.1), s.number("beta_max", 20.0)};
           },
           [](const Json& c) {
             return VariancePreserving{number(c, "beta_min"), number(c, "beta_max")};
           }},
          {"vp-cosine", "variance preserving, alpha a cosine",
           [](Spec& s) {
             return Cosine{s.number("offset", 0.008), s.number("time_scale", 0.9946)};
           },
           [](const Json& c) {
             return Cosine{number(c, "offset"), number(c, "time_scale")};
           }},
          {"vp-constant", "variance preserving, beta constant",
           [](Spec& s) { return ConstantBeta{s.number("beta", ConstantBeta{}.beta)}; },
           [](const Json& c) { return ConstantBeta{number(c, "beta")}; }},
          {"sub-vp", "alpha as vp, sigma = 1 - alpha^2",
           [](Spec& s) {
             return SubVariancePreserving{s.number("beta_min", 0.1), s.number("beta_max", 20.0)};
           },
           [](const Json& c) {
             return SubVariancePreserving{number(c, "beta_min"), number(c, "beta_max")};
           }}};
}

std::vector<ScheduleEntry> other_schedules() {
  return {{"ve", "adds noise only, sigma geometric in t",
           [](Spec& s) {
             return VarianceExploding{s.number("sigma_min", 0.01), s.number("sigma_max", 50.0)};
           },
           [](const Json& c) {
             return VarianceExploding{number(c, "sigma_min"), number(c, "sigma_max")};
           }},
          {"brownian", "adds noise only, sigma^2 linear in t",
           [](Spec& s) { return Brownian{s.number("sigma", 1.0)}; },
           [](const Json& c) { return Brownian{number(c, "sigma")}; }},
          {"flow", "the straight line from data to noise", [](Spec&) { return Flow{}; },
           [](const Json&) { return Flow{}; }},
          {"edm", "adds noise only, sigma^(1/rho) linear in t",
           [](Spec& s) {
             return Edm{s.number("sigma_min", 0.002), s.number("sigma_max", 80.0), s.number("rho", 7.0)};
           },
           [](const Json& c) {
             return Edm{number(c, "sigma_min"), number(c, "sigma_max"), number(c, "rho")};
           }},
          {"ddpm", "a chain of steps with its table of betas",
           [](Spec& s) -> Schedule {
             const int64_t steps = s.integer("steps", 1000);
             const double first = s.number("beta_first", 1e-4), last = s.number("beta_last", 0.02);
             const std::string file = s.text("betas", "");
             if (file.empty()) return BetaTable::linear(steps, first, last);
             for (const char* key : {"steps", "beta_first", "beta_last"})
               check(!s.has(key), "process ddpm: expected betas=FILE or {} but received both", key);
             return BetaTable{read_betas(file)};
           },
           [](const Json& c) {
             return BetaTable{detail::JsonReader(c, "process").get<std::vector<double>>("betas")};
           }}};
}

/// The two ways to a schedule, under the same names.
class ScheduleRegistry {
 public:
  ScheduleRegistry() {
    for (const auto& group : {variance_preserving(), other_schedules()})
      for (const ScheduleEntry& entry : group) add(entry);
  }

  void add(const ScheduleEntry& entry) {
    check(static_cast<bool>(entry.from_config),
          "process '{}': expected a function that reads its config but received none", entry.name);
    const std::lock_guard<std::mutex> lock(mutex_);
    specs_.add({entry.name, entry.summary, entry.from_spec});
    configs_[entry.name] = entry.from_config;
  }

  const Registry<Schedule>& specs() const { return specs_; }

  /// Empty for an unknown type.
  FromConfig reader(const std::string& type) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = configs_.find(type);
    return found == configs_.end() ? FromConfig() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  Registry<Schedule> specs_{"process", {}};
  std::map<std::string, FromConfig> configs_;
};

ScheduleRegistry& schedules() {
  static ScheduleRegistry registry;
  return registry;
}

std::string type_of(const Json& config) {
  return config.is_object() && config.contains("type") && config["type"].is_string()
             ? config["type"].get<std::string>()
             : std::string();
}

}  // namespace

std::vector<std::string> schedule_names() {
  return schedules().specs().names();
}

std::vector<Description> schedule_descriptions() {
  return schedules().specs().descriptions();
}

Schedule make_schedule(std::string_view text) try { return schedules().specs().make(text); } catch (...) {
  detail::throw_as_error();
}

Schedule schedule_from_config(const Json& config) try {
  const std::string type = type_of(config);
  check_input(!type.empty(), "process: expected an object with a 'type' but received {}", json_text(config));
  const FromConfig read = schedules().reader(type);
  check_input(static_cast<bool>(read),
              "process: unknown type '{}'; valid types: {} (a program registers its own, register_schedule, "
              "before it reads one)",
              type, join(schedule_names()));
  return read(config);
} catch (...) {
  detail::throw_as_error();
}

Json schedule_config(const Schedule& schedule) {
  Json config = schedule->config();
  check(schedules().specs().contains(type_of(config)),
        "process: expected a config whose 'type' is a registered name ({}), so that it can be read back, but "
        "received {}",
        join(schedule_names()), json_text(config));
  return config;
}

void register_schedule(const std::string& name, std::function<Schedule(Spec&)> from_spec,
                       std::function<Schedule(const Json&)> from_config, const std::string& summary) {
  schedules().add({name, summary, std::move(from_spec), std::move(from_config)});
}

}  // namespace fokker
