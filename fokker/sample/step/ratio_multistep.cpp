#include "fokker/sample/step/ratio_multistep.h"

#include "fokker/core/check.h"
#include "fokker/sample/step/ddim_step.h"

namespace fokker {

RatioMultistep::RatioMultistep(const char* name, int64_t order, int64_t highest, Start start)
    : order_(order), start_(start) {
  check(order >= 1 && order <= highest, "{}: expected an order from 1 to {} but received {}", name, highest,
        order);
}

StepResult RatioMultistep::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const GaussianProcess& process = denoiser.process();
  const RatioStep step(process, context.t, context.s);
  const Estimate estimate = denoiser.estimate(x, context.t);
  if (!step.finite()) return {ddim_step(estimate, process, context.s)};
  Past& past = past_of(context);
  remember(past, {place(process, context.t), estimate.noise()}, static_cast<size_t>(order_));
  const bool warming = static_cast<int64_t>(past.size()) < order_;
  if (warming && start_ == Start::runge_kutta && step.to > 0)
    return ratio_runge_kutta(denoiser, x, past[0].value, context.t, context.s);
  return {step.with_slope(x, weighted_sum(past, weights(process, step, past, context)))};
}

}  // namespace fokker
