#include "fokker/denoise/prediction.h"

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"

namespace fokker {
namespace {

struct Coefficients {
  double alpha, sigma;
};

Coefficients at_time(const ScheduleModel& schedule, double t) {
  return {schedule.alpha(t), schedule.sigma(t)};
}

/// rho^2 = sigma^2 + alpha^2 sigma_data^2: the variance of x_t for data of that standard deviation.
double variance(const Coefficients& c, double sigma_data) {
  return c.sigma * c.sigma + c.alpha * c.alpha * sigma_data * sigma_data;
}

const std::vector<std::pair<Prediction::Kind, const char*>>& table() {
  using Kind = Prediction::Kind;
  static const std::vector<std::pair<Kind, const char*>> entries = {{Kind::noise, "noise"},
                                                                    {Kind::data, "data"},
                                                                    {Kind::velocity, "velocity"},
                                                                    {Kind::score, "score"},
                                                                    {Kind::edm, "edm"}};
  return entries;
}

}  // namespace

std::vector<std::string> Prediction::names() {
  std::vector<std::string> names;
  for (const auto& [kind, name] : table()) names.emplace_back(name);
  return names;
}

Prediction Prediction::from_name(std::string_view name, double sigma_data) {
  for (const auto& [kind, known] : table())
    if (name == known) return Prediction(kind, sigma_data);
  fail(ErrorKind::argument, "unknown prediction '{}'; valid names: {}", name, join(names()));
}

std::string Prediction::name() const {
  for (const auto& [kind, name] : table())
    if (kind == kind_) return name;
  return {};
}

PathCoefficients Prediction::target(const ScheduleModel& schedule, double t) const {
  const auto c = at_time(schedule, t);
  switch (kind_) {
    case Kind::noise:
      return {0, 1};
    case Kind::data:
      return {1, 0};
    case Kind::velocity:
      return schedule.velocity(t);
    case Kind::score:
      return {0, -1 / c.sigma};
    case Kind::edm: {
      const double rho = std::sqrt(variance(c, sigma_data_));
      return {c.sigma / (sigma_data_ * rho), -c.alpha * sigma_data_ / rho};
    }
  }
  return {};
}

double Prediction::score_factor(const ScheduleModel& schedule, double t) const {
  const auto [alpha, sigma] = at_time(schedule, t);
  switch (kind_) {
    case Kind::noise:
      return -sigma;
    case Kind::data:
      return sigma * sigma / alpha;
    case Kind::velocity:
      return -sigma / alpha;
    case Kind::score:
      return 1;
    case Kind::edm:
      return sigma * std::sqrt(variance({alpha, sigma}, sigma_data_)) / (alpha * sigma_data_);
  }
  return 0;
}

Conversion Prediction::to_denoised(const ScheduleModel& schedule, double t) const {
  const auto [alpha, sigma] = at_time(schedule, t);
  switch (kind_) {
    case Kind::noise:
      return {1 / alpha, -sigma / alpha};
    case Kind::data:
      return {0, 1};
    case Kind::velocity:
      return {schedule.velocity(t).noise, -sigma};
    case Kind::score:
      return {1 / alpha, sigma * sigma / alpha};
    case Kind::edm: {
      const double rho2 = variance({alpha, sigma}, sigma_data_);
      return {alpha * sigma_data_ * sigma_data_ / rho2, sigma * sigma_data_ / std::sqrt(rho2)};
    }
  }
  return {};
}

Conversion Prediction::to_noise(const ScheduleModel& schedule, double t) const {
  const auto [alpha, sigma] = at_time(schedule, t);
  switch (kind_) {
    case Kind::noise:
      return {0, 1};
    case Kind::data:
      return {1 / sigma, -alpha / sigma};
    case Kind::velocity:
      return {-schedule.velocity(t).data, alpha};
    case Kind::score:
      return {0, -sigma};
    case Kind::edm: {
      const double rho2 = variance({alpha, sigma}, sigma_data_);
      return {sigma / rho2, -alpha * sigma_data_ / std::sqrt(rho2)};
    }
  }
  return {};
}

Conversion Prediction::to_score(const ScheduleModel& schedule, double t) const {
  const auto [alpha, sigma] = at_time(schedule, t);
  switch (kind_) {
    case Kind::score:
      return {0, 1};
    case Kind::edm: {
      const double rho2 = variance({alpha, sigma}, sigma_data_);
      return {-1 / rho2, alpha * sigma_data_ / (sigma * std::sqrt(rho2))};
    }
    default: {
      const Conversion noise = to_noise(schedule, t);
      return {-noise.state / sigma, -noise.value / sigma};
    }
  }
}

Conversion Prediction::to_velocity(const ScheduleModel& schedule, double t) const {
  const auto [alpha, sigma] = at_time(schedule, t);
  const auto [a, b] = schedule.velocity(t);
  // alpha b - sigma a = 1 by definition of the velocity.
  switch (kind_) {
    case Kind::noise:
      return {a / alpha, 1 / alpha};
    case Kind::data:
      return {b / sigma, -1 / sigma};
    case Kind::velocity:
      return {0, 1};
    case Kind::score:
      return {a / alpha, -sigma / alpha};
    case Kind::edm: {
      const double rho2 = variance({alpha, sigma}, sigma_data_);
      return {(a * alpha * sigma_data_ * sigma_data_ + b * sigma) / rho2, -sigma_data_ / std::sqrt(rho2)};
    }
  }
  return {};
}

}  // namespace fokker
