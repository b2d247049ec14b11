#pragma once
#include <cmath>

#include "fokker/process/schedule.h"

namespace fokker {

/// A number that depends on t, with its derivative: what a formula in it gives is differentiated exactly, by
/// the chain rule. A constant converts by itself.
struct Dual {
  double value = 0;
  double rate = 0;
  Dual(double constant = 0, double rate_in_t = 0) : value(constant), rate(rate_in_t) {}
};

inline Dual operator-(Dual a) {
  return {-a.value, -a.rate};
}
inline Dual operator+(Dual a, Dual b) {
  return {a.value + b.value, a.rate + b.rate};
}
inline Dual operator-(Dual a, Dual b) {
  return {a.value - b.value, a.rate - b.rate};
}
inline Dual operator*(Dual a, Dual b) {
  return {a.value * b.value, a.rate * b.value + a.value * b.rate};
}
inline Dual operator/(Dual a, Dual b) {
  return {a.value / b.value, (a.rate - a.value / b.value * b.rate) / b.value};
}
inline Dual exp(Dual a) {
  return {std::exp(a.value), std::exp(a.value) * a.rate};
}
inline Dual expm1(Dual a) {
  return {std::expm1(a.value), std::exp(a.value) * a.rate};
}
inline Dual log(Dual a) {
  return {std::log(a.value), a.rate / a.value};
}
inline Dual log1p(Dual a) {
  return {std::log1p(a.value), a.rate / (1 + a.value)};
}
inline Dual sqrt(Dual a) {
  return {std::sqrt(a.value), 0.5 * a.rate / std::sqrt(a.value)};
}
inline Dual pow(Dual a, double power) {
  return {std::pow(a.value, power), power * std::pow(a.value, power - 1) * a.rate};
}
inline Dual sin(Dual a) {
  return {std::sin(a.value), std::cos(a.value) * a.rate};
}
inline Dual cos(Dual a) {
  return {std::cos(a.value), -std::sin(a.value) * a.rate};
}
inline Dual tanh(Dual a) {
  const double value = std::tanh(a.value);
  return {value, (1 - value * value) * a.rate};
}

/// A schedule whose derivatives are those of its formulas. `Formulas` derives from DifferentiatedSchedule of
/// itself and has two templates in the type of t, double or Dual, with the functions above called
/// unqualified:
///   template <typename T> T alpha_of(T t) const { using std::cos; return cos(0.5 * std::numbers::pi * t); }
///   template <typename T> T sigma_of(T t) const { ... }
template <typename Formulas>
class DifferentiatedSchedule : public ScheduleModel {
 public:
  double alpha(double t) const override { return formulas().alpha_of(t); }
  double sigma(double t) const override { return formulas().sigma_of(t); }
  double alpha_rate(double t) const override { return formulas().alpha_of(Dual(t, 1)).rate; }
  double sigma_rate(double t) const override { return formulas().sigma_of(Dual(t, 1)).rate; }

 private:
  const Formulas& formulas() const { return static_cast<const Formulas&>(*this); }
};

}  // namespace fokker
