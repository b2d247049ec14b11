#pragma once
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/core/text/spec_registry.h"

namespace fokker {

/// Coefficients of x_0 and eps in a linear combination a x_0 + b eps.
struct PathCoefficients {
  double data = 0;
  double noise = 0;
};

/// A noise schedule: pure functions of time t in [0, 1] (data at 0, noise at 1) that define
///   x_t = alpha(t) x_0 + sigma(t) eps,  eps ~ N(0, I),
/// and equally the diffusion dx = f(t) x dt + g(t) dB with the same marginals:
///   f = alpha'/alpha,  g^2 = 2 sigma sigma' - 2 f sigma^2.
/// A user's own says alpha and sigma, with alpha/sigma strictly decreasing, and config where it is saved; the
/// rest follows. Derivatives are then taken by differences (process/difference.h), to 1e-9 of |alpha| +
/// |alpha'| (and of sigma's) where these are smooth on the scale of 0.04 or behave as powers of t or 1 - t at
/// the ends; alpha_rate and sigma_rate replace that by what is known (process/dual.h: by differentiating the
/// formula). The schedules of this library override every function, exact in double precision at both ends,
/// with no difference of nearly equal numbers.
class ScheduleModel {
 public:
  virtual ~ScheduleModel() = default;
  virtual double alpha(double t) const = 0;
  virtual double sigma(double t) const = 0;
  /// d alpha / dt, and d sigma / dt: infinite where they diverge (sigma ~ sqrt(t) at 0).
  virtual double alpha_rate(double t) const;
  virtual double sigma_rate(double t) const;

  virtual double log_alpha(double t) const;
  /// lambda(t) = log(alpha^2 / sigma^2), strictly decreasing.
  virtual double log_snr(double t) const;
  /// Inverse of log_snr, clamped to [0, 1]. By default a bracketed root, as exact as log_snr is.
  virtual double time_of_log_snr(double log_snr) const;
  /// f(t) = d log alpha / dt.
  virtual double drift(double t) const;
  /// g(t)^2.
  virtual double diffusion_squared(double t) const;
  /// The path's velocity per unit of its natural time, v = a x_0 + b eps, scaled so that alpha b - sigma a =
  /// 1: Salimans and Ho's v = alpha eps - sigma x_0 for variance preserving processes, eps - x_0 for the
  /// flow, eps for variance exploding ones. dx_t/dt along the probability flow is `velocity_rate(t)` times
  /// it.
  virtual PathCoefficients velocity(double t) const;
  /// W(t) = alpha sigma' - alpha' sigma.
  virtual double velocity_rate(double t) const;
  /// The largest t at which f and g are finite: where a simulation of the SDE may begin. By default 1, or
  /// 0.999 where they are not finite (or above 1e6) at 1.
  virtual double sde_end() const;
  /// Number of steps of the chain that defines the schedule; 0 where it is continuous.
  virtual int64_t chain_steps() const { return 0; }
  /// {"type": name, parameters...}, what register_schedule's second function reads; empty where it cannot be
  /// saved.
  virtual Json config() const;
};

/// beta(t) = beta_min + t (beta_max - beta_min). Song et al., "Score-based generative modeling through SDEs"
/// (2021).
struct VariancePreserving {
  double beta_min = 0.1;
  double beta_max = 20.0;
};

/// beta(t) = beta: the fixed update factor of the notebook, section 1.1.1. The default is its chain a^2 =
/// 0.96 with 200 steps seen as t = i/200: beta = -200 log 0.96.
struct ConstantBeta {
  double beta = 8.164398904051071;
};

/// alpha(t) = cos(pi/2 (c t + s)/(1 + s)) / cos(pi/2 s/(1 + s)). Nichol and Dhariwal (2021); c = 0.9946 keeps
/// alpha(1) > 0 as in Lu et al., DPM-Solver (2022).
struct Cosine {
  double offset = 0.008;
  double time_scale = 0.9946;
};

/// A chain's table beta_1..beta_N at t = i/N (Ho et al., DDPM, 2020), continued between the points by a
/// beta(t) that is constant within each step, so that alphabar is exact at every i/N.
struct BetaTable {
  std::vector<double> beta;
  /// N values evenly spaced from first to last.
  static BetaTable linear(int64_t steps = 1000, double first = 1e-4, double last = 0.02);
};

/// alpha as VariancePreserving, sigma = 1 - alpha^2. Song et al. (2021), sub-VP.
struct SubVariancePreserving {
  double beta_min = 0.1;
  double beta_max = 20.0;
};

/// alpha = 1, sigma = sigma_min (sigma_max / sigma_min)^t. Song et al. (2021), VE.
struct VarianceExploding {
  double sigma_min = 0.01;
  double sigma_max = 50.0;
};

/// alpha = 1, sigma(t) = sigma sqrt(t): Brownian motion of variance sigma^2 (the lecture on time reversal,
/// Theorem 12.1, time reversed).
struct Brownian {
  double sigma = 1.0;
};

/// alpha = 1 - t, sigma = t: the linear path of rectified flow. Liu et al. (2022), Lipman et al. (2022).
struct Flow {};

/// alpha = 1, sigma(t) = (sigma_min^(1/rho) + t (sigma_max^(1/rho) - sigma_min^(1/rho)))^rho. Karras et al.
/// (2022).
struct Edm {
  double sigma_min = 0.002;
  double sigma_max = 80.0;
  double rho = 7.0;
};

/// A schedule of any kind; cheap to copy. A user's own schedule derives from ScheduleModel.
class Schedule {
 public:
  Schedule(VariancePreserving options);
  Schedule(ConstantBeta options);
  Schedule(Cosine options);
  Schedule(BetaTable options);
  Schedule(SubVariancePreserving options);
  Schedule(VarianceExploding options);
  Schedule(Brownian options);
  Schedule(Flow options);
  Schedule(Edm options);
  /// Argument error for none.
  Schedule(std::shared_ptr<const ScheduleModel> model);
  template <std::derived_from<ScheduleModel> Model>
  Schedule(std::shared_ptr<Model> model) : Schedule(std::shared_ptr<const ScheduleModel>(std::move(model))) {}

  const ScheduleModel* operator->() const { return model_.get(); }
  const ScheduleModel& model() const { return *model_; }
  double alpha(double t) const { return model_->alpha(t); }

 private:
  std::shared_ptr<const ScheduleModel> model_;
};

/// From a spec: "vp", "vp:beta_max=10", "ddpm", ... An unknown name lists the valid ones.
Schedule make_schedule(std::string_view spec);
/// From what ScheduleModel::config returned. Input error for a type that is not known here; a program
/// registers its own before it loads what has them.
Schedule schedule_from_config(const Json& config);
/// The config of a schedule that can be saved; argument error for one that has none.
Json schedule_config(const Schedule& schedule);
/// Names of ours and of those registered.
std::vector<std::string> schedule_names();
/// The same with a line about each and its parameters.
std::vector<Description> schedule_descriptions();

/// Adds a schedule under a name, for make_schedule ("mine:a=2") and for reading back what was saved. Its
/// config must have that name as its "type". Argument error where the name is taken.
void register_schedule(const std::string& name, std::function<Schedule(Spec&)> from_spec,
                       std::function<Schedule(const Json& config)> from_config,
                       const std::string& summary = "");

}  // namespace fokker
