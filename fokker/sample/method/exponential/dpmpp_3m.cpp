#include "fokker/sample/method/exponential/dpmpp_3m.h"

#include "fokker/sample/method/exponential/dpmpp_2s.h"
#include "fokker/sample/step/log_snr_step.h"
#include "fokker/sample/step/weights.h"

namespace fokker {

SamplerOrder DpmPp3M::order() const {
  const bool full = options_.weights == Weights::exact && options_.start == Start::runge_kutta;
  const double order = full ? 3 : 2;
  return {.deterministic = true, .strong = order, .weak = order};
}

StepResult DpmPp3M::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const LogSnrStep step(denoiser.process(), context.t, context.s);
  const Tensor denoised = denoiser.estimate(x, context.t).denoised();
  Past& past = past_of(context);
  const bool first = past.empty();
  remember(past, {step.from, denoised}, 3);
  if (!step.finite()) return {step.constant(x, denoised)};
  if (first && options_.start == Start::runge_kutta)
    return dpmpp_2s_step(denoiser, x, denoised, context.t, context.s);

  // int_0^1 e^{-h(1-v)} v^k dv = k! phi_{k+1}(-h), with v the place within the step.
  std::vector<double> nodes, moments;
  double factorial = 1;
  for (size_t k = 0; k < past.size(); ++k) {
    if (k > 1) factorial *= static_cast<double>(k);
    nodes.push_back((past[k].place - step.from) / step.h);
    moments.push_back(factorial * phi(static_cast<int>(k) + 1, -step.h));
  }
  const bool published = options_.weights == Weights::published;
  if (past.size() == 3 && published) moments[2] /= 2;
  // With their start also the second step, which takes the middle of the line through two estimates.
  if (past.size() == 2 && published && options_.start == Start::lower_order) moments[1] = moments[0] / 2;
  const Tensor direction = weighted_sum(past, interpolatory_weights(nodes, moments));
  return {at::add(x * step.keep, direction, step.alpha * step.h)};
}

}  // namespace fokker
