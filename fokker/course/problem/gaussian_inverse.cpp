#include "fokker/course/problem/gaussian_inverse.h"

#include <cmath>

#include "fokker/condition/method/reverse_steps.h"
#include "fokker/condition/operator/operators.h"
#include "fokker/core/boundary.h"

namespace fokker {
namespace {

Tensor identity(int64_t n) {
  return at::eye(n, at::kDouble);
}

/// N(mean, covariance) of x given y = A x + N(0, R).
GaussianLaw updated(const GaussianInverse& of, const Tensor& R) {
  const Tensor a = of.a->matrix(), cross = of.covariance.matmul(a.t());
  const Tensor gain = cross.matmul(at::linalg_inv(a.matmul(cross) + R));
  return {of.mean + gain.matmul(of.y - a.matmul(of.mean)), of.covariance - gain.matmul(cross.t())};
}

/// The law of x_t, carried through x <- m x + c + N(0, n).
void carry(GaussianLaw& law, const Tensor& m, const Tensor& c, const Tensor& n) {
  law.mean = m.matmul(law.mean) + c;
  law.covariance = m.matmul(law.covariance).matmul(m.t()) + n;
}

GaussianLaw start_of(const GaussianInverse& of, const TimeGrid& grid) {
  const int64_t d = of.mean.size(0);
  const double alpha = of.process.alpha(grid.times()[0]), sigma = of.process.sigma(grid.times()[0]);
  return {at::zeros({d}, at::kDouble), (alpha * alpha + sigma * sigma) * identity(d)};
}

/// E[x_0 | x_t] = gain x_t + offset, and what a step adds to its variance.
struct AffineEstimate {
  Tensor gain, offset, noise;
};

AffineEstimate estimate_at(const GaussianInverse& of, const ReverseStep& step) {
  const double alpha = of.process.alpha(step.t), sigma = of.process.sigma(step.t);
  const Tensor one = identity(of.mean.size(0));
  const Tensor gain =
      alpha * of.covariance.matmul(at::linalg_inv(alpha * alpha * of.covariance + sigma * sigma * one));
  return {gain, of.mean - alpha * gain.matmul(of.mean), step.variance * one};
}

/// The reverse chain on an estimate that `change` corrects.
GaussianLaw chain_law(const GaussianInverse& of, const TimeGrid& grid,
                      const std::function<void(const ReverseStep&, AffineEstimate&)>& change) {
  GaussianLaw law = start_of(of, grid);
  for (const ReverseStep& step : reverse_steps(of.process, grid)) {
    AffineEstimate estimate = estimate_at(of, step);
    change(step, estimate);
    carry(law, step.state * identity(of.mean.size(0)) + step.data * estimate.gain,
          step.data * estimate.offset, estimate.noise);
  }
  return law;
}

/// The score gains J^T A^T (A V A^T + S^2)^-1 (y - A E[x_0 | x_t]): by Tweedie the estimate sigma^2/alpha
/// times it.
GaussianLaw guided_chain(const GaussianInverse& of, const TimeGrid& grid,
                         const std::function<Tensor(double t, const Tensor& gain)>& V) {
  const Tensor a = of.a->matrix(), R = of.noise * of.noise * identity(a.size(0));
  return chain_law(of, grid, [&](const ReverseStep& step, AffineEstimate& e) {
    const double alpha = of.process.alpha(step.t), sigma = of.process.sigma(step.t);
    const Tensor total = a.matmul(V(step.t, e.gain)).matmul(a.t()) + R;
    const Tensor pull = sigma * sigma / alpha * e.gain.t().matmul(a.t()).matmul(at::linalg_inv(total));
    e.offset = e.offset + pull.matmul(of.y - a.matmul(e.offset));
    e.gain = e.gain - pull.matmul(a).matmul(e.gain);
  });
}

}  // namespace

GaussianLaw GaussianInverse::posterior() const {
  return updated(*this, noise * noise * identity(y.size(0)));
}

GaussianInverse GaussianInverse::random(int64_t dimension, const Rng& rng) try {
  const Tensor turn =
      std::get<0>(at::linalg_qr(rng.stream("axes").normal({dimension, dimension}, {}, at::kDouble)));
  const Tensor values = at::logspace(std::log10(2.0), std::log10(0.2), dimension, 10.0, at::kDouble);
  const int64_t seen = (dimension + 1) / 2;
  const Tensor a = rng.stream("projections").normal({seen, dimension}, {}, at::kDouble) /
                   std::sqrt(static_cast<double>(dimension));
  GaussianInverse problem{.mean = 0.5 * rng.stream("mean").normal({1, dimension}, {}, at::kDouble).squeeze(0),
                          .covariance = turn.matmul(values.diag()).matmul(turn.t()),
                          .a = std::make_shared<MatrixOperator>(a, std::vector<int64_t>{dimension}),
                          .y = {},
                          .noise = 0.3};
  const Tensor x =
      problem.mean +
      turn.matmul(values.sqrt() * rng.stream("x").normal({1, dimension}, {}, at::kDouble).squeeze(0));
  problem.y = a.matmul(x) + problem.noise * rng.stream("noise").normal({1, seen}, {}, at::kDouble).squeeze(0);
  return problem;
} catch (...) {
  detail::throw_as_error();
}

GaussianLaw replacement_law(const GaussianInverse& of, const TimeGrid& grid) try {
  const Tensor a = of.a->matrix(), inverse = at::linalg_pinv(a), seen = inverse.matmul(a);
  const Tensor one = identity(of.mean.size(0)), hidden = one - seen;
  GaussianLaw law = start_of(of, grid);
  for (const ReverseStep& step : reverse_steps(of.process, grid)) {
    const double alpha = of.process.alpha(step.t), sigma = of.process.sigma(step.t);
    carry(law, hidden, alpha * inverse.matmul(of.y), sigma * sigma * seen.matmul(seen.t()));
    const AffineEstimate e = estimate_at(of, step);
    carry(law, step.state * one + step.data * e.gain, step.data * e.offset, e.noise);
  }
  carry(law, hidden, inverse.matmul(of.y), at::zeros_like(one));
  return law;
} catch (...) {
  detail::throw_as_error();
}

GaussianLaw ddnm_law(const GaussianInverse& of, const TimeGrid& grid) try {
  const Tensor a = of.a->matrix();
  const auto [u, s, v] = at::linalg_svd(a, /*full_matrices=*/false);
  const Tensor &left = u, &values = s, &right = v;
  return chain_law(of, grid, [&](const ReverseStep& step, AffineEstimate& e) {
    const Tensor trust = of.noise > 0
                             ? (std::sqrt(step.variance) * values / (step.data * of.noise)).clamp_max(1)
                             : at::ones_like(values);
    const Tensor inverse = right.t().matmul((trust / values).diag()).matmul(left.t());
    e.gain = e.gain - inverse.matmul(a).matmul(e.gain);
    e.offset = e.offset + inverse.matmul(of.y - a.matmul(e.offset));
    // The correction brings noise of y, by which the step's own is less.
    const Tensor brought = (step.data * trust * of.noise / values).square();
    e.noise = e.noise - right.t().matmul(brought.diag()).matmul(right);
  });
} catch (...) {
  detail::throw_as_error();
}

GaussianLaw dps_law(const GaussianInverse& of, const TimeGrid& grid, double size) try {
  const Tensor a = of.a->matrix(), one = identity(of.mean.size(0));
  GaussianLaw law = start_of(of, grid);
  for (const ReverseStep& step : reverse_steps(of.process, grid)) {
    const AffineEstimate e = estimate_at(of, step);
    // -size grad |y - A (G x + g)|^2 = 2 size G^T A^T (y - A g) - 2 size G^T A^T A G x
    const Tensor back = 2 * size * e.gain.t().matmul(a.t());
    carry(law, step.state * one + step.data * e.gain - back.matmul(a).matmul(e.gain),
          step.data * e.offset + back.matmul(of.y - a.matmul(e.offset)), e.noise);
  }
  return law;
} catch (...) {
  detail::throw_as_error();
}

GaussianLaw pigdm_law(const GaussianInverse& of, const TimeGrid& grid) try {
  return guided_chain(of, grid, [&](double t, const Tensor&) {
    const double alpha = of.process.alpha(t), sigma = of.process.sigma(t);
    return sigma * sigma / (alpha * alpha + sigma * sigma) * identity(of.mean.size(0));
  });
} catch (...) {
  detail::throw_as_error();
}

GaussianLaw mmps_law(const GaussianInverse& of, const TimeGrid& grid) try {
  return guided_chain(of, grid, [&](double t, const Tensor& gain) {
    return of.process.sigma(t) * of.process.sigma(t) / of.process.alpha(t) * gain;
  });
} catch (...) {
  detail::throw_as_error();
}

GaussianLaw gibbs_law(const GaussianInverse& of, double rho) try {
  const Tensor a = of.a->matrix();
  return updated(of, of.noise * of.noise * identity(a.size(0)) + rho * rho * a.matmul(a.t()));
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
