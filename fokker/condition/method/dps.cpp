#include "fokker/condition/method/dps.h"

#include "fokker/condition/method/reverse_steps.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker {

Dps::Dps(double step, Form form) : step_(step), form_(form) {
  check(std::isfinite(step) && step > 0, "dps: expected step > 0 but received {}", step);
}

PosteriorDraw Dps::draw(const PosteriorBlock& block) const {
  PosteriorDraw run{.x = block.start, .log_weights = {}};
  for (const ReverseStep& step : reverse_steps(block.process(), block.grid)) {
    check_stop();
    Tensor denoised, gradient, misfit;
    {
      const GradientMode on(true);
      const DifferentiableEstimate at_t = differentiable_estimate(block, run.x, step.t);
      const Tensor square = block.measurement.residual(at_t.denoised).square().sum(1);
      gradient = gradients(square, {at_t.x}, false)[0];
      denoised = at_t.denoised.detach();
      misfit = square.detach().sqrt();
    }
    ++run.evaluations, ++run.gradients;
    if (form_ == Form::norm)
      gradient = gradient / per_sample(2 * misfit.clamp_min(1e-30), gradient).to(gradient.scalar_type());
    run.x = run.x * step.state + denoised * step.data - gradient * step_;
    if (step.variance > 0)
      run.x = run.x + step_noise(block, run.x, step.index, name())(0) * std::sqrt(step.variance);
  }
  return run;
}

}  // namespace fokker
