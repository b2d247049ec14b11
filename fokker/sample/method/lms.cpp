#include "fokker/sample/method/lms.h"

#include "fokker/core/check.h"
#include "fokker/sample/method/ddim.h"
#include "fokker/sample/step/ratio_step.h"
#include "fokker/sample/step/weights.h"

namespace fokker {

LinearMultistep::LinearMultistep(Options options) : options_(options) {
  check(options.order >= 1 && options.order <= 4, "lms: expected an order from 1 to 4 but received {}",
        options.order);
}

SamplerOrder LinearMultistep::order() const {
  return multistep_order(options_.order, options_.start);
}

StepResult LinearMultistep::step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const RatioStep step(denoiser.process(), context.t, context.s);
  const Estimate estimate = denoiser.estimate(x, context.t);
  if (!step.finite()) return {ddim_step(estimate, denoiser.process(), context.s)};
  Past& past = past_of(context);
  remember(past, {step.from, estimate.noise()}, static_cast<size_t>(options_.order));
  const bool warming = static_cast<int64_t>(past.size()) < options_.order;
  if (warming && options_.start == Start::runge_kutta && step.to > 0)
    return ratio_runge_kutta(denoiser, x, past[0].value, context.t, context.s);

  std::vector<double> nodes, moments;
  for (size_t k = 0; k < past.size(); ++k) {
    nodes.push_back((past[k].place - step.from) / step.length());
    moments.push_back(1 / static_cast<double>(k + 1));
  }
  return {step.with_slope(x, weighted_sum(past, interpolatory_weights(nodes, moments)))};
}

}  // namespace fokker
