#include "fokker/sample/lms.h"

#include "fokker/core/error.h"
#include "fokker/sample/ddim.h"
#include "fokker/sample/ratio_step.h"
#include "fokker/sample/weights.h"

namespace fokker {

LinearMultistep::LinearMultistep(Options options) : options_(options) {
  check(options.order >= 1 && options.order <= 4, "lms: expected an order from 1 to 4 but received {}",
        options.order);
}

SamplerOrder LinearMultistep::order() const {
  const auto full = static_cast<double>(options_.order);
  const double order = options_.start == Start::runge_kutta ? full : std::min(full, 2.0);
  return {.deterministic = true, .strong = order, .weak = order};
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
  const std::vector<double> weights = interpolatory_weights(nodes, moments);
  Tensor slope = past[0].value * weights[0];
  for (size_t j = 1; j < past.size(); ++j) slope.add_(past[j].value, weights[j]);
  return {step.with_slope(x, slope)};
}

}  // namespace fokker
