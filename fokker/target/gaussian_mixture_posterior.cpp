// Density, score and posterior of a Gaussian mixture under noise.
#include <limits>

#include "fokker/core/constants.h"
#include "fokker/core/error.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {
namespace {

// 16 MB a temporary, and a handful of those are alive at once.
constexpr int64_t block_elements = int64_t{1} << 21;
// 2 MB: stays in cache from one operation to the next.
constexpr int64_t cached_elements = int64_t{1} << 18;
constexpr double epsilon = std::numeric_limits<double>::epsilon();

/// A coefficient as (1, 1) or (n, 1) float64.
Tensor column(const Tensor& values, const Tensor& x, const char* what) {
  check(values.dim() == 1 && values.size(0) == x.size(0),
        "GaussianMixture::posterior: expected {} of shape ({}) but received {}", what, x.size(0),
        shape_string(values));
  return values.to(x.device(), at::kDouble).unsqueeze(1);
}

Tensor column(double value, const Tensor& x) {
  return at::full({1, 1}, value, at::TensorOptions(at::kDouble).device(x.device()));
}

/// Rows [begin, end) of a coefficient that may be common to all rows.
Tensor rows_of(const Tensor& column, int64_t begin, int64_t end) {
  return column.size(0) == 1 ? column : column.slice(0, begin, end);
}

Tensor joined(const std::vector<Tensor>& parts) {
  return parts.size() == 1 ? parts[0] : at::cat(parts, 0);
}

}  // namespace

/// With x centred, component k's logit is (alpha x.m_k - alpha^2 |m_k|^2 / 2) / c up to a constant: one
/// matrix product. Its rounding error grows as 1 / c; where it would show, `refined` repairs it.
GaussianMixture::Logits GaussianMixture::shared_logits(const Tensor& x, const Tensor& centred,
                                                       const Tensor& alpha, const Tensor& variance) const {
  const Tensor bias = log_weights_ - half_norms_ * (alpha * alpha / variance);
  Tensor relative = at::addmm(bias, centred * (alpha / variance), offsets_.t());
  const Tensor anchor = relative.detach().argmax(1);
  const Tensor top = relative.gather(1, anchor.unsqueeze(1));
  // In place where no gradient is recorded: these tensors are the whole cost.
  relative = relative.requires_grad() ? relative - top : relative.sub_(top);
  const double products = epsilon * (4 + std::sqrt(static_cast<double>(dimension())));
  const Tensor bound = (products * largest_norm_ * alpha.abs() / variance).detach() *
                       (centred.detach().norm(2, {1}, true) + largest_norm_ * alpha.detach().abs());
  return {refined(relative, x, anchor, alpha, variance, bound), anchor};
}

/// Shared covariance v I.
GaussianMixture::Block GaussianMixture::shared_block(const Tensor& x, const Tensor& alpha,
                                                     const Tensor& sigma, Wanted wanted) const {
  const Tensor c = alpha * alpha * variances_ + sigma * sigma;
  const Tensor centred = x - alpha * centre_;
  const auto [relative, anchor] = shared_logits(x, centred, alpha, c);
  Block block;
  const Tensor shift = relative.detach().amax(1, true);
  const Tensor unnormalised =
      relative.requires_grad() ? (relative - shift).exp() : relative.sub_(shift).exp_();
  const Tensor total = unnormalised.sum(1, true);
  if (wanted == Wanted::responsibilities) {
    block.responsibilities = unnormalised / total;
    return block;
  }
  const Tensor offset = unnormalised.matmul(offsets_) / total;  // E[m_k | x] - centre
  const Tensor residual = centred - alpha * offsets_.index_select(0, anchor);
  const Tensor quadratic = residual.square().sum(1, true) / c;
  block.log_density = (total.log() + shift + log_weights_.index_select(0, anchor).unsqueeze(1) -
                       0.5 * (quadratic + static_cast<double>(dimension()) * (c.log() + log_two_pi)))
                          .squeeze(1);
  block.pull = (centred - alpha * offset) / c;
  // m + alpha v / c (x - alpha m), with the terms in E[m_k | x] collected: no cancellation at either end.
  block.denoised = centre_ + (sigma * sigma / c) * offset + (alpha * variances_ / c) * centred;
  return block;
}

/// Replaces the logits (relative to the anchor component j) that matter and that the matrix product may have
/// spoilt by the difference form alpha (m_k - m_j).(x - alpha (m_k + m_j) / 2) / c + log w_k / w_j, whose
/// second factor is the place of x between the two: no large number cancels in it.
Tensor GaussianMixture::refined(const Tensor& relative, const Tensor& x, const Tensor& anchor,
                                const Tensor& alpha, const Tensor& variance, const Tensor& bound) const {
  constexpr double tolerance = 1e-11;
  constexpr double negligible = 50;  // exp(-50) = 2e-22
  if (components() == 1 || !(bound > tolerance).any().item<bool>()) return relative;
  const Tensor candidates =
      ((bound > tolerance) & (relative.detach() > -(negligible + 4 * bound))).nonzero();  // (pairs, 2)
  std::vector<Tensor> values;
  const int64_t step = std::max<int64_t>(1, block_elements / dimension());
  const Tensor alphas = alpha.expand({relative.size(0), 1}),
               variances = variance.expand({relative.size(0), 1});
  for (int64_t begin = 0; begin < candidates.size(0); begin += step) {
    const Tensor row = candidates.slice(0, begin, begin + step).select(1, 0);
    const Tensor component = candidates.slice(0, begin, begin + step).select(1, 1);
    const Tensor from = anchor.index_select(0, row);
    const Tensor mine = means_.index_select(0, component), theirs = means_.index_select(0, from);
    const Tensor a = alphas.index_select(0, row);
    const Tensor place = x.index_select(0, row) - a * (0.5 * (mine + theirs));
    const Tensor products = ((mine - theirs) * place).sum(1);
    values.push_back(products * (a / variances.index_select(0, row)).squeeze(1) +
                     (log_weights_.index_select(0, component) - log_weights_.index_select(0, from)));
  }
  return relative.index_put({candidates.select(1, 0), candidates.select(1, 1)}, joined(values));
}

GaussianMixture::Terms GaussianMixture::component_terms(const Tensor& x, const Tensor& alpha,
                                                        const Tensor& sigma, int64_t begin,
                                                        int64_t end) const {
  const auto part = [&](const Tensor& values) { return values.slice(0, begin, end).unsqueeze(1); };
  Tensor r = x - alpha * part(means_);
  if (axes_.defined()) r = r.matmul(axes_.slice(0, begin, end));
  const Tensor c = (alpha * alpha) * part(variances_) + sigma * sigma;
  const double repeats = static_cast<double>(dimension()) / static_cast<double>(c.size(2));
  const Tensor scaled = r / c;
  const Tensor log_determinant = c.log().sum(2) * repeats;
  return {scaled, part(log_weights_) - 0.5 * ((r * scaled).sum(2) + log_determinant)};
}

/// Any covariances, component first: residuals (k, n, d) along each component's own axes. Components are
/// taken in blocks too, so that many of them in high dimension fit.
GaussianMixture::Block GaussianMixture::general_block(const Tensor& x, const Tensor& alpha,
                                                      const Tensor& sigma, Wanted wanted) const {
  const int64_t step = std::max<int64_t>(1, block_elements / std::max<int64_t>(1, x.size(0) * dimension()));
  Terms terms;
  std::vector<Tensor> logits;
  for (int64_t k = 0; k < components(); k += step) {
    terms = component_terms(x, alpha, sigma, k, k + step);
    logits.push_back(terms.logits);
  }
  const Tensor all = joined(logits), total = all.logsumexp(0, true);
  const Tensor responsibility = (all - total).exp();
  Block block;
  if (wanted == Wanted::responsibilities) {
    block.responsibilities = responsibility.t();
    return block;
  }
  block.log_density = total.squeeze(0) - 0.5 * log_two_pi * static_cast<double>(dimension());
  block.pull = at::zeros_like(x);
  block.denoised = at::zeros_like(x);
  for (int64_t k = 0; k < components(); k += step) {
    if (step < components()) terms = component_terms(x, alpha, sigma, k, k + step);
    const Tensor scaled = responsibility.slice(0, k, k + step).unsqueeze(2) * terms.scaled;
    const Tensor explained = scaled * variances_.slice(0, k, k + step).unsqueeze(1);
    const auto back = [&](const Tensor& y) {
      return (axes_.defined() ? y.matmul(axes_.slice(0, k, k + step).transpose(1, 2)) : y).sum(0);
    };
    block.pull = block.pull + back(scaled);
    block.denoised = block.denoised + alpha * back(explained) +
                     responsibility.slice(0, k, k + step).t().matmul(means_.slice(0, k, k + step));
  }
  return block;
}

int64_t GaussianMixture::rows_per_block(bool gradients) const {
  const int64_t width = shared() ? std::max(components(), dimension()) : components() * dimension();
  const int64_t most = std::max<int64_t>(1, block_elements / width);
  if (gradients) return 4 * most;  // everything is kept anyway
  // Each block reads all means once: in high dimension it takes some rows to pay for that.
  return std::min(most, std::max(cached_elements / width, std::min<int64_t>(64, dimension() / 2)));
}

GaussianMixture::Block GaussianMixture::evaluate(const Tensor& x, const Tensor& alpha, const Tensor& sigma,
                                                 Wanted wanted) const {
  const Tensor least = (alpha * alpha * smallest_variance_ + sigma * sigma).detach();
  if (!(at::isfinite(least) & (sigma.detach() >= 0)).all().item<bool>())
    fail(ErrorKind::argument, "GaussianMixture: expected finite alpha and sigma >= 0 but received {} and {}",
         alpha.min().item<double>(), sigma.min().item<double>());
  check((least > 0).all().item<bool>(),
        "GaussianMixture: without noise (sigma = 0) this mixture has no density, because a covariance is "
        "singular");
  std::vector<Tensor> parts[4];
  const int64_t rows = std::max<int64_t>(1, rows_per_block(x.requires_grad()));
  for (int64_t begin = 0; begin == 0 || begin < x.size(0); begin += rows) {
    const int64_t end = std::min(begin + rows, x.size(0));
    const Tensor a = rows_of(alpha, begin, end), s = rows_of(sigma, begin, end), y = x.slice(0, begin, end);
    const Block block = shared() ? shared_block(y, a, s, wanted) : general_block(y, a, s, wanted);
    parts[0].push_back(block.denoised);
    parts[1].push_back(block.pull);
    parts[2].push_back(block.log_density);
    parts[3].push_back(block.responsibilities);
  }
  if (wanted == Wanted::responsibilities) return {{}, {}, {}, joined(parts[3])};
  return {joined(parts[0]), joined(parts[1]), joined(parts[2]), {}};
}

GaussianMixture::Posterior GaussianMixture::posterior(const Tensor& x, double alpha, double sigma) const {
  const Tensor points = rows(x);
  const Block block = evaluate(points, column(alpha, x), column(sigma, x), Wanted::moments);
  const auto type = x.scalar_type();
  return {block.denoised.reshape(x.sizes()).to(type), (block.pull * sigma).reshape(x.sizes()).to(type),
          block.log_density.to(type)};
}

GaussianMixture::Posterior GaussianMixture::posterior(const Tensor& x, const Tensor& alpha,
                                                      const Tensor& sigma) const {
  const Tensor points = rows(x), a = column(alpha, x, "alpha"), s = column(sigma, x, "sigma");
  const Block block = evaluate(points, a, s, Wanted::moments);
  const auto type = x.scalar_type();
  return {block.denoised.reshape(x.sizes()).to(type), (block.pull * s).reshape(x.sizes()).to(type),
          block.log_density.to(type)};
}

Tensor GaussianMixture::log_density(const Tensor& x) const {
  return evaluate(rows(x), column(1, x), column(0, x), Wanted::moments).log_density.to(x.scalar_type());
}

Tensor GaussianMixture::score(const Tensor& x) const {
  const Tensor pull = evaluate(rows(x), column(1, x), column(0, x), Wanted::moments).pull;
  return pull.neg().reshape(x.sizes()).to(x.scalar_type());
}

Tensor GaussianMixture::responsibilities(const Tensor& x) const {
  return evaluate(rows(x), column(1, x), column(0, x), Wanted::responsibilities)
      .responsibilities.to(x.scalar_type());
}

}  // namespace fokker
