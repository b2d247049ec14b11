#include "fokker/sample/flow_map.h"

namespace fokker {

AngularFlow::AngularFlow(const Denoiser& denoiser, Tensor label)
    : denoiser_(denoiser), exact_(dynamic_cast<const AnalyticDenoiser*>(&denoiser)), label_(std::move(label)) {}

double AngularFlow::angle(double t) const {
  return std::atan2(denoiser_.process().sigma(t), denoiser_.process().alpha(t));
}

double AngularFlow::scale(double t) const {
  return std::hypot(denoiser_.process().alpha(t), denoiser_.process().sigma(t));
}

double AngularFlow::data_angle() const {
  if (exact_ && exact_->target().has_density()) return 0;
  return angle(denoiser_.process().time_min());
}

Tensor AngularFlow::rate(const Tensor& z, double angle) const {
  const double c = std::cos(angle), s = std::sin(angle);
  if (exact_) {
    const auto posterior = exact_->target().posterior(z, c, s);
    return c * posterior.noise - s * posterior.denoised;
  }
  // log-SNR = -2 log tan phi; where it is infinite the time is clamped to 0 or 1.
  const double t = denoiser_.process().schedule()->time_of_log_snr(-2 * std::log(std::tan(angle)));
  const Estimate estimate = denoiser_.estimate(z * scale(t), t, label_);
  return c * estimate.noise() - s * estimate.denoised();
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
