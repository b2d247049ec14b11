#include "fokker/sample/method/sde/euler_maruyama.h"

#include "fokker/sample/step/reverse_sde.h"

namespace fokker {

StepResult EulerMaruyama::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const GaussianProcess& process = denoiser.process();
  const double t = context.t, step = context.t - context.s;
  const double diffusion = reverse_diffusion_squared("euler-maruyama", process, t);
  Tensor next = at::add(x, reverse_drift(denoiser.estimate(x, t), process, t), step);
  if (context.s == 0 && options_.denoise_last) return {next};
  return {next.add_(context.noise(0), std::sqrt(step * diffusion))};
}

}  // namespace fokker
