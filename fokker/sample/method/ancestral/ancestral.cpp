#include "fokker/sample/method/ancestral/ancestral.h"

namespace fokker {

StepResult Ancestral::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const auto [t, s] = std::pair(context.t, context.s);
  const GaussianProcess& process = denoiser.process();
  const PosteriorCoefficients posterior = process.posterior(s, t);
  Tensor next = at::add(x * posterior.state, denoiser.estimate(x, t).denoised(), posterior.data);
  if (posterior.variance == 0) return {next};
  const double variance =
      variance_ == Variance::posterior ? posterior.variance : process.transition(s, t).variance;
  return {next.add_(context.noise(0), std::sqrt(variance))};
}

}  // namespace fokker
