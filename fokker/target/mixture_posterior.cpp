#include "fokker/target/mixture_posterior.h"

#include <limits>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/constants.h"

namespace fokker {
namespace {

/// What y says through A B = U diag(s) V^T of one covariance B B^T.
struct Channel {
  Tensor left;    ///< U, (m, m)
  Tensor right;   ///< V^T of the s, (q, d)
  Tensor values;  ///< s, (q), q = min(m, d)
  int64_t rank;   ///< s that are not 0
};

Channel channel_of(const Tensor& product, double scale) {
  const auto [u, s, v] = at::linalg_svd(product, /*full_matrices=*/true);
  const double floor = std::numeric_limits<double>::epsilon() * scale *
                       static_cast<double>(std::max(product.size(0), product.size(1)));
  const Tensor kept = at::where(s > floor, s, at::zeros_like(s));
  return {u, v.narrow(0, 0, s.size(0)), kept, (kept > 0).sum().item<int64_t>()};
}

/// What residuals r (n, m) weigh: log N(r; 0, A S_k A^T + S^2 I), and whether they are possible at all.
struct Evidence {
  Tensor log_density;  ///< (n); with S = 0 in the range of A B
  Tensor possible;     ///< (n) bool
};

Evidence evidence_of(const Channel& channel, const Tensor& r, double noise, double size) {
  const Tensor along = r.matmul(channel.left), s2 = channel.values.square();
  const int64_t m = r.size(1), q = s2.size(0);
  const Tensor variance = at::cat({s2, at::zeros({m - q}, at::kDouble)}) + noise * noise;
  const Tensor free = variance > 0;
  const Tensor safe = at::where(free, variance, at::ones_like(variance));
  const Tensor square = at::where(free, along.square() / safe, at::zeros_like(along));
  const Tensor outside = at::where(free, at::zeros_like(along), along).norm(2, 1);
  const auto dimensions = static_cast<double>(free.sum().item<int64_t>());
  return {-0.5 * (square.sum(1) + safe.log().sum() + dimensions * log_two_pi), outside <= 1e-9 * size};
}

struct LinearData {
  Tensor matrix, y;
  double noise;
  double size;  ///< of y and of what the mixture gives, for rounding
};

LinearData observation_of(const GaussianMixture& prior, const Tensor& matrix, const Tensor& y, double noise) {
  check(matrix.dim() == 2 && matrix.size(0) > 0 && matrix.size(1) == prior.dimension(),
        "posterior: expected a matrix of shape (m, {}) but received {}", prior.dimension(),
        shape_string(matrix));
  check(y.dim() == 1 && y.size(0) == matrix.size(0), "posterior: expected y of shape ({}) but received {}",
        matrix.size(0), shape_string(y));
  check(std::isfinite(noise) && noise >= 0, "posterior: expected noise >= 0 but received {}", noise);
  const Tensor a = matrix.detach().to(at::kCPU, at::kDouble), values = y.detach().to(at::kCPU, at::kDouble);
  check(a.isfinite().all().item<bool>() && values.isfinite().all().item<bool>(),
        "posterior: expected finite numbers in the matrix and in y");
  const double reach = a.abs().sum(1).max().item<double>() * prior.means().abs().max().item<double>();
  return {a, values, noise, std::max(values.norm().item<double>(), reach)};
}

/// A square root B of the covariance of one component.
Tensor root_of(const Tensor& covariance) {
  if (at::equal(covariance, covariance.diagonal().diag())) return covariance.diagonal().sqrt().diag();
  const auto [values, vectors] = at::linalg_eigh(covariance, "L");
  const Tensor floor =
      values.max() * (std::numeric_limits<double>::epsilon() * static_cast<double>(values.size(0)));
  return vectors * at::where(values > floor, values, at::zeros_like(values)).sqrt();
}

/// (d) means of w given residuals r (n, m), and a root of w's covariance (d, d).
Tensor latent_means(const Channel& channel, const Tensor& r, double noise) {
  const Tensor& s = channel.values;
  const Tensor total = s.square() + noise * noise;
  const Tensor gain =
      at::where(total > 0, s / at::where(total > 0, total, at::ones_like(total)), at::zeros_like(s));
  return (r.matmul(channel.left.narrow(1, 0, s.size(0))) * gain).matmul(channel.right);
}

/// B (I - V s^2/(s^2 + S^2) V^T) B^T = B (V diag(S/sqrt(s^2 + S^2)) V^T + I - V V^T)^2 B^T.
Tensor conditional_covariance(const Tensor& root, const Channel& channel, double noise) {
  const Tensor& s = channel.values;
  const Tensor total = (s.square() + noise * noise).sqrt();
  const Tensor shrink =
      at::where(total > 0, noise / at::where(total > 0, total, at::ones_like(total)), at::ones_like(s));
  const Tensor along = root.matmul(channel.right.t());  // B V
  const Tensor rest = root - along.matmul(channel.right);
  const Tensor kept = along * shrink;
  return kept.matmul(kept.t()) + rest.matmul(rest.t());
}

/// One component, or many that share a covariance, given y.
struct Conditioned {
  Tensor log_weights, possible, means;
  Tensor covariance;  ///< (d, d), or undefined where it is 0
  int64_t rank = 0;
};

Conditioned condition(const LinearData& seen, const Tensor& means, const Tensor& root) {
  const Tensor r = seen.y - means.matmul(seen.matrix.t());
  if (!root.defined()) {
    const Channel channel{at::eye(seen.y.size(0), at::kDouble), {}, at::zeros({0}, at::kDouble), 0};
    const Evidence evidence = evidence_of(channel, r, seen.noise, seen.size);
    return {evidence.log_density, evidence.possible, means, {}, 0};
  }
  const Tensor product = seen.matrix.matmul(root);
  const Channel channel =
      channel_of(product, seen.matrix.norm().item<double>() * root.abs().max().item<double>());
  const Evidence evidence = evidence_of(channel, r, seen.noise, seen.size);
  return {evidence.log_density, evidence.possible,
          means + latent_means(channel, r, seen.noise).matmul(root.t()),
          conditional_covariance(root, channel, seen.noise), channel.rank};
}

/// Every component: a single Conditioned where they share a covariance, else one each.
std::vector<Conditioned> condition_all(const GaussianMixture& prior, const LinearData& seen) {
  const GaussianMixture here = prior.to(at::kCPU);
  if (here.is_discrete()) return {condition(seen, here.means(), {})};
  if (here.shares_covariance()) return {condition(seen, here.means(), root_of(here.component_covariance(0)))};
  std::vector<Conditioned> all;
  for (int64_t k = 0; k < here.components(); ++k)
    all.push_back(condition(seen, here.means().narrow(0, k, 1), root_of(here.component_covariance(k))));
  return all;
}

/// log(w_k) + log evidence of each component; -inf for those that y excludes.
Tensor log_weights_of(const GaussianMixture& prior, const std::vector<Conditioned>& parts, double noise) {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const Conditioned& part : parts)
    if (part.possible.any().item<bool>()) least = std::min(least, part.rank);
  std::vector<Tensor> all;
  for (const Conditioned& part : parts) {
    const Tensor never = at::full_like(part.log_weights, -std::numeric_limits<double>::infinity());
    const bool in = noise > 0 || part.rank == least;
    all.push_back(in ? at::where(part.possible, part.log_weights, never) : never);
  }
  return prior.weights().to(at::kCPU).log() + at::cat(all);
}

}  // namespace

GaussianMixture posterior(const GaussianMixture& prior, const Tensor& matrix, const Tensor& y,
                          double noise) try {
  const GradientMode off(false);
  const LinearData seen = observation_of(prior, matrix, y, noise);
  const std::vector<Conditioned> parts = condition_all(prior, seen);
  const Tensor log_weights = log_weights_of(prior, parts, noise);
  const double largest = log_weights.max().item<double>();
  check(std::isfinite(largest),
        "posterior: without noise no component of the mixture can give this y: A x of each has fewer free "
        "directions than y; expected noise > 0");
  const Tensor kept = (log_weights > largest - 690).nonzero().squeeze(1);
  const Tensor weights = (log_weights - largest).index_select(0, kept).exp();
  std::vector<Tensor> means, covariances;
  for (const Conditioned& part : parts) {
    means.push_back(part.means);
    covariances.push_back(part.covariance);
  }
  const Tensor mean = at::cat(means).index_select(0, kept);
  if (!covariances[0].defined()) return {weights, mean, at::zeros({}, at::kDouble)};
  const Tensor covariance = parts.size() == 1
                                ? covariances[0].unsqueeze(0).expand({kept.size(0), -1, -1}).contiguous()
                                : at::stack(covariances).index_select(0, kept);
  return {weights, mean, 0.5 * (covariance + covariance.transpose(1, 2))};
} catch (...) {
  detail::throw_as_error();
}

double log_evidence(const GaussianMixture& prior, const Tensor& matrix, const Tensor& y, double noise) try {
  const GradientMode off(false);
  const LinearData seen = observation_of(prior, matrix, y, noise);
  check(noise > 0, "log_evidence: expected noise > 0 but received {}", noise);
  return log_weights_of(prior, condition_all(prior, seen), noise).logsumexp(0).item<double>();
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
