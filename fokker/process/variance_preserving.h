#pragma once
#include <cmath>

#include "fokker/process/schedule.h"

namespace fokker {

/// What all variance preserving schedules share: sigma^2 = 1 - alpha^2, computed from log alpha without
/// cancellation. A subclass says log_alpha, beta and the inverse of log_alpha.
class VariancePreservingModel : public ScheduleModel {
 public:
  double alpha(double t) const override { return std::exp(log_alpha(t)); }
  double sigma(double t) const override;
  double alpha_rate(double t) const override { return drift(t) * alpha(t); }
  double sigma_rate(double t) const override;
  double log_alpha(double t) const override = 0;
  double log_snr(double t) const override;
  double time_of_log_snr(double log_snr) const override;
  double drift(double t) const override { return -0.5 * beta(t); }
  double diffusion_squared(double t) const override { return beta(t); }
  PathCoefficients velocity(double t) const override;
  double velocity_rate(double t) const override;

 protected:
  /// beta(t) = -2 d log alpha / dt.
  virtual double beta(double t) const = 0;
  virtual double time_of_log_alpha(double log_alpha) const = 0;
};

std::shared_ptr<const ScheduleModel> make_model(const VariancePreserving& options);
std::shared_ptr<const ScheduleModel> make_model(const ConstantBeta& options);
std::shared_ptr<const ScheduleModel> make_model(const Cosine& options);
std::shared_ptr<const ScheduleModel> make_model(BetaTable options);
std::shared_ptr<const ScheduleModel> make_model(const SubVariancePreserving& options);

/// Time at which log alpha = -1/4 (beta_max - beta_min) t^2 - 1/2 beta_min t takes a value <= 0.
double linear_beta_time(double beta_min, double beta_max, double log_alpha);

}  // namespace fokker
