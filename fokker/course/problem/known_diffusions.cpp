#include "fokker/course/problem/known_diffusions.h"

#include <cmath>
#include <numbers>

namespace fokker {
namespace {

Tensor matrix(double a, double b, double c, double d) {
  return at::tensor({a, b, c, d}, at::kDouble).reshape({2, 2});
}

Tensor vector(double a, double b) {
  return at::tensor({a, b}, at::kDouble);
}

Tensor dispersion_of_y() {
  return matrix(0.7, 0.0, 0.3, 0.4);
}

}  // namespace

Tensor GeometricBrownian::sample(double t, int64_t n, const Rng& rng) const {
  return (log_mean(t) + std::sqrt(log_variance(t)) * rng.normal({n, 1}, {}, at::kDouble)).exp();
}

Tensor GeometricBrownian::log_density(const Tensor& x, double t) const {
  const Tensor z = x.log() - log_mean(t);
  return (-0.5 * z.square() / log_variance(t) - x.log()).squeeze(1) -
         0.5 * std::log(2 * std::numbers::pi * log_variance(t));
}

Tensor GeometricBrownian::score(const Tensor& x, double t) const {
  return -(1 + (x.log() - log_mean(t)) / log_variance(t)) / x;
}

StateFunction GeometricBrownian::score() const {
  return [g = *this](const Tensor& x, double t) { return g.score(x, t); };
}

Sde GeometricBrownian::sde() const {
  Sde result;
  result.dimension = 1;
  result.drift = [m = mu](const Tensor& x, double) { return m * x; };
  result.dispersion = Dispersion::diagonal([s = sigma](const Tensor& x, double) { return s * x; });
  return result;
}

WarpedLinear::WarpedLinear()
    : y(matrix(-1.0, 0.6, -0.8, -0.5), dispersion_of_y(), vector(0.2, -0.1)),
      mean0(vector(0.4, -0.2)),
      covariance0(matrix(0.3, 0.1, 0.1, 0.2)),
      G_(dispersion_of_y()) {}

Tensor WarpedLinear::to_x(const Tensor& y_) const {
  const Tensor a = y_.select(1, 0), b = y_.select(1, 1);
  return at::stack({a.sinh(), b.sinh() + c * a.square()}, 1);
}

Tensor WarpedLinear::to_y(const Tensor& x) const {
  const Tensor a = x.select(1, 0).asinh();
  return at::stack({a, (x.select(1, 1) - c * a.square()).asinh()}, 1);
}

Tensor WarpedLinear::map_jacobian(const Tensor& y_) const {
  const Tensor a = y_.select(1, 0), b = y_.select(1, 1);
  return at::stack({at::stack({a.cosh(), at::zeros_like(a)}, 1), at::stack({2 * c * a, b.cosh()}, 1)}, 1);
}

Tensor WarpedLinear::sample_y(double t, int64_t n, const Rng& rng) const {
  const Tensor L = at::linalg_cholesky(covariance(t));
  return mean(t) + rng.normal({n, 2}, {}, at::kDouble).matmul(L.t());
}

// Ito's formula: the drift of x_i is dx_i/dy . (drift of y) + 1/2 sum over jk of (G G^T)_jk d^2 x_i / dy_j
// dy_k.
Sde WarpedLinear::sde() const {
  const Tensor S = G_.matmul(G_.t());
  const double s11 = S[0][0].item<double>(), s22 = S[1][1].item<double>();
  Sde result;
  result.dimension = 2;
  result.drift = [w = *this, inner = y.sde(), s11, s22](const Tensor& x, double t) {
    const Tensor v = w.to_y(x);
    const Tensor along = w.map_jacobian(v).matmul(inner.drift(v, t).unsqueeze(2)).squeeze(2);
    const Tensor second =
        at::stack({s11 * v.select(1, 0).sinh(), s22 * v.select(1, 1).sinh() + 2 * w.c * s11}, 1);
    return along + 0.5 * second;
  };
  result.dispersion = Dispersion::matrix(
      [w = *this](const Tensor& x, double) { return w.map_jacobian(w.to_y(x)).matmul(w.G_); }, 2);
  return result;
}

Tensor WarpedLinear::log_density(const Tensor& x, double t) const {
  const Tensor v = to_y(x), P = covariance(t), r = v - mean(t);
  const Tensor quadratic = (r.matmul(at::linalg_inv(P)) * r).sum(1);
  return -0.5 * quadratic - 0.5 * at::linalg_det(P).log() - std::log(2 * std::numbers::pi) -
         v.cosh().log().sum(1);
}

// J^-T (score of y - grad_y log |det J|), solved by hand.
Tensor WarpedLinear::score(const Tensor& x, double t) const {
  const Tensor v = to_y(x);
  const Tensor s = -(v - mean(t)).matmul(at::linalg_inv(covariance(t))) - v.tanh();
  const Tensor u2 = s.select(1, 1) / v.select(1, 1).cosh();
  const Tensor u1 = (s.select(1, 0) - 2 * c * v.select(1, 0) * u2) / v.select(1, 0).cosh();
  return at::stack({u1, u2}, 1);
}

StateFunction WarpedLinear::score() const {
  return [w = *this](const Tensor& x, double t) { return w.score(x, t); };
}

}  // namespace fokker
