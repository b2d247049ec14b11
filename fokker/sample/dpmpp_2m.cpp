#include "fokker/sample/dpmpp_2m.h"

namespace fokker {
namespace {

struct Previous {
  Tensor denoised;
  double step = 0;  ///< in log-SNR
};

}  // namespace

StepResult DpmPp2M::step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const GaussianProcess& process = denoiser.process();
  const double h = process.log_snr(context.s) - process.log_snr(context.t);
  // lambda is a log of squared ratios, so half of it is the papers' variable.
  const double decay = -std::expm1(-0.5 * h);
  const Tensor denoised = denoiser.estimate(x, context.t).denoised();
  Tensor direction = denoised;
  if (const auto* previous = std::any_cast<Previous>(&context.history); previous && std::isfinite(h)) {
    const double weight = 0.5 * h / previous->step;
    direction = at::sub(denoised * (1 + weight), previous->denoised, weight);
  }
  context.history = Previous{denoised, h};
  const double keep = process.sigma(context.s) / process.sigma(context.t);
  return {at::add(x * keep, direction, process.alpha(context.s) * decay)};
}

}  // namespace fokker
