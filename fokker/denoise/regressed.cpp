#include "fokker/denoise/regressed.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {

Tensor regression(const Tensor& x0, const Tensor& condition) try {
  check(x0.dim() == 2 && condition.dim() == 2 && x0.size(0) == condition.size(0),
        "regression: expected rows (n, d) and conditions (n, k) but received shapes {} and {}",
        shape_string(x0), shape_string(condition));
  const Tensor x = x0.to(at::kDouble), c = condition.to(at::kDouble);
  return regression_of_sums(at::matmul(c.t(), c), at::matmul(c.t(), x));
} catch (...) {
  detail::throw_as_error();
}

Tensor regression_of_sums(const Tensor& square, const Tensor& product) try {
  const Tensor ridged = square + at::eye(square.size(0), square.options());
  return at::linalg_solve(ridged, product).t().contiguous();
} catch (...) {
  detail::throw_as_error();
}

RegressedDenoiser::RegressedDenoiser(std::shared_ptr<const Denoiser> inner, Tensor coefficients)
    : DenoiserDecorator(std::move(inner)), coefficients_(std::move(coefficients)) {
  check(coefficients_.defined() && coefficients_.dim() == 2,
        "RegressedDenoiser: expected coefficients (d, k) but received shape {}",
        coefficients_.defined() ? shape_string(coefficients_) : "none");
}

/// B c, one term of the sum after another, so that a row does not depend on how many there are.
Tensor RegressedDenoiser::shift(const Tensor& x, const Tensor& condition) const {
  check(x.dim() == 2 && x.size(1) == coefficients_.size(0) && condition.size(1) == coefficients_.size(1),
        "RegressedDenoiser: expected rows of {} numbers with conditions of {} but received shapes {} and {}",
        coefficients_.size(0), coefficients_.size(1), shape_string(x), shape_string(condition));
  const Tensor c = at::nan_to_num(condition.to(x.options()), 0.0), b = coefficients_.to(x.options());
  Tensor sum = at::zeros_like(x);
  for (int64_t j = 0; j < b.size(1); ++j) sum.addcmul_(c.narrow(1, j, 1), b.select(1, j));
  return sum;
}

Estimate RegressedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  if (!label.defined() || label.dim() != 2) return inner().estimate(x, t, label);
  const Tensor mean = shift(x, label);
  const auto& schedule = process().schedule().model();
  const Tensor alpha = t.map([&](double u) { return process().alpha(u); }, x).to(x.options());
  const Estimate rest = inner().estimate(x - alpha * mean, t, label);
  const Tensor data =
      t.map([&](double u) { return rest.prediction().target(schedule, u).data; }, x).to(x.options());
  return Estimate(x, rest.value() + data * mean, rest.prediction(), process(), t);
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Denoiser> RegressedDenoiser::over(std::shared_ptr<const Denoiser> inner) const {
  return std::make_shared<RegressedDenoiser>(std::move(inner), coefficients_);
}

}  // namespace fokker
