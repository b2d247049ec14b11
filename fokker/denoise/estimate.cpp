#include "fokker/denoise/estimate.h"

#include "fokker/core/error.h"

namespace fokker {
namespace {

/// state x + value v. Where the two nearly cancel (denoised -> noise as sigma -> 0, noise -> denoised as
/// alpha -> 0) the difference x - v is taken first, which is exact for close numbers, instead of rounding
/// each product.
Tensor combine(const Tensor& x, const Tensor& v, Conversion c) {
  if (c.state == 0) return c.value == 1 ? v : v * c.value;
  if (c.state * c.value < 0) return at::add((x - v).mul_(c.state), v, c.state + c.value);
  return at::add(x * c.state, v, c.value);
}

Tensor combine(const Tensor& x, const Tensor& v, const Tensor& state, const Tensor& value, const Tensor& sum,
               bool cancels) {
  return cancels ? state * (x - v) + sum * v : state * x + value * v;
}

}  // namespace

Estimate::Estimate(Tensor x, Tensor value, Prediction prediction, GaussianProcess process, Times t)
    : x_(std::move(x)),
      value_(std::move(value)),
      prediction_(prediction),
      process_(std::move(process)),
      times_(std::move(t)) {
  check(x_.sizes() == value_.sizes(), "Estimate: expected a prediction of shape {} but received {}",
        shape_string(x_), shape_string(value_));
}

template <typename ConversionAt>
Tensor Estimate::convert(ConversionAt conversion_at) const {
  if (times_.is_scalar()) return combine(x_, value_, conversion_at(times_.scalar()));
  bool cancels = false;
  const auto map = [&](auto part) {
    return times_.map(
        [&](double t) {
          const Conversion c = conversion_at(t);
          cancels = cancels || c.state * c.value < 0;
          return part(c);
        },
        x_);
  };
  const Tensor state = map([](Conversion c) { return c.state; });
  const Tensor value = map([](Conversion c) { return c.value; });
  const Tensor sum = map([](Conversion c) { return c.state + c.value; });
  return combine(x_, value_, state, value, sum, cancels);
}

Tensor Estimate::denoised() const {
  return convert([&](double t) { return prediction_.to_denoised(process_.schedule().model(), t); });
}
Tensor Estimate::noise() const {
  return convert([&](double t) { return prediction_.to_noise(process_.schedule().model(), t); });
}
Tensor Estimate::score() const {
  return convert([&](double t) { return prediction_.to_score(process_.schedule().model(), t); });
}
Tensor Estimate::velocity() const {
  return convert([&](double t) { return prediction_.to_velocity(process_.schedule().model(), t); });
}
Tensor Estimate::flow_rate() const {
  return velocity() * times_.map([&](double t) { return process_.schedule()->velocity_rate(t); }, x_);
}

}  // namespace fokker
