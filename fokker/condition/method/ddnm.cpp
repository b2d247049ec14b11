#include "fokker/condition/method/ddnm.h"

#include "fokker/condition/method/reverse_steps.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

/// l of each singular direction, (m); 0 where A sees nothing.
Tensor trusted(const LinearMeasurement& seen, const ReverseStep& step) {
  const Tensor& e = seen.a().spectrum().values();
  const Tensor some = (e > 0).to(at::kDouble);
  if (seen.noise() == 0) return some;
  return (e.sqrt() * (std::sqrt(step.variance) / (step.data * seen.noise()))).clamp_max(1) * some;
}

/// Noise of the step along A's singular directions in place of what the correction brings already: `noise`
/// changed in A's range, V (gamma - 1) V^T noise added, with V^T = e^{-1/2} U^T A.
Tensor missing_noise(const LinearMeasurement& seen, const ReverseStep& step, const Tensor& trust,
                     const Tensor& noise) {
  const Tensor& e = seen.a().spectrum().values();
  const Tensor safe = at::where(e > 0, e, at::ones_like(e));
  const Tensor brought = trust * (step.data * seen.noise()) / safe.sqrt();
  const Tensor left = (1 - brought.square() / step.variance).clamp_min(0).sqrt();
  const Tensor factors = at::where(e > 0, (left - 1) / safe, at::zeros_like(e));
  const Tensor change = seen.a().in_spectrum(seen.a().apply(noise.to(at::kDouble)), factors);
  return noise + seen.a().adjoint(change).to(noise.scalar_type());
}

}  // namespace

void Ddnm::check_measurement(const Measurement& measurement) const {
  linear_only(measurement, name());
}

PosteriorDraw Ddnm::draw(const PosteriorBlock& block) const {
  const LinearMeasurement& seen = linear_only(block.measurement, name());
  const LinearOperator& a = seen.a();
  const Tensor& e = a.spectrum().values();
  const Tensor inverse =
      at::where(e > 0, at::where(e > 0, e, at::ones_like(e)).reciprocal(), at::zeros_like(e));
  PosteriorDraw run{.x = block.start, .log_weights = {}};
  for (const ReverseStep& step : reverse_steps(block.process(), block.grid)) {
    check_stop();
    const Tensor denoised = block.estimate(run.x, step.t).denoised();
    ++run.evaluations;
    const Tensor trust = trusted(seen, step);
    const Tensor gap = seen.y().to(denoised.device()) - a.apply(denoised.to(at::kDouble));
    const Tensor corrected =
        denoised + a.adjoint(a.in_spectrum(gap, trust * inverse)).to(denoised.scalar_type());
    run.x = run.x * step.state + corrected * step.data;
    if (step.variance == 0) continue;
    const Tensor noise = step_noise(block, run.x, step.index, name())(0);
    run.x = run.x +
            (seen.noise() > 0 ? missing_noise(seen, step, trust, noise) : noise) * std::sqrt(step.variance);
  }
  return run;
}

}  // namespace fokker
