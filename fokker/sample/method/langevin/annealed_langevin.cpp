#include "fokker/sample/method/langevin/annealed_langevin.h"

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/sample/chain/langevin.h"
#include "fokker/sample/step/ddim_step.h"

namespace fokker {

AnnealedLangevin::AnnealedLangevin(Options options) : options_(options) {
  // A step may run two levels, and its draws of noise are numbered below 4096.
  check(options.inner > 0 && options.inner <= 2048,
        "annealed-langevin: expected 1 to 2048 inner steps but received {}", options.inner);
  check(options.relative_step > 0 && options.relative_step < 2,
        "annealed-langevin: expected 0 < h / sigma^2 < 2, where the chain is stable, but received {}",
        options.relative_step);
}

Tensor AnnealedLangevin::run_level(const Denoiser& denoiser, Tensor x, double t, uint32_t first,
                                   const StepContext& context) const {
  const double sigma = denoiser.process().sigma(t);
  const double step = options_.relative_step * sigma * sigma;
  for (int64_t k = 0; k < options_.inner; ++k)
    x = langevin_step(x, denoiser.estimate(x, t).score(), step,
                      context.noise(first + static_cast<uint32_t>(k)));
  return x;
}

StepResult AnnealedLangevin::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const GaussianProcess& process = denoiser.process();
  StepResult result{x, 0};
  if (!context.history.has_value()) {
    result.x = run_level(denoiser, result.x, context.t, 0, context);
    result.evaluations += options_.inner;
    context.history = true;
  }
  if (process.sigma(context.s) == 0) {
    result.x = denoiser.estimate(result.x, context.t).denoised();
    ++result.evaluations;
    return result;
  }
  const auto used = static_cast<uint32_t>(result.evaluations);
  if (process.alpha(context.t) > 0) {
    result.x = result.x * (process.alpha(context.s) / process.alpha(context.t));
  } else {  // x/alpha is not defined where all is noise
    result.x = ddim_step(denoiser.estimate(result.x, context.t), process, context.s);
    ++result.evaluations;
  }
  result.x = run_level(denoiser, result.x, context.s, used, context);
  result.evaluations += options_.inner;
  return result;
}

}  // namespace fokker
