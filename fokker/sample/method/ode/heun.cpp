#include "fokker/sample/method/ode/probability_flow.h"

namespace fokker {

StepResult Heun::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const double step = context.s - context.t;
  const Estimate estimate = denoiser.estimate(x, context.t);
  if (denoiser.process().sigma(context.s) == 0) return {estimate.denoised()};
  const Tensor rate = estimate.flow_rate();
  const Tensor rate_at_end = denoiser.estimate(at::add(x, rate, step), context.s).flow_rate();
  return {at::add(x, rate + rate_at_end, 0.5 * step), 2};
}

}  // namespace fokker
