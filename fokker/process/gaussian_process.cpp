#include "fokker/process/gaussian_process.h"

#include <cmath>
#include <numbers>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {

Times::Times(const Tensor& t) try : tensor_(t.to(at::kDouble).to(at::kCPU).contiguous()) {
  check(t.dim() == 1, "Times: expected one time per sample, shape (n), but received {}", shape_string(t));
} catch (...) {
  detail::throw_as_error();
}

double Times::scalar() const {
  check(is_scalar(), "Times: expected one time for all samples but received {} times",
        is_scalar() ? 1 : tensor_.size(0));
  return scalar_;
}

Tensor Times::tensor(int64_t n) const {
  if (is_scalar()) return at::full({n}, scalar_, at::kDouble);
  check(tensor_.size(0) == n, "Times: expected {} times, one per sample, but received {}", n,
        tensor_.size(0));
  return tensor_;
}

Tensor Times::map(const std::function<double(double)>& function, const Tensor& like) const {
  if (is_scalar()) return at::scalar_tensor(function(scalar_), at::TensorOptions(at::kDouble));
  const Tensor times = tensor(like.size(0));
  Tensor values = at::empty_like(times);
  const double* in = times.data_ptr<double>();
  std::transform(in, in + times.size(0), values.data_ptr<double>(), function);
  return per_sample(values, like).to(like.options());
}

Tensor GaussianProcess::perturb(const Tensor& x0, const Tensor& noise, const Times& t) const try {
  check(x0.sizes() == noise.sizes(), "perturb: expected noise of shape {} but received {}", shape_string(x0),
        shape_string(noise));
  const Tensor alpha = t.map([&](double u) { return this->alpha(u); }, x0);
  const Tensor sigma = t.map([&](double u) { return this->sigma(u); }, x0);
  return alpha * x0 + sigma * noise;
} catch (...) {
  detail::throw_as_error();
}

TransitionCoefficients GaussianProcess::transition(double s, double t) const {
  check(0 <= s && s <= t && t <= 1, "transition: expected 0 <= s <= t <= 1 but received s = {}, t = {}", s,
        t);
  const double sigma_t = sigma(t);
  if (s == t) return {1, 0};
  // sigma_t^2 - (alpha_t/alpha_s)^2 sigma_s^2, written so that nothing cancels.
  return {std::exp(schedule_->log_alpha(t) - schedule_->log_alpha(s)),
          -sigma_t * sigma_t * std::expm1(log_snr(t) - log_snr(s))};
}

PosteriorCoefficients GaussianProcess::posterior(double s, double t) const {
  check(0 <= s && s < t && t <= 1, "posterior: expected 0 <= s < t <= 1 but received s = {}, t = {}", s, t);
  const double alpha_s = alpha(s), sigma_s = sigma(s), sigma_t = sigma(t);
  const double lost = -std::expm1(log_snr(t) - log_snr(s));  // 1 - SNR_t/SNR_s
  const double ratio = std::exp(schedule_->log_alpha(t) - schedule_->log_alpha(s));
  return {alpha_s * lost, ratio * (sigma_s / sigma_t) * (sigma_s / sigma_t), sigma_s * sigma_s * lost};
}

double GaussianProcess::time_min() const {
  if (schedule_->chain_steps() > 0) return 1.0 / static_cast<double>(schedule_->chain_steps());
  if (sigma(0) > 0) return 0;
  return schedule_->time_of_log_snr(-2.0 * std::log(0.005));
}

double GaussianProcess::prior_variance() const {
  const double a = alpha(1), s = sigma(1);
  return a * a + s * s;
}

Tensor GaussianProcess::sample_prior(IntArrayRef shape, const NoiseSource& noise, int64_t first_sample) const
    try {
  return noise(shape, {.first_sample = first_sample}) * std::sqrt(prior_variance());
} catch (...) {
  detail::throw_as_error();
}

Tensor GaussianProcess::sample_prior(IntArrayRef shape, const Rng& rng, int64_t first_sample) const try {
  return sample_prior(shape, rng.stream("prior").noise_source(), first_sample);
} catch (...) {
  detail::throw_as_error();
}

Tensor GaussianProcess::log_prior(const Tensor& x) const try {
  const double variance = prior_variance();
  const double constant =
      -0.5 * static_cast<double>(event_size(x.sizes())) * std::log(2 * std::numbers::pi * variance);
  return sum_events(x.square()) * (-0.5 / variance) + constant;
} catch (...) {
  detail::throw_as_error();
}

std::optional<double> first_difference(const GaussianProcess& a, const GaussianProcess& b) {
  const auto differ = [](double x, double y) {
    return std::abs(x - y) > 1e-6 * std::max(std::abs(x), std::abs(y));
  };
  for (int i = 0; i <= 64; ++i) {
    const double t = i / 64.0;
    if (differ(a.alpha(t), b.alpha(t)) || differ(a.sigma(t), b.sigma(t))) return t;
  }
  return {};
}

}  // namespace fokker
