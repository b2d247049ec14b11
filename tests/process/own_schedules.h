#pragma once
#include <cmath>
#include <functional>
#include <numbers>

#include "fokker/process/dual.h"

namespace fokker {

/// A user's schedule: alpha and sigma and nothing else.
class AlphaAndSigma final : public ScheduleModel {
 public:
  using Function = std::function<double(double)>;
  AlphaAndSigma(Function alpha, Function sigma) : alpha_(std::move(alpha)), sigma_(std::move(sigma)) {}
  double alpha(double t) const override { return alpha_(t); }
  double sigma(double t) const override { return sigma_(t); }

 private:
  Function alpha_, sigma_;
};

inline Schedule alpha_and_sigma(AlphaAndSigma::Function alpha, AlphaAndSigma::Function sigma) {
  return std::make_shared<AlphaAndSigma>(std::move(alpha), std::move(sigma));
}

/// Formulas to be differentiated: alpha = cos(a t), sigma = sin(a t), with a in (0, pi/2].
class Arc final : public DifferentiatedSchedule<Arc> {
 public:
  explicit Arc(double angle) : angle_(angle) {}
  template <typename T>
  T alpha_of(T t) const {
    using std::cos;
    return cos(angle_ * t);
  }
  template <typename T>
  T sigma_of(T t) const {
    using std::sin;
    return sin(angle_ * t);
  }
  Json config() const override { return {{"type", "test-arc"}, {"angle", angle_}}; }

 private:
  double angle_;
};

/// The same by differences, which can be saved.
class PlainArc final : public ScheduleModel {
 public:
  explicit PlainArc(double angle) : angle_(angle) {}
  double alpha(double t) const override { return std::cos(angle_ * t); }
  double sigma(double t) const override { return std::sin(angle_ * t); }
  Json config() const override { return {{"type", "test-plain-arc"}, {"angle", angle_}}; }

 private:
  double angle_;
};

/// Registers both once: "test-arc:angle=1.5", "test-plain-arc".
inline void register_arcs() {
  static const bool done = [] {
    register_schedule(
        "test-arc", [](Spec& spec) { return Schedule(std::make_shared<Arc>(spec.number("angle", 1.56))); },
        [](const Json& config) { return Schedule(std::make_shared<Arc>(config.at("angle").get<double>())); },
        "a quarter of a circle");
    register_schedule(
        "test-plain-arc",
        [](Spec& spec) { return Schedule(std::make_shared<PlainArc>(spec.number("angle", 1.56))); },
        [](const Json& config) {
          return Schedule(std::make_shared<PlainArc>(config.at("angle").get<double>()));
        });
    return true;
  }();
  (void)done;
}

}  // namespace fokker
