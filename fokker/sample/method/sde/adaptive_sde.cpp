#include "fokker/sample/method/sde/adaptive_sde.h"

#include "fokker/core/check.h"
#include "fokker/core/stop.h"
#include "fokker/sample/step/brownian_memory.h"
#include "fokker/sample/step/reverse_sde.h"
#include "fokker/sde/dormand_prince.h"

namespace fokker {
namespace {

constexpr uint32_t most_draws = 4096;
constexpr int64_t most_not_finite = 16;         // each a tenth of the step before
constexpr double safety = 0.9, exponent = 0.9;  // theta and r of the paper

struct StepControlRun {
  BrownianMemory path;
  double step = 0.01;  ///< to try next; the paper's h_init
};

/// When to give up on an interval that begins at `begin`, and because of which row.
struct Limits {
  double begin;
  uint32_t draws = 0;
  int64_t not_finite = 0, worst = 0;

  uint32_t next_draw() {
    if (draws == most_draws)
      throw RowError(ErrorKind::argument, worst,
                     fmt::format("adaptive-sde: more than {} steps tried from t = {}; loosen rtol and atol",
                                 most_draws, begin));
    return draws++;
  }
  double largest(const Tensor& errors, double t) {
    worst = errors.argmax().item<int64_t>();
    const double error = errors[worst].item<double>();
    not_finite = std::isfinite(error) ? 0 : not_finite + 1;
    if (not_finite > most_not_finite)
      throw RowError(ErrorKind::failed, worst,
                     fmt::format("it lies too far away: its rate is not finite beside t = {:.6g}", t));
    return error;
  }
};

/// Both solutions of one trial, which share their noise.
struct Trial {
  Tensor simple, improved;
};

Trial try_step(const Denoiser& denoiser, const Tensor& x, const Tensor& drift, const Tensor& increment,
               double t, double s) {
  const GaussianProcess& process = denoiser.process();
  const double step = t - s;
  const double noise = std::sqrt(reverse_diffusion_squared("adaptive-sde", process, t));
  const double noise_at_end = std::sqrt(reverse_diffusion_squared("adaptive-sde", process, s));
  Trial trial;
  trial.simple = at::add(x, drift, step).add_(increment, noise);
  const Tensor drift_at_end = reverse_drift(denoiser.estimate(trial.simple, s), process, s);
  trial.improved = at::add(x, drift + drift_at_end, 0.5 * step).add_(increment, 0.5 * (noise + noise_at_end));
  return trial;
}

}  // namespace

AdaptiveSde::AdaptiveSde(Options options) : options_(options) {
  check(options.rtol >= 0 && options.atol >= 0 && options.rtol + options.atol > 0,
        "adaptive-sde: expected rtol >= 0 and atol >= 0, not both 0, but received rtol = {}, atol = {}",
        options.rtol, options.atol);
}

StepResult AdaptiveSde::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const GaussianProcess& process = denoiser.process();
  const bool clean = process.sigma(context.s) == 0;
  const double end = clean ? std::min(process.time_min(), context.t) : context.s;
  if (!context.history.has_value()) context.history = StepControlRun();
  auto& run = std::any_cast<StepControlRun&>(context.history);
  Limits limits{context.t};
  const auto draw = [&] { return context.noise(limits.next_draw()); };
  StepResult result{x, 0};
  Tensor drift;  // at (x, t), where known
  for (double t = context.t; t > end;) {
    check_stop();
    const double step = std::min(run.step, t - end), next = step == t - end ? end : t - step;
    if (!drift.defined()) {
      drift = reverse_drift(denoiser.estimate(result.x, t), process, t);
      ++result.evaluations;
    }
    const Trial trial = try_step(denoiser, result.x, drift, run.path.increment(step, draw), t, next);
    ++result.evaluations;
    const Tensor errors =
        scaled_errors(trial.simple - trial.improved, result.x, trial.simple, options_.atol, options_.rtol);
    const double error = limits.largest(errors, t);
    if (error <= 1) {
      run.path.advance(step);
      result.x = trial.improved;
      t = next;
      drift = Tensor();
    } else {
      ++result.rejected;
    }
    const double factor = safety * std::pow(std::max(error, 1e-10), -exponent);
    run.step = step * (std::isfinite(factor) ? std::clamp(factor, 0.1, 10.0) : 0.1);
  }
  if (!clean) return result;
  return {denoiser.estimate(result.x, end).denoised(), result.evaluations + 1, result.rejected};
}

}  // namespace fokker
