#include "fokker/objective/weighting.h"

#include <cmath>

#include "fokker/core/check.h"

namespace fokker {
namespace {

double squared(double value) {
  return value * value;
}

/// d noise / d value and d denoised / d value: what turns a native error into that quantity's error.
double noise_factor(const Prediction& p, const ScheduleModel& s, double t) {
  return squared(p.to_noise(s, t).value);
}
double data_factor(const Prediction& p, const ScheduleModel& s, double t) {
  return squared(p.to_denoised(s, t).value);
}

double likelihood_weight(const ScheduleModel& s, double t) {
  const double steps = static_cast<double>(s.chain_steps());
  if (steps == 0) return 0.5 * s.diffusion_squared(t) / squared(s.sigma(t));
  const double beta = -std::expm1(-s.diffusion_squared(t) / steps);
  return steps * beta / (2.0 * (1.0 - beta) * squared(s.sigma(t)));
}

}  // namespace

Weighting Weighting::uniform() {
  return Weighting([](const Prediction&, const ScheduleModel&, double) { return 1.0; });
}
Weighting Weighting::simple() {
  return Weighting(noise_factor);
}
Weighting Weighting::likelihood() {
  return Weighting([](const Prediction& p, const ScheduleModel& s, double t) {
    return likelihood_weight(s, t) * noise_factor(p, s, t);
  });
}
Weighting Weighting::snr() {
  return Weighting([](const Prediction& p, const ScheduleModel& s, double t) {
    return std::exp(s.log_snr(t)) * data_factor(p, s, t);
  });
}
Weighting Weighting::min_snr(double gamma) {
  check(gamma > 0, "min-snr: expected gamma > 0 but received {}", gamma);
  return Weighting([gamma](const Prediction& p, const ScheduleModel& s, double t) {
    return std::min(std::exp(s.log_snr(t)), gamma) * data_factor(p, s, t);
  });
}
Weighting Weighting::edm() {
  return Weighting([](const Prediction& p, const ScheduleModel& s, double t) {
    const double sd2 = squared(p.sigma_data());
    return (std::exp(s.log_snr(t)) + 1.0 / sd2) * data_factor(p, s, t);
  });
}
Weighting Weighting::user(std::function<double(double)> weight) {
  return Weighting([weight = std::move(weight)](const Prediction& p, const ScheduleModel& s, double t) {
    return weight(t) * noise_factor(p, s, t);
  });
}

namespace {

Registry<Weighting>& weightings() {
  static Registry<Weighting> registry(
      "weighting",
      {{"uniform", "1 on the network's own output", [](Spec&) { return Weighting::uniform(); }},
       {"simple", "1 on the noise error", [](Spec&) { return Weighting::simple(); }},
       {"likelihood", "that of the likelihood bound", [](Spec&) { return Weighting::likelihood(); }},
       {"snr", "the SNR on the data error: as simple", [](Spec&) { return Weighting::snr(); }},
       {"min-snr", "min(SNR, gamma) on the data error",
        [](Spec& spec) { return Weighting::min_snr(spec.number("gamma", 5.0)); }},
       {"edm", "EDM's: 1 on its own output", [](Spec&) { return Weighting::edm(); }}});
  return registry;
}

}  // namespace

std::vector<std::string> Weighting::names() {
  return weightings().names();
}

std::vector<Description> Weighting::descriptions() {
  return weightings().descriptions();
}

Weighting Weighting::from_name(std::string_view text) {
  return weightings().make(text);
}

void register_weighting(const std::string& name, std::function<Weighting(Spec&)> make,
                        const std::string& summary) {
  // "auto" and "none" mean something in an ObjectiveRecipe.
  detail::check_entry("weighting", name, static_cast<bool>(make), name == "auto" || name == "none");
  weightings().add({name, summary, std::move(make)});
}

}  // namespace fokker
