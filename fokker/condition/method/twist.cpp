#include "fokker/condition/method/twist.h"

#include "fokker/condition/method/pigdm.h"
#include "fokker/condition/method/triangular.h"
#include "fokker/core/constants.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

constexpr int64_t most_dimensions_of_jacobian = 16;

/// (sigma^2/alpha) J, made symmetric, of an estimate's rows: (n, d, d) float64.
Tensor tweedie_covariance(const DifferentiableEstimate& estimate, double factor) {
  const int64_t d = event_size(estimate.denoised.sizes());
  std::vector<Tensor> lines;
  for (int64_t j = 0; j < d; ++j) {
    const Tensor one = at::zeros_like(estimate.denoised);
    one.flatten(1).select(1, j).fill_(1);
    lines.push_back(vector_jacobian_product(estimate.denoised, estimate.x, one, j + 1 < d).flatten(1));
  }
  const Tensor jacobian = at::stack(lines, 1).to(at::kDouble);
  return (jacobian + jacobian.transpose(1, 2)) * (0.5 * factor);
}

/// L of V = L L^T with at least `least` along every direction; what is negative in V, as no covariance is,
/// counts as 0.
Tensor root_of(const Tensor& v, double least) {
  const Tensor ridge = least * at::eye(v.size(1), v.options());
  auto [root, info] = at::linalg_cholesky_ex(v + ridge);
  const Tensor bad = info.ne(0).nonzero().squeeze(1);
  if (bad.size(0) == 0) return root;
  const auto [values, vectors] = at::linalg_eigh(v.index_select(0, bad).nan_to_num(0, 0, 0));
  const Tensor mended =
      vectors.matmul(values.clamp_min(0).unsqueeze(2) * vectors.transpose(1, 2)) + 2 * ridge;
  root.index_copy_(0, bad, std::get<0>(at::linalg_cholesky_ex(mended)));
  return root;
}

Tensor log_determinant(const Tensor& root) {
  return 2 * root.diagonal(0, 1, 2).log().sum(1);
}

/// (n, d, 1) float64.
Tensor columns_of(const Tensor& x) {
  return x.flatten(1).to(at::kDouble).unsqueeze(2);
}

}  // namespace

Twisted Twisted::at(const Tensor& index) const {
  const auto of = [&](const Tensor& rows) { return rows.defined() ? rows.index_select(0, index) : rows; };
  return {of(denoised), of(gain), of(log_twist), of(root), of(inner)};
}

Twist::Twist(const PosteriorBlock& block, TwistCovariance covariance)
    : block_(block), dimension_(event_size(block.start.sizes())) {
  const LinearMeasurement* linear = block.measurement.linear();
  const bool small = linear && dimension_ <= most_dimensions_of_jacobian;
  if (covariance == TwistCovariance::assumed || (covariance == TwistCovariance::automatic && !small)) return;
  const Tensor a = linear->a().matrix();
  gram_ = a.t().matmul(a).to(block.start.device());
}

Twisted Twist::operator()(const Tensor& x, double t) const {
  std::vector<Twisted> parts;
  for (int64_t first = 0; first < x.size(0); first += block_.rows_together) {
    check_stop();
    parts.push_back(at_rows(x.narrow(0, first, std::min(block_.rows_together, x.size(0) - first)), t, first));
  }
  const auto all = [&](Tensor Twisted::*member) {
    std::vector<Tensor> rows;
    rows.reserve(parts.size());
    for (const Twisted& part : parts) rows.push_back(part.*member);
    return rows[0].defined() ? at::cat(rows) : rows[0];
  };
  return {all(&Twisted::denoised), all(&Twisted::gain), all(&Twisted::log_twist), all(&Twisted::root),
          all(&Twisted::inner)};
}

Twisted Twist::at_rows(const Tensor& x, double t, int64_t first) const {
  const auto rows = block_.measurement.select(at::arange(first, first + x.size(0), at::kLong));
  const double alpha = block_.process().alpha(t), sigma = block_.process().sigma(t);
  const GradientMode on(true);
  const DifferentiableEstimate estimate = differentiable_estimate(block_, x, t, first);
  if (gram_.defined()) return by_jacobian(estimate, t, *rows);
  const double variance = assumed_variance(block_.process(), t, block_.options.data_deviation);
  const Tensor log = rows->log_likelihood(estimate.denoised, variance);
  const Tensor gradient = gradients(log, {estimate.x}, false)[0];
  return {
      estimate.denoised.detach(), gradient * (sigma * sigma / alpha), log.detach().to(at::kDouble), {}, {}};
}

/// With r = y - A E[x_0 | x_t], b = A^T r and K = S^2 I + A V A^T, by Woodbury's identity in d dimensions:
/// r^T K^-1 r = (|r|^2 - |M^-1/2 L^T b|^2) / S^2, log|K| = (m - d) log S^2 + log|M|, V A^T K^-1 r = L M^-1
/// L^T b.
Twisted Twist::by_jacobian(const DifferentiableEstimate& estimate, double t, const Measurement& rows) const {
  const double alpha = block_.process().alpha(t), sigma = block_.process().sigma(t);
  const Tensor v = tweedie_covariance(estimate, sigma * sigma / alpha);
  const GradientMode off(false);
  const LinearMeasurement& seen = *rows.linear();
  const double s2 = seen.noise() * seen.noise(),
               least = 1e-9 * assumed_variance(block_.process(), t, block_.options.data_deviation);
  const Tensor denoised = estimate.denoised.detach(), r = seen.residual(denoised),
               b = columns_of(seen.a().adjoint(r.reshape(seen.y().sizes())));
  const Tensor root = root_of(v, least);
  const Tensor inner = std::get<0>(at::linalg_cholesky_ex(root.transpose(1, 2).matmul(gram_).matmul(root) +
                                                          s2 * at::eye(dimension_, v.options())));
  const Tensor half = solve_lower(inner, root.transpose(1, 2).matmul(b));
  const Tensor gain = root.matmul(at::linalg_solve_triangular(inner.transpose(1, 2), half, /*upper=*/true));
  const auto m = static_cast<double>(r.size(1));
  const Tensor log_twist =
      -0.5 * ((r.square().sum(1) - half.square().sum({1, 2})) / s2 + log_determinant(inner) +
              (m - static_cast<double>(dimension_)) * std::log(s2) + m * log_two_pi);
  return {denoised, gain.reshape(denoised.sizes()).to(denoised.scalar_type()), log_twist, root, inner};
}

TwistedStep Twist::step(const ReverseStep& step, const Tensor& x, const Twisted& now,
                        const Tensor& noise) const {
  const Tensor mean = x * step.state + now.denoised * step.data, push = now.gain * step.data;
  if (!gram_.defined()) {
    const double variance =
        step.variance +
        step.data * step.data * assumed_variance(block_.process(), step.t, block_.options.data_deviation);
    const Tensor drawn = noise * std::sqrt(variance);
    const Tensor gap = sum_events((push * (push + 2 * drawn)).to(at::kDouble));
    return {mean + push + drawn, -gap / (2 * variance)};
  }
  // p = N(mean, v I + data^2 V), q = N(mean + push, v I + data^2 S^2 L M^-1 L^T).
  const double noise_of_y = block_.measurement.linear()->noise();
  const Tensor own = step.variance * at::eye(dimension_, now.root.options());
  const auto widened = [&](const Tensor& root) {
    return std::get<0>(
        at::linalg_cholesky_ex(own + root.matmul(root.transpose(1, 2)) * (step.data * step.data)));
  };
  const Tensor p = widened(now.root),
               q = widened(solve_lower(now.inner, now.root.transpose(1, 2)).transpose(1, 2) * noise_of_y);
  const Tensor z = columns_of(noise), moved = columns_of(push) + q.matmul(z);
  const Tensor log_ratio = 0.5 * (z.square().sum({1, 2}) - solve_lower(p, moved).square().sum({1, 2}) +
                                  log_determinant(q) - log_determinant(p));
  return {mean + moved.reshape(mean.sizes()).to(mean.scalar_type()), log_ratio};
}

}  // namespace fokker
