#include "fokker/sample/method/ode/probability_flow.h"

namespace fokker {

StepResult RungeKutta4::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const double step = context.s - context.t, middle = 0.5 * (context.t + context.s);
  const Estimate estimate = denoiser.estimate(x, context.t);
  if (denoiser.process().sigma(context.s) == 0) return {estimate.denoised()};
  const auto rate_after = [&](const Tensor& rate, double length, double t) {
    return denoiser.estimate(at::add(x, rate, length), t).flow_rate();
  };
  const Tensor first = estimate.flow_rate();
  const Tensor second = rate_after(first, 0.5 * step, middle);
  const Tensor third = rate_after(second, 0.5 * step, middle);
  const Tensor fourth = rate_after(third, step, context.s);
  return {at::add(x, first + 2 * second + 2 * third + fourth, step / 6), 4};
}

}  // namespace fokker
