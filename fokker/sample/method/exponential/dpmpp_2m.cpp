#include "fokker/sample/method/exponential/dpmpp_2m.h"

#include "fokker/core/boundary.h"
#include "fokker/sample/step/past.h"

namespace fokker {

Tensor two_step_direction(const LogSnrStep& step, const Tensor& denoised, StepContext& context) try {
  Past& past = past_of(context);
  Tensor direction = denoised;
  if (!past.empty() && step.finite()) {
    const double weight = 0.5 * step.h / (step.from - past[0].place);
    direction = at::sub(denoised * (1 + weight), past[0].value, weight);
  }
  remember(past, {step.from, denoised}, 1);
  return direction;
} catch (...) {
  detail::throw_as_error();
}

StepResult DpmPp2M::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const LogSnrStep step(denoiser.process(), context.t, context.s);
  const Tensor denoised = denoiser.estimate(x, context.t).denoised();
  return {step.constant(x, two_step_direction(step, denoised, context))};
}

}  // namespace fokker
