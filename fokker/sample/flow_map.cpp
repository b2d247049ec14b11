#include "fokker/sample/flow_map.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"

namespace fokker {

AngularFlow::AngularFlow(const Denoiser& denoiser, Tensor label)
    : denoiser_(denoiser),
      exact_(dynamic_cast<const AnalyticDenoiser*>(&denoiser)),
      label_(std::move(label)) {}

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

Tensor AngularFlow::rate(const Tensor& z, double angle, const Tensor& rows) const {
  const double c = std::cos(angle), s = std::sin(angle);
  if (exact_) {
    const auto posterior = exact_->target().posterior(z, c, s);
    return c * posterior.noise - s * posterior.denoised;
  }
  // log-SNR = -2 log tan phi; where it is infinite the time is clamped to 0 or 1.
  const double t = denoiser_.process().schedule()->time_of_log_snr(-2 * std::log(std::tan(angle)));
  const Tensor label = rows.defined() && label_.defined() ? label_.index_select(0, rows) : label_;
  const Estimate estimate = denoiser_.estimate(z * scale(t), t, label);
  return c * estimate.noise() - s * estimate.denoised();
}

namespace {

constexpr const char* too_far = "it lies too far away: the flow does not carry it to numbers";

/// z from one angle to another.
FlowMap carry(const AngularFlow& flow, const Tensor& z, double from, double to,
              DormandPrince::Options options) {
  const GradientMode off(false);
  const OdeRun run = advance_rows(
      [&](const Tensor& state, double angle, const Tensor& rows) { return flow.rate(state, angle, rows); }, z,
      from, to, options);
  return {run.x, run.evaluations, run.rejected};
}

}  // namespace

FlowMap encode(const Denoiser& denoiser, const Tensor& x, DormandPrince::Options options,
               const Tensor& label) try {
  const AngularFlow flow(denoiser, label);
  const double begin = flow.data_angle();
  FlowMap map = carry(flow, x * std::cos(begin), begin, flow.angle(1.0), options);
  map.x = map.x * flow.scale(1.0);
  check_finite_rows(map.x, too_far);
  return map;
} catch (...) {
  detail::throw_as_error();
}

FlowMap decode(const Denoiser& denoiser, const Tensor& latent, DormandPrince::Options options,
               const Tensor& label) try {
  const AngularFlow flow(denoiser, label);
  const double end = flow.data_angle();
  FlowMap map = carry(flow, latent / flow.scale(1.0), flow.angle(1.0), end, options);
  map.x = map.x / std::cos(end);
  check_finite_rows(map.x, too_far);
  return map;
} catch (...) {
  detail::throw_as_error();
}

Tensor great_circle(const Tensor& from, const Tensor& to, int64_t frames) try {
  check(from.sizes() == to.sizes(), "great_circle: expected points of one shape but received {} and {}",
        shape_string(from), shape_string(to));
  check(frames >= 2, "great_circle: expected at least 2 frames but received {}", frames);
  const Tensor a = from.to(at::kDouble), b = to.to(at::kDouble);  // squares of far points leave float32
  const double norm_a = a.norm().item<double>(), norm_b = b.norm().item<double>();
  const double cosine = (a * b).sum().item<double>() / (norm_a * norm_b);
  const double angle = std::acos(std::clamp(cosine, -1.0, 1.0));
  const bool circle = std::isfinite(angle) && std::sin(angle) > 1e-6;
  std::vector<Tensor> points;
  for (int64_t i = 0; i < frames; ++i) {
    const double u = static_cast<double>(i) / static_cast<double>(frames - 1);
    if (!circle) {
      points.push_back((1 - u) * a + u * b);
      continue;
    }
    const double length = (1 - u) * norm_a + u * norm_b;
    points.push_back(length / std::sin(angle) *
                     (std::sin((1 - u) * angle) / norm_a * a + std::sin(u * angle) / norm_b * b));
  }
  return at::stack(points).to(from.scalar_type());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
