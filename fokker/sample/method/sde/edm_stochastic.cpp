#include "fokker/sample/method/sde/edm_stochastic.h"

#include <numbers>

#include "fokker/core/check.h"
#include "fokker/sample/step/ddim_step.h"
#include "fokker/sample/step/ratio_step.h"

namespace fokker {

EdmStochastic::EdmStochastic(Options options) : options_(options) {
  check(options.churn >= 0 && std::isfinite(options.churn),
        "edm-stochastic: expected churn >= 0 but received {}", options.churn);
  check(options.low >= 0 && options.low <= options.high,
        "edm-stochastic: expected 0 <= low <= high but received low = {}, high = {}", options.low,
        options.high);
  check(options.noise_scale > 0, "edm-stochastic: expected noise_scale > 0 but received {}",
        options.noise_scale);
}

StepResult EdmStochastic::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const GaussianProcess& process = denoiser.process();
  const auto [t, s] = std::pair(context.t, context.s);
  const double level = process.sigma(t) / process.alpha(t), highest = process.sigma(1) / process.alpha(1);
  double from = t;
  Tensor start = x;
  if (options_.churn > 0 && options_.low <= level && level <= options_.high && level < highest) {
    const double gamma =
        std::min(options_.churn / static_cast<double>(context.steps), std::numbers::sqrt2 - 1);
    const double raised = std::min(level * (1 + gamma), highest);
    from = time_of_ratio(process, raised);
    // y + sqrt(raised^2 - level^2) z, written for x = alpha y.
    const double added = std::sqrt((raised - level) * (raised + level)) * options_.noise_scale;
    start =
        at::add(x * (process.alpha(from) / process.alpha(t)), context.noise(0), process.alpha(from) * added);
  }
  const Estimate estimate = denoiser.estimate(start, from);
  const RatioStep step(process, from, s);
  if (!step.finite() || step.to == 0) return {ddim_step(estimate, process, s)};
  const Tensor slope = estimate.noise();
  const Tensor slope_at_end = denoiser.estimate(step.with_slope(start, slope), s).noise();
  return {step.with_slope(start, (slope + slope_at_end) / 2), 2};
}

}  // namespace fokker
