#include "fokker/sample/probability_flow.h"

namespace fokker {

StepResult Heun::step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const double step = context.s - context.t;
  const Tensor rate = denoiser.estimate(x, context.t).flow_rate();
  const Tensor predicted = at::add(x, rate, step);
  if (denoiser.process().sigma(context.s) == 0) return {predicted};
  const Tensor rate_at_end = denoiser.estimate(predicted, context.s).flow_rate();
  return {at::add(x, rate + rate_at_end, 0.5 * step), 2};
}

}  // namespace fokker
