#include "fokker/sample/method/ancestral/ddim.h"

#include "fokker/core/check.h"

namespace fokker {

Ddim::Ddim(double eta) : eta_(eta) {
  check(eta >= 0 && eta <= 1, "ddim: expected 0 <= eta <= 1 but received {}", eta);
}

StepResult Ddim::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const auto [t, s] = std::pair(context.t, context.s);
  const GaussianProcess& process = denoiser.process();
  const Estimate estimate = denoiser.estimate(x, t);
  if (eta_ == 0) return {ddim_step(estimate, process, s)};
  const double sigma_s = process.sigma(s);
  const double added = eta_ * eta_ * process.posterior(s, t).variance;
  Tensor next = estimate.denoised() * process.alpha(s);
  if (sigma_s > 0) next.add_(estimate.noise(), std::sqrt(sigma_s * sigma_s - added));
  if (added > 0) next.add_(context.noise(0), std::sqrt(added));
  return {next};
}

}  // namespace fokker
