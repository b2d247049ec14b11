#include "fokker/sample/dopri5.h"

#include <array>

#include "fokker/core/error.h"
#include "fokker/sample/adaptive.h"

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

/// What one grid interval leaves for the next.
struct Controller {
  Tensor rate;          ///< at the current x and t: the last stage of one step is the first of the next
  double step = 0;      ///< the size to try next, > 0
  double error = 1e-4;  ///< of the last accepted step

  /// PI control with exponents 0.7/5 and 0.4/5 (Gustafsson 1991). Out of the range of numbers, the step
  /// shrinks most.
  double factor(double trial_error) const {
    const double now = std::max(trial_error, 1e-10);
    const double factor =
        now <= 1 ? 0.9 * std::pow(now, -0.14) * std::pow(error, 0.08) : 0.9 * std::pow(now, -0.2);
    return std::isfinite(factor) ? std::clamp(factor, 0.2, now <= 1 ? 10.0 : 1.0) : 0.2;
  }
};

struct Trial {
  Tensor x, rate;
  double error = 0;
};

Tensor rate_at(const Denoiser& denoiser, const Tensor& x, double t) {
  return denoiser.estimate(x, t).flow_rate();
}

Trial try_step(const Denoiser& denoiser, const Tensor& x, const Tensor& rate, double t, double step,
               const Dopri5::Options& options) {
  std::array<Tensor, 7> rates = {rate};
  Trial trial;
  for (size_t i = 1; i < 7; ++i) {
    Tensor point = x.clone();
    for (size_t j = 0; j < i; ++j)
      if (stages[i][j] != 0) point.add_(rates[j], step * stages[i][j]);
    rates[i] = rate_at(denoiser, point, t + nodes[i] * step);
    trial.x = point;
  }
  trial.rate = rates[6];
  Tensor error = rates[0] * (step * error_weights[0]);
  for (size_t j = 2; j < 7; ++j) error.add_(rates[j], step * error_weights[j]);
  trial.error = worst_scaled_error(error, x, trial.x, options.atol, options.rtol);
  return trial;
}

/// Hairer, Norsett and Wanner, II.4: a first guess from the size of x, of its rate and of the rate's change.
double first_step(const Denoiser& denoiser, const Tensor& x, const Tensor& rate, double t, double length,
                  const Dopri5::Options& o) {
  const auto size = [&](const Tensor& value) { return worst_scaled_error(value, x, x, o.atol, o.rtol); };
  const double d0 = size(x), d1 = size(rate);
  const double guess = std::min(d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : 0.01 * d0 / d1, std::abs(length));
  const double signed_guess = std::copysign(guess, length);
  const Tensor later = rate_at(denoiser, at::add(x, rate, signed_guess), t + signed_guess);
  const double d2 = size(later - rate) / guess;
  const double largest = std::max(d1, d2);
  const double second = largest <= 1e-15 ? std::max(1e-6, guess * 1e-3) : std::pow(0.01 / largest, 0.2);
  return std::min(100 * guess, second);
}

/// Steps from t to `end`; counts in `result`, whose x it moves.
void advance(const Denoiser& denoiser, StepResult& result, double t, double end, Controller& controller,
             const Dopri5::Options& options) {
  for (int64_t tries = 0; t != end; ++tries) {
    check(tries < options.most_steps, "dopri5: no end within {} steps, at t = {}; loosen rtol and atol",
          options.most_steps, t);
    const double left = std::abs(end - t);
    const bool last = controller.step >= left * (1 - 1e-12);
    const double step = last ? end - t : std::copysign(controller.step, end - t);
    const Trial trial = try_step(denoiser, result.x, controller.rate, t, step, options);
    result.evaluations += 6;
    const double proposed = std::abs(step) * controller.factor(trial.error);
    if (trial.error <= 1) {
      t = last ? end : t + step;
      result.x = trial.x;
      // A step cut short by the end of the interval says little about the size of the next.
      controller = {trial.rate, last ? std::max(controller.step, proposed) : proposed,
                    std::max(trial.error, 1e-10)};
    } else {
      controller.step = proposed;
      ++result.rejected;
    }
    if (t != end && t + std::copysign(controller.step, end - t) == t)
      fail(ErrorKind::failed, "dopri5: the step size fell to {} at t = {}", controller.step, t);
  }
}

}  // namespace

Dopri5::Dopri5(Options options) : options_(options) {
  check(options.rtol >= 0 && options.atol >= 0 && options.rtol + options.atol > 0,
        "dopri5: expected rtol >= 0 and atol >= 0, not both 0, but received rtol = {}, atol = {}",
        options.rtol, options.atol);
  check(options.most_steps > 0, "dopri5: expected most_steps > 0 but received {}", options.most_steps);
}

StepResult Dopri5::step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const GaussianProcess& process = denoiser.process();
  const bool clean = process.sigma(context.s) == 0;
  const double end = clean ? std::min(process.time_min(), context.t) : context.s;
  StepResult result{x, 0};
  if (!context.history.has_value()) {
    Controller fresh;
    fresh.rate = rate_at(denoiser, x, context.t);
    if (end != context.t)
      fresh.step = first_step(denoiser, x, fresh.rate, context.t, end - context.t, options_);
    result.evaluations = end != context.t ? 2 : 1;
    context.history = fresh;
  }
  advance(denoiser, result, context.t, end, std::any_cast<Controller&>(context.history), options_);
  if (clean) {
    result.x = denoiser.estimate(result.x, end).denoised();
    ++result.evaluations;
  }
  return result;
}

}  // namespace fokker
