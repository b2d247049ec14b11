#include "fokker/sample/euler_maruyama.h"

#include "fokker/core/error.h"

namespace fokker {

StepResult EulerMaruyama::step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const auto& schedule = denoiser.process().schedule();
  const double t = context.t, step = context.t - context.s;
  const double drift = schedule->drift(t), diffusion = schedule->diffusion_squared(t);
  check(std::isfinite(drift) && std::isfinite(diffusion),
        "euler-maruyama: the SDE of this process is singular at t = {}; start at t <= {}", t,
        schedule->sde_end());
  Tensor next = at::add(x * (1 - step * drift), denoiser.estimate(x, t).score(), step * diffusion);
  if (context.s == 0 && options_.denoise_last) return {next};
  return {next.add_(context.noise(0), std::sqrt(step * diffusion))};
}

}  // namespace fokker
