#include "fokker/core/check.h"
#include "fokker/sde/jacobian.h"
#include "fokker/sde/sde.h"

namespace fokker {

Dispersion Dispersion::scalar(double value) {
  return scalar([value](double) { return value; });
}

Dispersion Dispersion::scalar(std::function<double(double)> function) {
  check(static_cast<bool>(function), "Dispersion: expected a function of t but received none");
  Dispersion result;
  result.kind_ = Kind::scalar;
  result.scalar_ = std::move(function);
  return result;
}

Dispersion Dispersion::diagonal(StateFunction function) {
  check(static_cast<bool>(function), "Dispersion: expected a function of (x, t) but received none");
  Dispersion result;
  result.kind_ = Kind::diagonal;
  result.function_ = std::move(function);
  return result;
}

Dispersion Dispersion::matrix(StateFunction function, int64_t noise_dimension) {
  check(static_cast<bool>(function), "Dispersion: expected a function of (x, t) but received none");
  check(noise_dimension > 0, "Dispersion: expected noise dimension > 0 but received {}", noise_dimension);
  Dispersion result;
  result.kind_ = Kind::matrix;
  result.noise_dimension_ = noise_dimension;
  result.function_ = std::move(function);
  return result;
}

int64_t Dispersion::noise_dimension(int64_t d) const {
  if (kind_ == Kind::none) return 0;
  return kind_ == Kind::matrix ? noise_dimension_ : d;
}

Tensor Dispersion::value(const Tensor& x, double t) const {
  check(kind_ != Kind::none, "Dispersion: expected a process with noise but received one without");
  if (kind_ == Kind::scalar) return at::scalar_tensor(scalar_(t), x.options().requires_grad(false));
  const Tensor sigma = function_(x, t);
  if (kind_ == Kind::diagonal) {
    check(sigma.sizes() == x.sizes(), "Dispersion: expected a diagonal of shape {} but received {}",
          shape_string(x), shape_string(sigma));
    return sigma;
  }
  const std::vector<int64_t> expected{x.size(0), x.size(1), noise_dimension_};
  check(sigma.dim() == 3 && (sigma.size(0) == expected[0] || sigma.size(0) == 1) &&
            sigma.size(1) == expected[1] && sigma.size(2) == expected[2],
        "Dispersion: expected matrices of shape {} but received {}", shape_string(expected),
        shape_string(sigma));
  return sigma.expand(expected);
}

Tensor Dispersion::times(const Tensor& x, double t, const Tensor& increment) const {
  const Tensor sigma = value(x, t);
  if (kind_ != Kind::matrix) return sigma * increment;
  return sigma.matmul(increment.unsqueeze(2)).squeeze(2);
}

Tensor Dispersion::diffusion_times(const Tensor& x, double t, const Tensor& v) const {
  if (kind_ == Kind::none) return at::zeros_like(v);
  const Tensor sigma = value(x, t);
  if (kind_ != Kind::matrix) return sigma.square() * v;
  return sigma.matmul(sigma.transpose(1, 2).matmul(v.unsqueeze(2))).squeeze(2);
}

Tensor Dispersion::diffusion(const Tensor& x, double t) const {
  const int64_t n = x.size(0), d = x.size(1);
  if (kind_ == Kind::none) return at::zeros({n, d, d}, x.options());
  const Tensor sigma = value(x, t);
  if (kind_ == Kind::scalar) return sigma.square() * at::eye(d, sigma.options()).expand({n, d, d});
  if (kind_ == Kind::diagonal) return at::diag_embed(sigma.square());
  return sigma.matmul(sigma.transpose(1, 2));
}

Tensor Dispersion::diffusion_divergence(const Tensor& x, double t) const {
  if (kind_ == Kind::none || kind_ == Kind::scalar) return at::zeros_like(x);
  if (kind_ == Kind::diagonal)
    return jacobian_diagonal([&](const Tensor& y) { return value(y, t).square(); }, x);
  return row_divergence([&](const Tensor& y) { return diffusion(y, t); }, x);
}

Dispersion Dispersion::reversed(double T) const {
  Dispersion result = *this;
  if (scalar_) result.scalar_ = [f = scalar_, T](double t) { return f(T - t); };
  if (function_) result.function_ = [f = function_, T](const Tensor& x, double t) { return f(x, T - t); };
  return result;
}

}  // namespace fokker
