// The softmax of a mixture in tensor operations.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fokker/kernel/mixture/mixture_softmax.h"

namespace fokker::kernel {
namespace {

constexpr int64_t block_elements = int64_t{1} << 21;
// 2 MB: stays in cache from one operation to the next.
constexpr int64_t cached_elements = int64_t{1} << 18;

/// Replaces the logits (relative to the anchor component j) that matter and that the matrix product may have
/// spoilt by the difference form alpha (m_k - m_j).(x - alpha (m_k + m_j) / 2) / c + log w_k / w_j, whose
/// second factor is the place of x between the two: no large number cancels in it.
Tensor refined(const CentredMeans& components, const SoftmaxQueries& queries, const Tensor& relative,
               const Tensor& anchor, const Tensor& bound) {
  constexpr double tolerance = 1e-11;
  constexpr double negligible = 50;  // exp(-50) = 2e-22
  if (components.means.size(0) == 1 || !(bound > tolerance).any().item<bool>()) return relative;
  const Tensor candidates =
      ((bound > tolerance) & (relative.detach() > -(negligible + 4 * bound))).nonzero();  // (pairs, 2)
  if (candidates.size(0) == 0) return relative;
  std::vector<Tensor> values;
  const int64_t step = std::max<int64_t>(1, block_elements / components.means.size(1));
  const Tensor alphas = queries.alpha.expand({relative.size(0), 1}),
               variances = queries.variance.expand({relative.size(0), 1});
  for (int64_t begin = 0; begin < candidates.size(0); begin += step) {
    const Tensor row = candidates.slice(0, begin, begin + step).select(1, 0);
    const Tensor component = candidates.slice(0, begin, begin + step).select(1, 1);
    const Tensor from = anchor.index_select(0, row);
    const Tensor mine = components.means.index_select(0, component),
                 theirs = components.means.index_select(0, from);
    const Tensor a = alphas.index_select(0, row);
    const Tensor place = queries.x.index_select(0, row) - a * (0.5 * (mine + theirs));
    const Tensor products = ((mine - theirs) * place).sum(1);
    values.push_back(
        products * (a / variances.index_select(0, row)).squeeze(1) +
        (components.log_weights.index_select(0, component) - components.log_weights.index_select(0, from)));
  }
  return relative.index_put({candidates.select(1, 0), candidates.select(1, 1)}, at::cat(values, 0));
}

SoftmaxQueries rows_of(const SoftmaxQueries& queries, int64_t begin, int64_t end) {
  const auto part = [&](const Tensor& column) {
    return column.size(0) == 1 ? column : column.slice(0, begin, end);
  };
  return {queries.x.slice(0, begin, end), part(queries.alpha), part(queries.variance), queries.single};
}

}  // namespace

CentredMeans::CentredMeans(const Tensor& all_means, const Tensor& logarithms)
    : means(all_means), log_weights(logarithms) {
  // Centring costs a second copy of the means, so it is done only where it gains accuracy.
  const Tensor middle = means.mean(0);
  const double spread = means.size(0) > 1 ? means.std(0, false).norm().item<double>() : 0;
  const bool far = middle.norm().item<double>() > 8 * spread;
  centre = far ? middle : at::zeros_like(middle);
  offsets = far ? means - middle : means;
  half_norms = at::empty({means.size(0)}, means.options());
  const int64_t block = std::max<int64_t>(1, (int64_t{1} << 22) / means.size(1));
  for (int64_t begin = 0; begin < means.size(0); begin += block)
    half_norms.slice(0, begin, begin + block)
        .copy_(offsets.slice(0, begin, begin + block).square().sum(1).mul_(0.5));
  largest_norm = std::sqrt(2 * half_norms.max().item<double>());
}

CentredMeans CentredMeans::to(at::Device device) const {
  CentredMeans result = *this;
  for (Tensor* tensor :
       {&result.means, &result.log_weights, &result.centre, &result.offsets, &result.half_norms})
    if (tensor->defined()) *tensor = tensor->to(device);
  return result;
}

/// With x centred, component k's logit is (alpha x.m_k - alpha^2 |m_k|^2 / 2) / c up to a constant: one
/// matrix product. Its rounding error grows as 1 / c; where it would show, `refined` repairs it.
RelativeLogits relative_logits(const CentredMeans& components, const SoftmaxQueries& queries) {
  const Tensor &alpha = queries.alpha, &variance = queries.variance;
  const Tensor centred = queries.x - alpha * components.centre;
  const Tensor bias = components.log_weights - components.half_norms * (alpha * alpha / variance);
  Tensor relative = at::addmm(bias, centred * (alpha / variance), components.offsets.t());
  const Tensor anchor = relative.detach().argmax(1);
  const Tensor top = relative.gather(1, anchor.unsqueeze(1));
  // In place where no gradient is recorded: these tensors are the whole cost.
  relative = relative.requires_grad() ? relative - top : relative.sub_(top);
  const double root = std::sqrt(static_cast<double>(centred.size(1)));
  const double products = std::numeric_limits<double>::epsilon() * (4 + root);
  const double norm = components.largest_norm;
  const Tensor bound = (products * norm * alpha.abs() / variance).detach() *
                       (centred.detach().norm(2, {1}, true) + norm * alpha.detach().abs());
  return {refined(components, queries, relative, anchor, bound), anchor};
}

namespace {

MixtureSoftmax softmax_block(const CentredMeans& components, const SoftmaxQueries& queries) {
  const auto [relative, anchor] = relative_logits(components, queries);
  const Tensor shift = relative.amax(1, true);
  const Tensor weights = relative.requires_grad() ? (relative - shift).exp() : relative.sub(shift).exp_();
  const Tensor total = weights.sum(1, true);
  return {anchor, (total.log() + shift).squeeze(1),
          weights.matmul(components.offsets) / total - components.offsets.index_select(0, anchor)};
}

bool records_gradient(const CentredMeans& components, const SoftmaxQueries& queries) {
  if (!at::GradMode::is_enabled()) return false;
  const auto wanted = {&queries.x, &queries.alpha, &queries.variance, &components.means,
                       &components.log_weights};
  return std::any_of(wanted.begin(), wanted.end(), [](const Tensor* t) { return t->requires_grad(); });
}

}  // namespace

MixtureSoftmax mixture_softmax_plain(const CentredMeans& components, const SoftmaxQueries& queries) {
  const int64_t n = queries.x.size(0), k = components.means.size(0), d = components.means.size(1);
  // Each block reads all means once: in high dimension it takes some rows to pay for that.
  const int64_t most = std::max<int64_t>(1, block_elements / std::max(k, d));
  const int64_t rows =
      std::max<int64_t>(1, std::min(most, std::max(cached_elements / k, std::min<int64_t>(64, d / 2))));
  const int64_t blocks = std::max<int64_t>(1, (n + rows - 1) / rows);
  std::vector<Tensor> anchors(blocks), totals(blocks), offsets(blocks);
  const auto run_block = [&](int64_t b) {
    const auto part = softmax_block(components, rows_of(queries, b * rows, std::min((b + 1) * rows, n)));
    anchors[b] = part.anchor;
    totals[b] = part.log_total;
    offsets[b] = part.offset;
  };
  if (records_gradient(components, queries) || !queries.x.is_cpu()) {
    for (int64_t b = 0; b < blocks; ++b) run_block(b);
  } else {
    // Eighteen temporaries of (rows, k) are alive in a block: as many blocks at once as 150 MB hold.
    const int64_t together = std::max<int64_t>(1, block_elements / 2 / (rows * k));
    at::parallel_for(0, blocks, (blocks + together - 1) / together, [&](int64_t first, int64_t last) {
      const GradientMode off(false);
      for (int64_t b = first; b < last; ++b) run_block(b);
    });
  }
  return {at::cat(anchors, 0), at::cat(totals, 0), at::cat(offsets, 0)};
}

}  // namespace fokker::kernel
