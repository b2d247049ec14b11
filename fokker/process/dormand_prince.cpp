#include "fokker/process/dormand_prince.h"

#include <array>

#include "fokker/core/error.h"

namespace fokker {
namespace {

// Dormand and Prince (1980): stages, solution of order 5 (the last row) and its difference from that of
// order 4.
constexpr std::array<double, 7> nodes = {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1};
constexpr std::array<std::array<double, 6>, 7> stages = {{
    {},
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
}};
constexpr std::array<double, 7> error_weights = {71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                                 -17253.0 / 339200, 22.0 / 525, -1.0 / 40};

}  // namespace

double worst_scaled_error(const Tensor& error, const Tensor& before, const Tensor& after, double atol,
                          double rtol) {
  const Tensor scale = at::maximum(before.abs(), after.abs()) * rtol + atol;
  return std::sqrt((error / scale).square().flatten(1).mean(1).max().item<double>());
}

DormandPrince::DormandPrince(Options options) : options_(options) {
  check(options.rtol >= 0 && options.atol >= 0 && options.rtol + options.atol > 0,
        "dopri5: expected rtol >= 0 and atol >= 0, not both 0, but received rtol = {}, atol = {}",
        options.rtol, options.atol);
  check(options.most_steps > 0, "dopri5: expected most_steps > 0 but received {}", options.most_steps);
}

// PI control with exponents 0.7/5 and 0.4/5 (Gustafsson 1991). Out of the range of numbers, the step shrinks
// most.
double DormandPrince::factor(double trial_error) const {
  const double now = std::max(trial_error, 1e-10);
  const double factor =
      now <= 1 ? 0.9 * std::pow(now, -0.14) * std::pow(error_, 0.08) : 0.9 * std::pow(now, -0.2);
  return std::isfinite(factor) ? std::clamp(factor, 0.2, now <= 1 ? 10.0 : 1.0) : 0.2;
}

DormandPrince::Trial DormandPrince::attempt(const OdeRate& rate, const Tensor& x, double t, double step) {
  std::array<Tensor, 7> rates = {rate_};
  Trial trial;
  for (size_t i = 1; i < 7; ++i) {
    Tensor point = x.clone();
    for (size_t j = 0; j < i; ++j)
      if (stages[i][j] != 0) point.add_(rates[j], step * stages[i][j]);
    rates[i] = rate(point, t + nodes[i] * step);
    trial.x = point;
  }
  evaluations_ += 6;
  trial.rate = rates[6];
  Tensor error = rates[0] * (step * error_weights[0]);
  for (size_t j = 2; j < 7; ++j) error.add_(rates[j], step * error_weights[j]);
  trial.error = worst_scaled_error(error, x, trial.x, options_.atol, options_.rtol);
  return trial;
}

// Hairer, Norsett and Wanner, II.4: a first guess from the size of x, of its rate and of the rate's change.
double DormandPrince::first_step(const OdeRate& rate, const Tensor& x, double t, double length) {
  const auto size = [&](const Tensor& value) {
    return worst_scaled_error(value, x, x, options_.atol, options_.rtol);
  };
  const double d0 = size(x), d1 = size(rate_);
  const double guess = std::min(d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : 0.01 * d0 / d1, std::abs(length));
  const double signed_guess = std::copysign(guess, length);
  const Tensor later = rate(at::add(x, rate_, signed_guess), t + signed_guess);
  ++evaluations_;
  const double d2 = size(later - rate_) / guess;
  const double largest = std::max(d1, d2);
  const double second = largest <= 1e-15 ? std::max(1e-6, guess * 1e-3) : std::pow(0.01 / largest, 0.2);
  return std::min(100 * guess, second);
}

Tensor DormandPrince::advance(const OdeRate& rate, Tensor x, double t, double end) {
  if (t == end) return x;
  if (!rate_.defined()) {
    rate_ = rate(x, t);
    ++evaluations_;
    step_ = first_step(rate, x, t, end - t);
  }
  for (int64_t tries = 0; t != end; ++tries) {
    check(tries < options_.most_steps, "dopri5: no end within {} steps, at t = {}; loosen rtol and atol",
          options_.most_steps, t);
    const bool last = step_ >= std::abs(end - t) * (1 - 1e-12);
    const double step = last ? end - t : std::copysign(step_, end - t);
    const Trial trial = attempt(rate, x, t, step);
    const double proposed = std::abs(step) * factor(trial.error);
    if (trial.error <= 1) {
      t = last ? end : t + step;
      x = trial.x;
      rate_ = trial.rate;
      // A step cut short by the end of the interval says little about the size of the next.
      step_ = last ? std::max(step_, proposed) : proposed;
      error_ = std::max(trial.error, 1e-10);
    } else {
      step_ = proposed;
      ++rejected_;
    }
    if (t != end && t + std::copysign(step_, end - t) == t)
      fail(ErrorKind::failed, "dopri5: the step size fell to {} at t = {}", step_, t);
  }
  return x;
}

}  // namespace fokker
