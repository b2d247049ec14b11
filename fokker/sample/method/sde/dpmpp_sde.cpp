#include "fokker/sample/method/sde/dpmpp_sde.h"

#include "fokker/core/check.h"
#include "fokker/sample/method/exponential/dpmpp_2m.h"

namespace fokker {
namespace {

/// x_s = keep x + gain D + noise z for a constant D.
struct NoisyStep {
  NoisyStep(const GaussianProcess& process, double t, double s, double eta) {
    const LogSnrStep step(process, t, s);
    if (!step.finite()) {
      // The limit h -> infinity: x_t is forgotten, and its noise drawn anew.
      keep = eta > 0 ? 0 : step.keep;
      gain = step.gain;
      noise = eta > 0 ? process.sigma(s) : 0;
      return;
    }
    keep = step.keep * std::exp(-eta * step.h);
    gain = -step.alpha * std::expm1(-(1 + eta) * step.h);
    noise = process.sigma(s) * std::sqrt(-std::expm1(-2 * eta * step.h));
  }
  Tensor apply(const Tensor& x, const Tensor& denoised) const { return at::add(x * keep, denoised, gain); }
  double keep = 0, gain = 0, noise = 0;
};

}  // namespace

DpmPpSde::DpmPpSde(Options options) : options_(options) {
  check(options.eta >= 0 && std::isfinite(options.eta), "dpmpp-sde: expected eta >= 0 but received {}",
        options.eta);
}

SamplerOrder DpmPpSde::order() const {
  if (options_.eta == 0) return {.deterministic = true, .strong = 2, .weak = 2};
  return {.deterministic = false, .strong = 1, .weak = 2};
}

StepResult DpmPpSde::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const auto [t, s] = std::pair(context.t, context.s);
  const GaussianProcess& process = denoiser.process();
  const LogSnrStep step(process, t, s);
  const NoisyStep whole(process, t, s, options_.eta);
  const Tensor denoised = denoiser.estimate(x, t).denoised();

  if (options_.form == Form::singlestep && step.finite()) {
    const double middle = process.schedule()->time_of_log_snr(2 * step.from + step.h);
    const NoisyStep first(process, t, middle, options_.eta), second(process, middle, s, options_.eta);
    Tensor at_middle = first.apply(x, denoised);
    // The whole step's noise is that of its first half carried on, and that of its second half.
    Tensor noise = at::zeros_like(x);
    if (options_.eta > 0) {
      const Tensor early = context.noise(0);
      at_middle.add_(early, first.noise);
      noise = at::add(early * (first.noise * second.keep), context.noise(1), second.noise);
    }
    return {whole.apply(x, denoiser.estimate(at_middle, middle).denoised()).add_(noise), 2};
  }

  Tensor next = whole.apply(x, two_step_direction(step, denoised, context));
  return {whole.noise > 0 ? next.add_(context.noise(0), whole.noise) : next};
}

}  // namespace fokker
