#include "fokker/sample/method/sde/stochastic_heun.h"

#include "fokker/sample/step/reverse_sde.h"

namespace fokker {

StepResult StochasticHeun::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const auto [t, s] = std::pair(context.t, context.s);
  const GaussianProcess& process = denoiser.process();
  const double step = t - s, diffusion = reverse_diffusion_squared("stochastic-heun", process, t);
  const Estimate estimate = denoiser.estimate(x, t);
  if (process.sigma(s) == 0) return {estimate.denoised()};
  const double diffusion_at_end = reverse_diffusion_squared("stochastic-heun", process, s);
  const Tensor drift = reverse_drift(estimate, process, t);
  const Tensor start = at::add(x, context.noise(0), std::sqrt(0.5 * step * (diffusion + diffusion_at_end)));
  const Tensor predicted = at::add(start, drift, step);
  const Tensor drift_at_end = reverse_drift(denoiser.estimate(predicted, s), process, s);
  return {at::add(start, drift + drift_at_end, 0.5 * step), 2};
}

}  // namespace fokker
