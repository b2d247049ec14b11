#include "fokker/condition/method/replacement.h"

#include "fokker/condition/method/reverse_steps.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

/// x with its measured part replaced by alpha y + sigma A noise.
Tensor replaced(const LinearMeasurement& seen, const Tensor& x, double alpha, double sigma,
                const Tensor& noise) {
  const LinearOperator& a = seen.a();
  Tensor wanted = seen.y().to(x.device()) * alpha - a.apply(x.to(at::kDouble));
  if (sigma > 0) wanted = wanted + a.apply(noise.to(at::kDouble)) * sigma;
  return x + a.pseudo_inverse(wanted).to(x.scalar_type());
}

}  // namespace

Replacement::Replacement(int64_t resample) : resample_(resample) {
  check(resample > 0 && resample <= 1000, "replacement: expected resample from 1 to 1000 but received {}",
        resample);
}

void Replacement::check_measurement(const Measurement& measurement) const {
  linear_only(measurement, name());
}

PosteriorDraw Replacement::draw(const PosteriorBlock& block) const {
  const LinearMeasurement& seen = linear_only(block.measurement, name());
  const GaussianProcess& process = block.process();
  PosteriorDraw run{.x = block.start, .log_weights = {}};
  for (const ReverseStep& step : reverse_steps(process, block.grid)) {
    check_stop();
    const auto noise = step_noise(block, run.x, step.index, name());
    const int64_t rounds = step.last ? 1 : resample_;
    for (int64_t round = 0; round < rounds; ++round) {
      const auto first = static_cast<uint32_t>(3 * round);
      const double alpha = process.alpha(step.t), sigma = process.sigma(step.t);
      const Tensor x = replaced(seen, run.x, alpha, sigma, noise(first));
      run.x = x * step.state + block.estimate(x, step.t).denoised() * step.data;
      ++run.evaluations;
      if (step.variance > 0) run.x = run.x + noise(first + 1) * std::sqrt(step.variance);
      if (round + 1 == rounds) break;
      const TransitionCoefficients back = process.transition(step.s, step.t);
      run.x = run.x * back.scale + noise(first + 2) * std::sqrt(back.variance);
    }
  }
  run.x = replaced(seen, run.x, 1, 0, {});
  return run;
}

}  // namespace fokker
