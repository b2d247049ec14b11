#include "fokker/sample/step/ratio_step.h"

namespace fokker {

StepResult ratio_runge_kutta(const Denoiser& denoiser, const Tensor& x, const Tensor& noise, double t,
                             double s) {
  const GaussianProcess& process = denoiser.process();
  const RatioStep whole(process, t, s);
  const double middle = time_of_ratio(process, 0.5 * (whole.from + whole.to));
  const RatioStep half(process, t, middle);
  const Tensor second = denoiser.estimate(half.with_slope(x, noise), middle).noise();
  const Tensor third = denoiser.estimate(half.with_slope(x, second), middle).noise();
  const Tensor fourth = denoiser.estimate(whole.with_slope(x, third), s).noise();
  return {whole.with_slope(x, (noise + 2 * second + 2 * third + fourth) / 6), 4};
}

}  // namespace fokker
