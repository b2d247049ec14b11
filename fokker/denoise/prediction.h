#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "fokker/process/gaussian_process.h"

namespace fokker {

/// out = state x_t + value (native prediction).
struct Conversion {
  double state = 0;
  double value = 0;
};

/// What a network is asked to predict: a row of coefficients, value = data x_0 + noise eps. Each quantity
/// below follows from (x_t, value) by one linear combination in closed form; none is reached through another,
/// so each stays accurate as sigma -> 0 and as alpha -> 0 as far as the value itself determines it.
class Prediction {
 public:
  enum class Kind { noise, data, velocity, score, edm };

  static Prediction noise() { return Prediction(Kind::noise); }
  static Prediction data() { return Prediction(Kind::data); }
  /// ScheduleModel::velocity.
  static Prediction velocity() { return Prediction(Kind::velocity); }
  static Prediction score() { return Prediction(Kind::score); }
  /// Karras et al. (2022), Table 1: the network's output F in D = c_skip x + c_out F, for data of standard
  /// deviation sigma_data, generalised to any alpha: F = (sigma/(sd rho)) x_0 - (alpha sd/rho) eps, rho^2 =
  /// sigma^2 + alpha^2 sd^2.
  static Prediction edm(double sigma_data = 1.0) { return Prediction(Kind::edm, sigma_data); }

  static Prediction from_name(std::string_view name, double sigma_data = 1.0);
  static std::vector<std::string> names();
  std::string name() const;
  Kind kind() const { return kind_; }
  double sigma_data() const { return sigma_data_; }

  /// What is added to the value where the score gains 1 and with it (Tweedie's formula) E[x_0] sigma^2/alpha
  /// and E[eps] -sigma.
  double score_factor(const ScheduleModel& schedule, double t) const;

  /// The training target: value = data x_0 + noise eps at time t.
  PathCoefficients target(const ScheduleModel& schedule, double t) const;
  /// E[x_0 | x_t].
  Conversion to_denoised(const ScheduleModel& schedule, double t) const;
  /// E[eps | x_t].
  Conversion to_noise(const ScheduleModel& schedule, double t) const;
  /// grad log p_t(x_t) = -E[eps | x_t] / sigma.
  Conversion to_score(const ScheduleModel& schedule, double t) const;
  /// ScheduleModel::velocity of the path, averaged over its law given x_t.
  Conversion to_velocity(const ScheduleModel& schedule, double t) const;

 private:
  explicit Prediction(Kind kind, double sigma_data = 1.0) : kind_(kind), sigma_data_(sigma_data) {}
  Kind kind_;
  double sigma_data_;
};

}  // namespace fokker
