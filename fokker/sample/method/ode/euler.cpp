#include "fokker/sample/method/ode/probability_flow.h"

namespace fokker {

StepResult Euler::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const Estimate estimate = denoiser.estimate(x, context.t);
  if (denoiser.process().sigma(context.s) == 0) return {estimate.denoised()};
  return {at::add(x, estimate.flow_rate(), context.s - context.t)};
}

}  // namespace fokker
