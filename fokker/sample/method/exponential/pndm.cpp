#include "fokker/sample/method/exponential/pndm.h"

#include "fokker/sample/step/ddim_step.h"
#include "fokker/sample/step/past.h"
#include "fokker/sample/step/ratio_step.h"

namespace fokker {
namespace {

/// Eq. 9 to 12: the Runge-Kutta step, whose middle is the middle in t.
StepResult pseudo_runge_kutta(const Denoiser& denoiser, const Tensor& x, const Tensor& first, double t,
                              double s) {
  const GaussianProcess& process = denoiser.process();
  const double middle = 0.5 * (t + s);
  const RatioStep whole(process, t, s), half(process, t, middle);
  const Tensor second = denoiser.estimate(half.with_slope(x, first), middle).noise();
  const Tensor third = denoiser.estimate(half.with_slope(x, second), middle).noise();
  const Tensor fourth = denoiser.estimate(whole.with_slope(x, third), s).noise();
  return {whole.with_slope(x, (first + 2 * second + 2 * third + fourth) / 6), 4};
}

/// Adams-Bashforth for equal steps, on the values there are.
Tensor combine(const Past& past) {
  const auto e = [&](size_t j) -> const Tensor& { return past[j].value; };
  switch (past.size()) {
    case 1:
      return e(0);
    case 2:
      return (3 * e(0) - e(1)) / 2;
    case 3:
      return (23 * e(0) - 16 * e(1) + 5 * e(2)) / 12;
    default:
      return (55 * e(0) - 59 * e(1) + 37 * e(2) - 9 * e(3)) / 24;
  }
}

}  // namespace

StepResult Pndm::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const auto [t, s] = std::pair(context.t, context.s);
  const GaussianProcess& process = denoiser.process();
  const Estimate estimate = denoiser.estimate(x, t);
  const RatioStep step(process, t, s);
  if (!step.finite()) return {ddim_step(estimate, process, s)};
  Past& past = past_of(context);
  remember(past, {t, estimate.noise()}, 4);
  const bool clean = process.sigma(s) == 0;
  if (options_.warm_up && past.size() < 4 && !clean)
    return pseudo_runge_kutta(denoiser, x, past[0].value, t, s);
  if (!options_.warm_up && past.size() == 1 && !clean) {
    const Tensor at_end = denoiser.estimate(step.with_slope(x, past[0].value), s).noise();
    return {step.with_slope(x, (past[0].value + at_end) / 2), 2};
  }
  return {step.with_slope(x, combine(past))};
}

}  // namespace fokker
