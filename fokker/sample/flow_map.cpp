#include "fokker/sample/flow_map.h"

namespace fokker {

double AngularFlow::angle(double t) const {
  return std::atan2(denoiser_.process().sigma(t), denoiser_.process().alpha(t));
}

// log-SNR = -2 log tan phi; both ends of the range are infinite and clamp to t = 0 and t = 1.
double AngularFlow::time(double angle) const {
  return denoiser_.process().schedule()->time_of_log_snr(-2 * std::log(std::tan(angle)));
}

double AngularFlow::scale(double t) const {
  return std::hypot(denoiser_.process().alpha(t), denoiser_.process().sigma(t));
}

Tensor AngularFlow::rate(const Tensor& z, double angle) const {
  const double t = time(angle);
  const Estimate estimate = denoiser_.estimate(z * scale(t), t, label_);
  return std::cos(angle) * estimate.noise() - std::sin(angle) * estimate.denoised();
}

FlowMap flow_map(const Denoiser& denoiser, const Tensor& x, double from, double to, DormandPrince::Options options,
                 const Tensor& label) {
  const GradientMode off(false);
  const AngularFlow flow(denoiser, label);
  DormandPrince run(options);
  const Tensor z = run.advance([&](const Tensor& state, double angle) { return flow.rate(state, angle); },
                               x / flow.scale(from), flow.angle(from), flow.angle(to));
  return {z * flow.scale(to), run.evaluations(), run.rejected()};
}

}  // namespace fokker
