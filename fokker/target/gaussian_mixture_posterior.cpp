// Density, score and posterior of a Gaussian mixture under noise.
#include <ATen/Parallel.h>

#include <limits>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/constants.h"
#include "fokker/kernel/mixture/component_covariances.h"
#include "fokker/kernel/mixture/mixture_softmax.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {
namespace {

// 16 MB a temporary, and a handful of those are alive at once.
constexpr int64_t block_elements = int64_t{1} << 21;
// 2 MB: stays in cache from one operation to the next.
constexpr int64_t cached_elements = int64_t{1} << 18;

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

/// What follows from the softmax over the components, in one pass over x: the formulas of shared_block.
GaussianMixture::Block GaussianMixture::fused_block(const Tensor& x, const Tensor& alpha, const Tensor& sigma,
                                                    const Tensor& variance,
                                                    const kernel::MixtureSoftmax& softmax) const {
  const int64_t n = x.size(0), d = dimension();
  Block block{
      at::empty({n, d}, x.options()), at::empty({n, d}, x.options()), at::empty({n}, x.options()), {}};
  const Tensor rows = x.contiguous(), offsets = softmax.offset.contiguous(),
               coefficients =
                   at::cat({alpha.expand({n, 1}), sigma.expand({n, 1}), variance.expand({n, 1})}, 1);
  const double v = variances_.item<double>();
  const double *centre = centred_->centre.data_ptr<double>(), *means = centred_->offsets.data_ptr<double>(),
               *log_weights = log_weights_.data_ptr<double>(),
               *log_total = softmax.log_total.data_ptr<double>();
  const auto* anchor = softmax.anchor.data_ptr<int64_t>();
  at::parallel_for(0, n, std::max<int64_t>(1, 8192 / d), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double *row = rows.data_ptr<double>() + i * d, *nearest = means + anchor[i] * d,
                   *offset = offsets.data_ptr<double>() + i * d,
                   *coefficient = coefficients.data_ptr<double>() + 3 * i;
      double *denoised = block.denoised.data_ptr<double>() + i * d,
             *negative_score = block.negative_score.data_ptr<double>() + i * d, square = 0;
      const double a = coefficient[0], s = coefficient[1], c = coefficient[2], each = 1 / c;
      for (int64_t j = 0; j < d; ++j) {
        const double centred = row[j] - a * centre[j], residual = centred - a * nearest[j];
        square += residual * residual;
        negative_score[j] = (residual - a * offset[j]) * each;
        denoised[j] = centre[j] + (s * s * each) * (nearest[j] + offset[j]) + (a * v * each) * centred;
      }
      block.log_density.data_ptr<double>()[i] =
          log_total[i] + log_weights[anchor[i]] -
          0.5 * (square / c + static_cast<double>(d) * (std::log(c) + log_two_pi));
    }
  });
  return block;
}

/// Shared covariance v I. The kernels run where no gradient is recorded.
GaussianMixture::Block GaussianMixture::shared_block(const Tensor& x, const Tensor& alpha,
                                                     const Tensor& sigma, Wanted wanted, bool single) const {
  const Tensor c = alpha * alpha * variances_ + sigma * sigma;
  const kernel::SoftmaxQueries queries{x, alpha, c, single};
  Block block;
  if (wanted == Wanted::responsibilities) {
    block.responsibilities = kernel::responsibilities(*centred_, queries);
    return block;
  }
  const bool gradients = x.requires_grad() || c.requires_grad() || alpha.requires_grad();
  const kernel::MixtureSoftmax softmax =
      gradients || !softmax_ ? kernel::mixture_softmax_plain(*centred_, queries) : (*softmax_)(queries);
  if (!gradients && x.is_cpu()) return fused_block(x, alpha, sigma, c, softmax);
  const Tensor nearest = centred_->offsets.index_select(0, softmax.anchor);
  const Tensor centred = x - alpha * centred_->centre;
  const Tensor residual = centred - alpha * nearest;
  const Tensor quadratic = residual.square().sum(1, true) / c;
  block.log_density =
      softmax.log_total + log_weights_.index_select(0, softmax.anchor) -
      0.5 * (quadratic + static_cast<double>(dimension()) * (c.log() + log_two_pi)).squeeze(1);
  block.negative_score = (residual - alpha * softmax.offset) / c;
  // m + alpha v / c (x - alpha m), with the terms in E[m_k | x] collected: no cancellation at either end.
  block.denoised = centred_->centre + (sigma * sigma / c) * (nearest + softmax.offset) +
                   (alpha * variances_ / c) * centred;
  return block;
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

/// What components [begin, end) say, component first: residuals (k, n, d) along each component's own axes.
kernel::ComponentMoments GaussianMixture::moments_of(const Tensor& x, const Tensor& alpha,
                                                     const Tensor& sigma, int64_t begin, int64_t end) const {
  const Terms terms = component_terms(x, alpha, sigma, begin, end);
  Tensor total = terms.logits.logsumexp(0, true);
  // Squares overflow.
  total = total.masked_fill(total == -std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN());
  const Tensor responsibility = (terms.logits - total).exp();
  const Tensor scaled = responsibility.unsqueeze(2) * terms.scaled;
  const auto back = [&](const Tensor& y) {
    return (axes_.defined() ? y.matmul(axes_.slice(0, begin, end).transpose(1, 2)) : y).sum(0);
  };
  return {total.squeeze(0), back(scaled), back(scaled * variances_.slice(0, begin, end).unsqueeze(1)),
          responsibility.t().matmul(means_.slice(0, begin, end))};
}

/// Any covariances. Components are taken in blocks too, so that many of them in high dimension fit.
GaussianMixture::Block GaussianMixture::general_block(const Tensor& x, const Tensor& alpha,
                                                      const Tensor& sigma, Wanted wanted) const {
  const int64_t step = std::max<int64_t>(1, block_elements / std::max<int64_t>(1, x.size(0) * dimension()));
  if (wanted == Wanted::responsibilities) {
    std::vector<Tensor> logits;
    for (int64_t k = 0; k < components(); k += step)
      logits.push_back(component_terms(x, alpha, sigma, k, k + step).logits);
    Block block;
    block.responsibilities = joined(logits).t().softmax(1);
    return block;
  }
  kernel::ComponentMoments moments;
  for (int64_t k = 0; k < components(); k += step) {
    const kernel::ComponentMoments part = moments_of(x, alpha, sigma, k, k + step);
    moments = k == 0 ? part : kernel::joined(moments, part);
  }
  return block_of(moments, alpha);
}

/// The formulas of the posterior, of sums over components.
GaussianMixture::Block GaussianMixture::block_of(const kernel::ComponentMoments& moments,
                                                 const Tensor& alpha) const {
  return {moments.mean + alpha * moments.explained,
          moments.weighted_residual,
          moments.log_total - 0.5 * log_two_pi * static_cast<double>(dimension()),
          {}};
}

/// Whether components with covariances of their own are summed by the kernel: one noise level for all rows,
/// and so few dimensions that eigenvectors in columns pay.
bool GaussianMixture::streams(const Tensor& x, const Tensor& alpha, const Tensor& sigma,
                              Wanted wanted) const {
  const int64_t most = axes_.defined() ? 8 : kernel::SoftmaxComponents::low_dimension;
  const bool gradients = x.requires_grad() || alpha.requires_grad() || sigma.requires_grad();
  return !shared() && wanted == Wanted::moments && !gradients && x.is_cpu() && alpha.size(0) == 1 &&
         sigma.size(0) == 1 && dimension() <= most;
}

/// As many components at once as some ten numbers for each of their parameters fit in 100 MB.
GaussianMixture::Block GaussianMixture::component_block(const Tensor& x, const Tensor& alpha,
                                                        const Tensor& sigma) const {
  const int64_t parameters = dimension() * (axes_.defined() ? dimension() + 8 : 8);
  const int64_t step = std::max<int64_t>(1, 4 * block_elements / parameters);
  kernel::ComponentMoments moments;
  for (int64_t k = 0; k < components(); k += step) {
    const auto part = [&](const Tensor& t) { return t.defined() ? t.slice(0, k, k + step) : t; };
    const Tensor means = part(means_), variances = part(variances_);
    const Tensor c = (alpha * alpha) * variances + sigma * sigma;
    const double repeats = static_cast<double>(dimension()) / static_cast<double>(c.size(1));
    const kernel::ComponentCovariances mixture{alpha * means, c.reciprocal().expand_as(means),
                                               part(log_weights_) - 0.5 * repeats * c.log().sum(1),
                                               part(axes_)};
    const kernel::ComponentMoments found =
        kernel::component_moments(mixture, (variances / c).expand_as(means), means, x);
    moments = k == 0 ? found : kernel::joined(moments, found);
  }
  return block_of(moments, alpha);
}

int64_t GaussianMixture::rows_per_block(Wanted wanted, bool gradients) const {
  if (shared() && !gradients)  // the softmax has blocks of its own
    return std::max<int64_t>(1, block_elements / (wanted == Wanted::moments ? dimension() : components()));
  const int64_t width = shared() ? std::max(components(), dimension()) : components() * dimension();
  const int64_t most = std::max<int64_t>(1, block_elements / width);
  if (gradients) return 4 * most;  // everything is kept anyway
  // Each block reads all means once: in high dimension it takes some rows to pay for that.
  return std::min(most, std::max(cached_elements / width, std::min<int64_t>(64, dimension() / 2)));
}

GaussianMixture::Block GaussianMixture::evaluate(const Tensor& x, const Tensor& alpha, const Tensor& sigma,
                                                 Wanted wanted, bool single) const {
  check(x.device() == means_.device(),
        "GaussianMixture: expected x on {} but received x on {}; see to(device)", means_.device().str(),
        x.device().str());
  const Tensor least = (alpha * alpha * smallest_variance_ + sigma * sigma).detach();
  if (!(at::isfinite(least) & (sigma.detach() >= 0)).all().item<bool>())
    fail(ErrorKind::argument, "GaussianMixture: expected finite alpha and sigma >= 0 but received {} and {}",
         alpha.min().item<double>(), sigma.min().item<double>());
  check((least > 0).all().item<bool>(),
        "GaussianMixture: without noise (sigma = 0) this mixture has no density, because a covariance is "
        "singular");
  std::vector<Tensor> parts[4];
  const bool gradients = x.requires_grad() || alpha.requires_grad() || sigma.requires_grad();
  const bool streamed = streams(x, alpha, sigma, wanted);
  const int64_t rows =
      streamed ? std::max<int64_t>(1, block_elements / dimension()) : rows_per_block(wanted, gradients);
  for (int64_t begin = 0; begin == 0 || begin < x.size(0); begin += rows) {
    const int64_t end = std::min(begin + rows, x.size(0));
    const Tensor a = rows_of(alpha, begin, end), s = rows_of(sigma, begin, end), y = x.slice(0, begin, end);
    const Block block = shared()   ? shared_block(y, a, s, wanted, single)
                        : streamed ? component_block(y, a, s)
                                   : general_block(y, a, s, wanted);
    parts[0].push_back(block.denoised);
    parts[1].push_back(block.negative_score);
    parts[2].push_back(block.log_density);
    parts[3].push_back(block.responsibilities);
  }
  if (wanted == Wanted::responsibilities) return {{}, {}, {}, joined(parts[3])};
  return {joined(parts[0]), joined(parts[1]), joined(parts[2]), {}};
}

GaussianMixture::Posterior GaussianMixture::posterior(const Tensor& x, double alpha, double sigma) const try {
  const Tensor points = rows(x);
  const Block block =
      evaluate(points, column(alpha, x), column(sigma, x), Wanted::moments, x.scalar_type() != at::kDouble);
  const auto type = x.scalar_type();
  return {block.denoised.reshape(x.sizes()).to(type),
          (block.negative_score * sigma).reshape(x.sizes()).to(type), block.log_density.to(type)};
} catch (...) {
  detail::throw_as_error();
}

GaussianMixture::Posterior GaussianMixture::posterior(const Tensor& x, const Tensor& alpha,
                                                      const Tensor& sigma) const try {
  const Tensor points = rows(x), a = column(alpha, x, "alpha"), s = column(sigma, x, "sigma");
  const Block block = evaluate(points, a, s, Wanted::moments, x.scalar_type() != at::kDouble);
  const auto type = x.scalar_type();
  return {block.denoised.reshape(x.sizes()).to(type), (block.negative_score * s).reshape(x.sizes()).to(type),
          block.log_density.to(type)};
} catch (...) {
  detail::throw_as_error();
}

Tensor GaussianMixture::log_density(const Tensor& x) const try {
  return evaluate(rows(x), column(1, x), column(0, x), Wanted::moments, x.scalar_type() != at::kDouble)
      .log_density.to(x.scalar_type());
} catch (...) {
  detail::throw_as_error();
}

Tensor GaussianMixture::score(const Tensor& x) const try {
  const Tensor negative_score =
      evaluate(rows(x), column(1, x), column(0, x), Wanted::moments, x.scalar_type() != at::kDouble)
          .negative_score;
  return negative_score.neg().reshape(x.sizes()).to(x.scalar_type());
} catch (...) {
  detail::throw_as_error();
}

Tensor GaussianMixture::responsibilities(const Tensor& x) const try {
  return evaluate(rows(x), column(1, x), column(0, x), Wanted::responsibilities, false)
      .responsibilities.to(x.scalar_type());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
