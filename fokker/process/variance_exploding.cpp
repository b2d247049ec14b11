#include "fokker/process/variance_exploding.h"

#include <cmath>

#include "fokker/core/check.h"

namespace fokker {
namespace {

/// alpha = 1: the process only adds noise, and its velocity per unit of sigma is eps.
class AdditiveModel : public ScheduleModel {
 public:
  double alpha(double) const override { return 1; }
  double alpha_rate(double) const override { return 0; }
  double sigma_rate(double t) const override { return velocity_rate(t); }
  double log_alpha(double) const override { return 0; }
  double log_snr(double t) const override { return -2.0 * std::log(sigma(t)); }
  double time_of_log_snr(double log_snr) const override {
    return std::clamp(time_of_sigma(std::exp(-0.5 * log_snr)), 0.0, 1.0);
  }
  double drift(double) const override { return 0; }
  double diffusion_squared(double t) const override { return 2.0 * sigma(t) * velocity_rate(t); }
  PathCoefficients velocity(double) const override { return {0, 1}; }

 protected:
  virtual double time_of_sigma(double sigma) const = 0;
};

class GeometricModel final : public AdditiveModel {
 public:
  explicit GeometricModel(const VarianceExploding& o) : o_(o), rate_(std::log(o.sigma_max / o.sigma_min)) {
    check(o.sigma_min > 0 && o.sigma_max > o.sigma_min,
          "ve: expected 0 < sigma_min < sigma_max but received sigma_min = {}, sigma_max = {}", o.sigma_min,
          o.sigma_max);
  }
  double sigma(double t) const override { return o_.sigma_min * std::exp(rate_ * t); }
  double time_of_sigma(double sigma) const override { return std::log(sigma / o_.sigma_min) / rate_; }
  double velocity_rate(double t) const override { return rate_ * sigma(t); }
  Json config() const override {
    return {{"type", "ve"}, {"sigma_min", o_.sigma_min}, {"sigma_max", o_.sigma_max}};
  }

 private:
  VarianceExploding o_;
  double rate_;
};

class BrownianModel final : public AdditiveModel {
 public:
  explicit BrownianModel(const Brownian& o) : o_(o) {
    check(o.sigma > 0, "brownian: expected sigma > 0 but received {}", o.sigma);
  }
  double sigma(double t) const override { return o_.sigma * std::sqrt(t); }
  double time_of_sigma(double sigma) const override { return sigma * sigma / (o_.sigma * o_.sigma); }
  double velocity_rate(double t) const override { return 0.5 * o_.sigma / std::sqrt(t); }
  /// Constant, also at t = 0 where sigma' is infinite.
  double diffusion_squared(double) const override { return o_.sigma * o_.sigma; }
  Json config() const override { return {{"type", "brownian"}, {"sigma", o_.sigma}}; }

 private:
  Brownian o_;
};

class EdmModel final : public AdditiveModel {
 public:
  explicit EdmModel(const Edm& o) : o_(o) {
    check(o.sigma_min > 0 && o.sigma_max > o.sigma_min && o.rho > 0,
          "edm: expected 0 < sigma_min < sigma_max and rho > 0 but received sigma_min = {}, sigma_max = {}, "
          "rho = {}",
          o.sigma_min, o.sigma_max, o.rho);
    low_ = std::pow(o.sigma_min, 1.0 / o.rho);
    span_ = std::pow(o.sigma_max, 1.0 / o.rho) - low_;
  }
  double sigma(double t) const override { return std::pow(low_ + t * span_, o_.rho); }
  double time_of_sigma(double sigma) const override { return (std::pow(sigma, 1.0 / o_.rho) - low_) / span_; }
  double velocity_rate(double t) const override {
    return o_.rho * span_ * std::pow(low_ + t * span_, o_.rho - 1.0);
  }
  Json config() const override {
    return {{"type", "edm"}, {"sigma_min", o_.sigma_min}, {"sigma_max", o_.sigma_max}, {"rho", o_.rho}};
  }

 private:
  Edm o_;
  double low_ = 0, span_ = 0;
};

class FlowModel final : public ScheduleModel {
 public:
  double alpha(double t) const override { return 1 - t; }
  double sigma(double t) const override { return t; }
  double alpha_rate(double) const override { return -1; }
  double sigma_rate(double) const override { return 1; }
  double log_alpha(double t) const override { return std::log1p(-t); }
  double log_snr(double t) const override { return 2.0 * (std::log1p(-t) - std::log(t)); }
  double time_of_log_snr(double log_snr) const override { return 1.0 / (1.0 + std::exp(0.5 * log_snr)); }
  double drift(double t) const override { return -1.0 / (1.0 - t); }
  double diffusion_squared(double t) const override { return 2.0 * t / (1.0 - t); }
  PathCoefficients velocity(double) const override { return {-1, 1}; }
  double velocity_rate(double) const override { return 1; }
  /// f and g are infinite at t = 1.
  double sde_end() const override { return 0.999; }
  Json config() const override { return {{"type", "flow"}}; }
};

}  // namespace

std::shared_ptr<const ScheduleModel> make_model(const VarianceExploding& options) {
  return std::make_shared<GeometricModel>(options);
}
std::shared_ptr<const ScheduleModel> make_model(const Brownian& options) {
  return std::make_shared<BrownianModel>(options);
}
std::shared_ptr<const ScheduleModel> make_model(const Edm& options) {
  return std::make_shared<EdmModel>(options);
}
std::shared_ptr<const ScheduleModel> make_model(const Flow&) {
  return std::make_shared<FlowModel>();
}

}  // namespace fokker
