#include "fokker/sample/step/reverse_sde.h"

#include "fokker/core/check.h"

namespace fokker {

Tensor reverse_drift(const Estimate& estimate, const GaussianProcess& process, double t) {
  const auto& schedule = process.schedule();
  return at::sub(estimate.score() * schedule->diffusion_squared(t), estimate.x(), schedule->drift(t));
}

double reverse_diffusion_squared(const char* method, const GaussianProcess& process, double t) {
  const auto& schedule = process.schedule();
  const double diffusion = schedule->diffusion_squared(t);
  check(std::isfinite(schedule->drift(t)) && std::isfinite(diffusion),
        "{}: the SDE of this process is singular at t = {}; start at t <= {}", method, t,
        schedule->sde_end());
  return diffusion;
}

}  // namespace fokker
