#include "fokker/process/schedule.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/process/difference.h"
#include "fokker/process/variance_exploding.h"
#include "fokker/process/variance_preserving.h"

namespace fokker {

Schedule::Schedule(VariancePreserving options) : model_(make_model(options)) {}
Schedule::Schedule(ConstantBeta options) : model_(make_model(options)) {}
Schedule::Schedule(Cosine options) : model_(make_model(options)) {}
Schedule::Schedule(BetaTable options) try : model_(make_model(std::move(options))) {
} catch (...) {
  detail::throw_as_error();
}
Schedule::Schedule(SubVariancePreserving options) : model_(make_model(options)) {}
Schedule::Schedule(VarianceExploding options) : model_(make_model(options)) {}
Schedule::Schedule(Brownian options) : model_(make_model(options)) {}
Schedule::Schedule(Flow options) : model_(make_model(options)) {}
Schedule::Schedule(Edm options) : model_(make_model(options)) {}

Schedule::Schedule(std::shared_ptr<const ScheduleModel> model) : model_(std::move(model)) {
  check(model_ != nullptr, "Schedule: expected a model but received none");
}

double ScheduleModel::alpha_rate(double t) const {
  return detail::derivative([this](double u) { return alpha(u); }, t);
}

double ScheduleModel::sigma_rate(double t) const {
  return detail::derivative([this](double u) { return sigma(u); }, t);
}

double ScheduleModel::log_alpha(double t) const {
  return std::log(alpha(t));
}

double ScheduleModel::log_snr(double t) const {
  return 2 * (log_alpha(t) - std::log(sigma(t)));
}

double ScheduleModel::time_of_log_snr(double log_snr) const {
  return detail::decreasing_root([this](double t) { return this->log_snr(t); }, log_snr);
}

double ScheduleModel::drift(double t) const {
  return alpha_rate(t) / alpha(t);
}

double ScheduleModel::diffusion_squared(double t) const {
  const double s = sigma(t), rate = sigma_rate(t);
  // sigma^2 has a rate also where that of sigma ~ sqrt(t) is infinite.
  const double of_square = std::isinf(rate) ? detail::derivative(
                                                  [this](double u) {
                                                    const double v = sigma(u);
                                                    return v * v;
                                                  },
                                                  t)
                                            : 2 * s * rate;
  return of_square - 2 * drift(t) * s * s;
}

PathCoefficients ScheduleModel::velocity(double t) const {
  const double a = alpha(t), s = sigma(t), rate = velocity_rate(t);
  const double data_rate = alpha_rate(t);
  // Where the path's rate is infinite, so is one of the two, and v has that direction alone.
  if (std::isinf(data_rate)) return {-1 / s, 0};
  if (std::isinf(rate)) return {0, 1 / a};
  return {data_rate / rate, sigma_rate(t) / rate};
}

double ScheduleModel::velocity_rate(double t) const {
  return alpha(t) * sigma_rate(t) - alpha_rate(t) * sigma(t);
}

double ScheduleModel::sde_end() const {
  constexpr double most = 1e6;
  return std::abs(drift(1)) < most && diffusion_squared(1) < most ? 1.0 : 0.999;
}

Json ScheduleModel::config() const {
  return Json::object();
}

}  // namespace fokker
