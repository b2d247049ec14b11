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

StepResult DpmPp2S::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  return dpmpp_2s_step(denoiser, x, denoiser.estimate(x, context.t).denoised(), context.t, context.s,
                       options_.ratio);
}

}  // namespace fokker
