#include "fokker/sde/linear_sde.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

Tensor coefficient(const Tensor& values, const char* what) {
  check(values.defined(), "LinearSde: expected a matrix {} but received none", what);
  const Tensor result = values.detach().to(at::kCPU, at::kDouble).contiguous();
  check(at::isfinite(result).all().item<bool>(), "LinearSde: expected finite {}", what);
  return result;
}

Tensor symmetric(const Tensor& matrix) {
  return 0.5 * (matrix + matrix.t());
}

/// First one transition, then another.
LinearTransition followed_by(const LinearTransition& first, const LinearTransition& second) {
  return {second.F.matmul(first.F), second.F.matmul(first.offset) + second.offset,
          symmetric(second.F.matmul(first.Q).matmul(second.F.t()) + second.Q)};
}

/// A root R of a positive semi-definite matrix: R R^T = Q.
Tensor matrix_root(const Tensor& Q) {
  const auto [values, vectors] = at::linalg_eigh(Q);
  return vectors * values.clamp_min(0).sqrt();
}

/// [[a, b], [c, d]].
Tensor blocks(const Tensor& a, const Tensor& b, const Tensor& c, const Tensor& d) {
  return at::cat({at::cat({a, b}, 1), at::cat({c, d}, 1)}, 0);
}

}  // namespace

LinearSde::LinearSde(const Tensor& A, const Tensor& G, const Tensor& c) try
    : A_(coefficient(A, "A")), G_(coefficient(G, "G")) {
  check(A_.dim() == 2 && A_.size(0) == A_.size(1) && A_.size(0) > 0,
        "LinearSde: expected A of shape (d, d) but received {}", shape_string(A_));
  const int64_t d = A_.size(0);
  check(G_.dim() == 2 && G_.size(0) == d && G_.size(1) > 0,
        "LinearSde: expected G of shape ({}, m) but received {}", d, shape_string(G_));
  c_ = c.defined() ? coefficient(c, "c") : at::zeros({d}, at::kDouble);
  check(c_.dim() == 1 && c_.size(0) == d, "LinearSde: expected c of shape ({}) but received {}", d,
        shape_string(c_));
  diffusion_ = G_.matmul(G_.t());
  norm_ = A_.abs().sum(1).max().item<double>();
} catch (...) {
  detail::throw_as_error();
}

// Van Loan: exp [[X, Y], [0, -X^T]] = [[e^X, Z], [0, e^{-X^T}]] with Z e^{X^T} = int_0^1 e^{Xs} Y e^{X^T s}
// ds. X = A t is small here, and Y is scaled to one, so that neither side drowns the other.
LinearTransition LinearSde::short_transition(double t) const {
  const int64_t d = dimension();
  const Tensor X = A_ * t, zero = at::zeros({d, d}, at::kDouble);
  const double scale = std::max(diffusion_.abs().max().item<double>(), 1e-300);
  const Tensor exponential = at::linalg_matrix_exp(blocks(X, diffusion_ / scale, zero, -X.t()));
  const Tensor F = exponential.slice(0, 0, d).slice(1, 0, d);
  const Tensor Z = exponential.slice(0, 0, d).slice(1, d, 2 * d);
  // The mean, by the same device: exp [[X, I], [0, 0]] holds int_0^1 e^{Xs} ds.
  const Tensor mean = at::linalg_matrix_exp(blocks(X, at::eye(d, at::kDouble), zero, zero));
  const Tensor integral = mean.slice(0, 0, d).slice(1, d, 2 * d);
  return {F.contiguous(), integral.matmul(c_) * t, symmetric(Z.matmul(F.t())) * (scale * t)};
}

LinearTransition LinearSde::transition(double t) const {
  check(std::isfinite(t) && t >= 0, "LinearSde: expected a time t >= 0 but received {}", t);
  const int doublings = norm_ * t > 0.5 ? static_cast<int>(std::ceil(std::log2(2 * norm_ * t))) : 0;
  LinearTransition result = short_transition(std::ldexp(t, -doublings));
  for (int i = 0; i < doublings; ++i) result = followed_by(result, result);
  return result;
}

Tensor LinearSde::mean(double t, const Tensor& mean0) const try {
  check(mean0.dim() >= 1 && mean0.dim() <= 2 && mean0.size(-1) == dimension(),
        "LinearSde: expected a mean of shape ({0}) or (n, {0}) but received {1}", dimension(),
        shape_string(mean0));
  const LinearTransition law = transition(t);
  return mean0.to(at::kDouble).matmul(law.F.t()) + law.offset;
} catch (...) {
  detail::throw_as_error();
}

Tensor LinearSde::covariance(double t, const Tensor& covariance0) const try {
  check(covariance0.dim() == 2 && covariance0.size(0) == dimension() && covariance0.size(1) == dimension(),
        "LinearSde: expected a covariance of shape ({0}, {0}) but received {1}", dimension(),
        shape_string(covariance0));
  const LinearTransition law = transition(t);
  return symmetric(law.F.matmul(covariance0.to(at::kDouble)).matmul(law.F.t()) + law.Q);
} catch (...) {
  detail::throw_as_error();
}

Tensor LinearSde::cross_covariance(double t, double s, const Tensor& covariance0) const {
  check(0 <= s && s <= t, "LinearSde: expected 0 <= s <= t but received s = {}, t = {}", s, t);
  return transition(t - s).F.matmul(covariance(s, covariance0));
}

void LinearSde::check_stable(const char* caller) const {
  const double largest = at::real(at::linalg_eigvals(A_)).max().item<double>();
  check(largest < 0,
        "LinearSde: {}: expected eigenvalues of A with negative real part but received one with real part {}",
        caller, largest);
}

Tensor LinearSde::stationary_mean() const {
  check_stable("stationary_mean");
  return -at::linalg_solve(A_, c_.unsqueeze(1)).squeeze(1);
}

Tensor LinearSde::stationary_covariance() const {
  check_stable("stationary_covariance");
  LinearTransition law = transition(1 / std::max(norm_, 1e-300));
  // Each round doubles the time, until exp(A t) has vanished to rounding.
  for (int round = 0; round < 1100 && law.F.norm().item<double>() > 1e-18; ++round)
    law = followed_by(law, law);
  return law.Q;
}

Tensor LinearSde::sample_paths(const Tensor& x0, const std::vector<double>& times, const NoiseSource& noise,
                               int64_t first_sample) const try {
  check(x0.dim() == 2 && x0.size(1) == dimension() && x0.is_floating_point(),
        "LinearSde: expected floating-point x0 of shape (n, {}) but received {} {}", dimension(),
        at::toString(x0.scalar_type()), shape_string(x0));
  check(!times.empty(), "LinearSde: expected at least one time but received none");
  std::vector<Tensor> states{x0};
  Tensor x = x0.to(at::kDouble), root;
  LinearTransition law;
  double interval = -1;
  for (size_t i = 1; i < times.size(); ++i) {
    check_stop();
    const double h = times[i] - times[i - 1];
    check(h > 0, "LinearSde: expected increasing times but received times[{}] = {}", i, times[i]);
    if (h != interval) {
      law = transition(h);
      root = matrix_root(law.Q);
      interval = h;
    }
    const Tensor z = noise(x.sizes(), {first_sample, static_cast<uint64_t>(i - 1)}).to(x.options());
    x = x.matmul(law.F.t()) + law.offset + z.matmul(root.t());
    states.push_back(x.to(x0.options()));
  }
  return at::stack(states);
} catch (...) {
  detail::throw_as_error();
}

Tensor LinearSde::sample_paths(const Tensor& x0, const std::vector<double>& times, const Rng& rng,
                               int64_t first_sample) const try {
  return sample_paths(x0, times, rng.stream("linear-sde").noise_source(at::kDouble), first_sample);
} catch (...) {
  detail::throw_as_error();
}

Sde LinearSde::sde() const {
  Sde result;
  result.dimension = dimension();
  result.drift = [A = A_, c = c_](const Tensor& x, double) {
    return x.matmul(A.t().to(x.options().requires_grad(false))) + c.to(x.options().requires_grad(false));
  };
  result.dispersion = Dispersion::matrix(
      [G = G_](const Tensor& x, double) { return G.to(x.options().requires_grad(false)).unsqueeze(0); },
      G_.size(1));
  return result;
}

}  // namespace fokker
