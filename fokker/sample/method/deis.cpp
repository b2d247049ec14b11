#include "fokker/sample/method/deis.h"

#include "fokker/core/check.h"
#include "fokker/sample/method/ddim.h"
#include "fokker/sample/step/ratio_step.h"
#include "fokker/sample/step/weights.h"

namespace fokker {

Deis::Deis(Options options) : options_(options) {
  check(options.order >= 1 && options.order <= 3, "deis: expected an order from 1 to 3 but received {}",
        options.order);
}

SamplerOrder Deis::order() const {
  return multistep_order(options_.order, options_.start);
}

StepResult Deis::step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const GaussianProcess& process = denoiser.process();
  const RatioStep step(process, context.t, context.s);
  const Estimate estimate = denoiser.estimate(x, context.t);
  const auto place = [&](double t) { return options_.variable == Variable::time ? t : process.log_snr(t); };
  const double from = place(context.t);
  if (!step.finite()) return {ddim_step(estimate, process, context.s)};
  Past& past = past_of(context);
  remember(past, {from, estimate.noise()}, static_cast<size_t>(options_.order));
  const bool warming = static_cast<int64_t>(past.size()) < options_.order;
  if (warming && options_.start == Start::runge_kutta && step.to > 0)
    return ratio_runge_kutta(denoiser, x, past[0].value, context.t, context.s);

  // A polynomial in the log-SNR says nothing at sigma = 0, where that is infinite: keep the newest value
  // alone.
  if (options_.variable == Variable::log_snr && step.to == 0) return {step.with_slope(x, past[0].value)};
  size_t used = past.size();
  if (options_.lower_order_final) used = std::min(used, static_cast<size_t>(context.steps - context.index));
  // Means over the step, in r, of the powers of the variable measured from its value at t.
  static const GaussRule rule = gauss_legendre(32);
  std::vector<double> nodes, moments(used, 0.0);
  const double unit = used > 1 ? past[1].place - from : 1.0;
  for (size_t j = 0; j < used; ++j) nodes.push_back((past[j].place - from) / unit);
  for (size_t i = 0; i < rule.nodes.size(); ++i) {
    const double t = time_of_ratio(process, std::lerp(step.from, step.to, rule.nodes[i]));
    for (size_t k = 0; k < moments.size(); ++k)
      moments[k] += rule.weights[i] * std::pow((place(t) - from) / unit, static_cast<double>(k));
  }
  return {step.with_slope(x, weighted_sum(past, interpolatory_weights(nodes, moments)))};
}

}  // namespace fokker
