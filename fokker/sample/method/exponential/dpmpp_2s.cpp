#include "fokker/sample/method/exponential/dpmpp_2s.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/sample/step/log_snr_step.h"

namespace fokker {

DpmPp2S::DpmPp2S(Options options) : options_(options) {
  check(options.ratio > 0 && options.ratio <= 1, "dpmpp-2s: expected 0 < ratio <= 1 but received {}",
        options.ratio);
}

StepResult dpmpp_2s_step(const Denoiser& denoiser, const Tensor& x, const Tensor& denoised, double t,
                         double s, double ratio) try {
  const GaussianProcess& process = denoiser.process();
  const LogSnrStep whole(process, t, s);
  if (!whole.finite()) return {whole.constant(x, denoised)};
  const double middle = process.schedule()->time_of_log_snr(2 * (whole.from + ratio * whole.h));
  const Tensor at_middle = LogSnrStep(process, t, middle).constant(x, denoised);
  const Tensor second = denoiser.estimate(at_middle, middle).denoised();
  // With r = 1/2 the weights 1 - 1/(2r) and 1/(2r) leave the midpoint alone.
  return {whole.constant(x, at::lerp(denoised, second, 0.5 / ratio)), 2};
} catch (...) {
  detail::throw_as_error();
}

namespace {

/// Where a pair of steps began.
struct PairStart {
  Tensor x, denoised;
  double t = 0;
};

}  // namespace

StepResult DpmPp2S::paired_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) {
  const GaussianProcess& process = denoiser.process();
  const Tensor denoised = denoiser.estimate(x, context.t).denoised();
  const LogSnrStep step(process, context.t, context.s);
  if (context.index % 2 == 0 || !step.finite()) {
    context.history = PairStart{x, denoised, context.t};
    return {step.constant(x, denoised)};
  }
  const auto& start = std::any_cast<const PairStart&>(context.history);
  const LogSnrStep whole(process, start.t, context.s);
  if (!whole.finite()) return {step.constant(x, denoised)};
  const double ratio = (step.from - whole.from) / whole.h;
  return {whole.constant(start.x, at::lerp(start.denoised, denoised, 0.5 / ratio))};
}

StepResult DpmPp2S::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  if (options_.paired) return paired_step(denoiser, x, context);
  return dpmpp_2s_step(denoiser, x, denoiser.estimate(x, context.t).denoised(), context.t, context.s,
                       options_.ratio);
}

}  // namespace fokker
