#pragma once
// Diffusions with a known law at every time, so that their score is exact.
#include <cmath>
#include <numbers>

#include "fokker/core/rng.h"
#include "fokker/process/linear_sde.h"
#include "support.h"

namespace fokker {

inline const Rng rng(7);

inline Tensor points(int64_t n, int64_t d) {
  return 0.5 * rng.normal({n, d}, {}, at::kDouble);
}

/// Sample covariance of rows x and y (n, d), each about its own mean.
inline Tensor sample_covariance(const Tensor& x, const Tensor& y) {
  return (x - x.mean(0)).t().matmul(y - y.mean(0)) / static_cast<double>(x.size(0));
}
inline Tensor sample_covariance(const Tensor& x) {
  return sample_covariance(x, x);
}

/// sigma(x, t) of shape (n, 3, 2), every entry different.
inline Tensor tall_matrix(const Tensor& x, double t) {
  const Tensor a = x.select(1, 0), b = x.select(1, 1), c = x.select(1, 2);
  const auto row = [](const Tensor& u, const Tensor& v) { return at::stack({u, v}, 1); };
  return at::stack({row(a * b, c.sin()), row(1 + t * a.square(), b * c), row((a - c).exp(), b)}, 1);
}

/// Geometric Brownian motion dx = mu x dt + sigma x dB from a log-normal start, on R.
struct GeometricBrownian {
  double mu = 0.3, sigma = 0.5, log_mean0 = 0.1, log_variance0 = 0.09;

  double log_mean(double t) const { return log_mean0 + (mu - 0.5 * sigma * sigma) * t; }
  double log_variance(double t) const { return log_variance0 + sigma * sigma * t; }
  Tensor sample(double t, int64_t n, const Rng& rng) const {
    return (log_mean(t) + std::sqrt(log_variance(t)) * rng.normal({n, 1}, {}, at::kDouble)).exp();
  }
  Tensor log_density(const Tensor& x, double t) const {
    const Tensor z = x.log() - log_mean(t);
    return (-0.5 * z.square() / log_variance(t) - x.log()).squeeze(1) -
           0.5 * std::log(2 * std::numbers::pi * log_variance(t));
  }
  Tensor score(const Tensor& x, double t) const {
    return -(1 + (x.log() - log_mean(t)) / log_variance(t)) / x;
  }
  StateFunction score() const {
    return [g = *this](const Tensor& x, double t) { return g.score(x, t); };
  }
  Sde sde() const {
    Sde result;
    result.dimension = 1;
    result.drift = [mu = mu](const Tensor& x, double) { return mu * x; };
    result.dispersion = Dispersion::diagonal([s = sigma](const Tensor& x, double) { return s * x; });
    return result;
  }
};

/// x = (sinh y1, sinh y2 + c y1^2) of a linear diffusion y in the plane: smooth and invertible, with a full
/// dispersion matrix that depends on x.
struct WarpedLinear {
  double c = 0.4;
  LinearSde y{rows_of({{-1.0, 0.6}, {-0.8, -0.5}}), rows_of({{0.7, 0.0}, {0.3, 0.4}}),
              vector_of({0.2, -0.1})};
  Tensor S = rows_of({{0.49, 0.21}, {0.21, 0.25}});  ///< G G^T
  Tensor mean0 = vector_of({0.4, -0.2}), covariance0 = rows_of({{0.3, 0.1}, {0.1, 0.2}});

  Tensor to_x(const Tensor& y_) const {
    const Tensor a = y_.select(1, 0), b = y_.select(1, 1);
    return at::stack({a.sinh(), b.sinh() + c * a.square()}, 1);
  }
  Tensor to_y(const Tensor& x) const {
    const Tensor a = x.select(1, 0).asinh();
    return at::stack({a, (x.select(1, 1) - c * a.square()).asinh()}, 1);
  }
  /// dx/dy = [[cosh y1, 0], [2 c y1, cosh y2]].
  Tensor map_jacobian(const Tensor& y_) const {
    const Tensor a = y_.select(1, 0), b = y_.select(1, 1);
    return at::stack({at::stack({a.cosh(), at::zeros_like(a)}, 1), at::stack({2 * c * a, b.cosh()}, 1)}, 1);
  }
  Tensor mean(double t) const { return y.mean(t, mean0); }
  Tensor covariance(double t) const { return y.covariance(t, covariance0); }

  /// Ito's formula for the drift of x.
  Sde sde() const {
    Sde result;
    result.dimension = 2;
    const Sde inner = y.sde();
    const double s11 = S[0][0].item<double>(), s22 = S[1][1].item<double>();
    result.drift = [w = *this, inner, s11, s22](const Tensor& x, double t) {
      const Tensor v = w.to_y(x);
      const Tensor along = w.map_jacobian(v).matmul(inner.drift(v, t).unsqueeze(2)).squeeze(2);
      const Tensor second =
          at::stack({s11 * v.select(1, 0).sinh(), s22 * v.select(1, 1).sinh() + 2 * w.c * s11}, 1);
      return along + 0.5 * second;
    };
    result.dispersion = Dispersion::matrix(
        [w = *this](const Tensor& x, double) {
          return w.map_jacobian(w.to_y(x)).matmul(rows_of({{0.7, 0.0}, {0.3, 0.4}}));
        },
        2);
    return result;
  }

  Tensor log_density(const Tensor& x, double t) const {
    const Tensor v = to_y(x), P = covariance(t), r = v - mean(t);
    const Tensor quadratic = (r.matmul(at::linalg_inv(P)) * r).sum(1);
    return -0.5 * quadratic - 0.5 * at::linalg_det(P).log() - std::log(2 * std::numbers::pi) -
           v.cosh().log().sum(1);
  }
  /// J^-T (score of y - grad_y log |det J|), solved by hand.
  Tensor score(const Tensor& x, double t) const {
    const Tensor v = to_y(x);
    const Tensor s = -(v - mean(t)).matmul(at::linalg_inv(covariance(t))) - v.tanh();
    const Tensor u2 = s.select(1, 1) / v.select(1, 1).cosh();
    const Tensor u1 = (s.select(1, 0) - 2 * c * v.select(1, 0) * u2) / v.select(1, 0).cosh();
    return at::stack({u1, u2}, 1);
  }
  StateFunction score() const {
    return [w = *this](const Tensor& x, double t) { return w.score(x, t); };
  }
  Tensor sample_y(double t, int64_t n, const Rng& rng) const {
    const Tensor L = at::linalg_cholesky(covariance(t));
    return mean(t) + rng.normal({n, 2}, {}, at::kDouble).matmul(L.t());
  }
};

}  // namespace fokker
