#include "fokker/denoise/estimate.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

/// Coefficients of nearly the same size mean that the two terms may nearly cancel (denoised -> noise as
/// sigma -> 0, noise or score -> denoised as alpha -> 0). Then x -+ v is taken first, which is exact for
/// close numbers, instead of rounding each product.
bool may_cancel(Conversion c) {
  const double ratio = std::abs(c.state / c.value);
  return 0.5 < ratio && ratio < 2.0;
}

/// state x + value v.
Tensor combine(const Tensor& x, const Tensor& v, Conversion c) {
  if (c.state == 0) return c.value == 1 ? v : v * c.value;
  if (!may_cancel(c)) return at::add(x * c.state, v, c.value);
  const double sign = c.state * c.value < 0 ? -1.0 : 1.0;
  return at::add(at::add(x, v, sign).mul_(c.state), v, c.value - sign * c.state);
}

}  // namespace

Estimate::Estimate(Tensor x, Tensor value, Prediction prediction, GaussianProcess process, Times t) try
    : x_(std::move(x)),
      value_(std::move(value)),
      prediction_(prediction),
      process_(std::move(process)),
      times_(std::move(t)) {
  check(x_.sizes() == value_.sizes(), "Estimate: expected a prediction of shape {} but received {}",
        shape_string(x_), shape_string(value_));
} catch (...) {
  detail::throw_as_error();
}

Estimate Estimate::with_score_added(const Tensor& gradient) const try {
  check(gradient.sizes() == x_.sizes(), "with_score_added: expected a gradient of shape {} but received {}",
        shape_string(x_), shape_string(gradient));
  const double least = times_.is_scalar()
                           ? process_.alpha(times_.scalar())
                           : times_.map([&](double t) { return process_.alpha(t); }, x_).min().item<double>();
  check(least > 0,
        "with_score_added: expected alpha > 0 but alpha = 0 at the time of the estimate, where a score says "
        "nothing of the data; begin at an earlier time");
  Estimate result = *this;
  result.added_ = added_.defined() ? added_ + gradient : gradient;
  return result;
} catch (...) {
  detail::throw_as_error();
}

Estimate Estimate::as(const Prediction& prediction) const try {
  if (prediction.kind() == prediction_.kind() && prediction.sigma_data() == prediction_.sigma_data())
    return *this;
  const auto& schedule = process_.schedule().model();
  const auto part = [&](double PathCoefficients::*which) {
    return times_.map([&](double t) { return prediction.target(schedule, t).*which; }, x_).to(x_.options());
  };
  Estimate plain = *this;
  plain.added_ = Tensor();
  Estimate result = *this;
  result.value_ = at::addcmul(part(&PathCoefficients::data) * plain.denoised(),
                              part(&PathCoefficients::noise), plain.noise());
  result.prediction_ = prediction;
  return result;
} catch (...) {
  detail::throw_as_error();
}

template <typename Weight>
Estimate Estimate::interpolated(const Estimate& other, const Weight& weight) const try {
  check(x_.sizes() == other.x_.sizes(), "towards: expected an estimate of shape {} but received {}",
        shape_string(x_), shape_string(other.x_));
  const Estimate same = other.as(prediction_);
  Estimate result = with_value(at::lerp(value_, same.value_, weight));
  if (added_.defined() || same.added_.defined())
    result.added_ = at::lerp(added_.defined() ? added_ : at::zeros_like(same.added_),
                             same.added_.defined() ? same.added_ : at::zeros_like(added_), weight);
  return result;
} catch (...) {
  detail::throw_as_error();
}

Estimate Estimate::towards(const Estimate& other, double weight) const {
  return interpolated(other, weight);
}

Estimate Estimate::towards(const Estimate& other, const Tensor& weights) const try {
  check(weights.dim() == 1 && weights.size(0) == x_.size(0), "towards: expected {} weights but received {}",
        x_.size(0), shape_string(weights));
  return interpolated(other, per_sample(weights, x_).to(x_.options()));
} catch (...) {
  detail::throw_as_error();
}

template <typename ConversionAt>
Tensor Estimate::convert(ConversionAt conversion_at) const try {
  if (times_.is_scalar()) return combine(x_, value_, conversion_at(times_.scalar()));
  // The same two forms row by row: state (x + sign v) + rest v, with sign = 0 where nothing cancels.
  const auto map = [&](auto part) {
    return times_.map([&](double t) { return part(conversion_at(t)); }, x_);
  };
  const auto sign = [](Conversion c) { return !may_cancel(c) ? 0.0 : c.state * c.value < 0 ? -1.0 : 1.0; };
  const Tensor rest = map([&](Conversion c) { return c.value - sign(c) * c.state; });
  return map([](Conversion c) { return c.state; }) * at::addcmul(x_, map(sign), value_) + rest * value_;
} catch (...) {
  detail::throw_as_error();
}

template <typename Coefficient>
Tensor Estimate::with_added(Tensor quantity, Coefficient coefficient) const try {
  if (!added_.defined()) return quantity;
  const auto at_time = [&](double t) { return coefficient(process_.alpha(t), process_.sigma(t)); };
  return at::addcmul(quantity, times_.map(at_time, x_).to(quantity.options()), added_);
} catch (...) {
  detail::throw_as_error();
}

Tensor Estimate::denoised() const {
  return with_added(
      convert([&](double t) { return prediction_.to_denoised(process_.schedule().model(), t); }),
      [](double alpha, double sigma) { return sigma * sigma / alpha; });
}
Tensor Estimate::noise() const {
  return with_added(convert([&](double t) { return prediction_.to_noise(process_.schedule().model(), t); }),
                    [](double, double sigma) { return -sigma; });
}
Tensor Estimate::score() const try {
  const Tensor own = convert([&](double t) { return prediction_.to_score(process_.schedule().model(), t); });
  return added_.defined() ? own + added_ : own;
} catch (...) {
  detail::throw_as_error();
}
Tensor Estimate::velocity() const {
  // a sigma^2/alpha - b sigma, and alpha b - sigma a = 1.
  return with_added(
      convert([&](double t) { return prediction_.to_velocity(process_.schedule().model(), t); }),
      [](double alpha, double sigma) { return -sigma / alpha; });
}
Tensor Estimate::value() const try {
  if (!added_.defined()) return value_;
  const auto at_time = [&](double t) { return prediction_.score_factor(process_.schedule().model(), t); };
  return at::addcmul(value_, times_.map(at_time, x_).to(value_.options()), added_);
} catch (...) {
  detail::throw_as_error();
}
Tensor Estimate::flow_rate() const try {
  return velocity() * times_.map([&](double t) { return process_.schedule()->velocity_rate(t); }, x_);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
