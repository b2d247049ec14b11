// The softmax of a mixture in tensor operations.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fokker/kernel/mixture/mixture_softmax.h"

namespace fokker::kernel {
namespace {

// What the blocks that run at once may take together, in bytes.
constexpr int64_t working_bytes = 200'000'000;

/// How many numbers a temporary of a block has: half a megabyte stays in cache from one operation to the
/// next; a device, and a graph of gradients, want fewer and larger ones.
int64_t block_elements(const Tensor& x) {
  return x.is_cpu() && !at::GradMode::is_enabled() ? int64_t{1} << 16 : int64_t{1} << 20;
}

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
  const int64_t step = std::max<int64_t>(1, block_elements(relative) / components.means.size(1));
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

/// Logits (n, k) relative to each row's anchor component (n).
struct RelativeLogits {
  Tensor relative, anchor;
};

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

/// log p(x, to) / p(x, from) of two components for each row, as `refined` has it; infinite where one has no
/// weight.
Tensor logits_between(const CentredMeans& components, const SoftmaxQueries& queries, const Tensor& from,
                      const Tensor& to) {
  const Tensor mine = components.means.index_select(0, to), theirs = components.means.index_select(0, from);
  const Tensor place = queries.x - queries.alpha * (0.5 * (mine + theirs));
  const Tensor weight = components.log_weights.index_select(0, to),
               against = components.log_weights.index_select(0, from);
  const Tensor slope = (queries.alpha / queries.variance).squeeze(1);
  const Tensor value = slope * ((mine - theirs) * place).sum(1) + (weight - against);
  const double infinity = std::numeric_limits<double>::infinity();
  return value.masked_fill(against == -infinity, infinity).masked_fill(weight == -infinity, -infinity);
}

/// Rows of queries and components that are worked through at a time.
struct BlockShape {
  /// Each block reads its means once: in high dimension it takes some rows to pay for that.
  BlockShape(const CentredMeans& components, const SoftmaxQueries& queries)
      : elements(block_elements(queries.x)), d(components.means.size(1)) {
    const int64_t n = queries.x.size(0), k = components.means.size(0);
    const int64_t wanted = std::max(elements / k, std::min<int64_t>(64, d / 2));
    rows = std::max<int64_t>(1, std::min({n, 4 * elements / d, wanted}));
    range = std::clamp<int64_t>(elements / rows, 1, k);
  }

  /// How many blocks may run at once, by the temporaries of each that are alive together: of logits, of rows,
  /// and of what `refined` looks at.
  int64_t together() const {
    const int64_t numbers = 12 * rows * range + 8 * (rows * d + std::max(elements, d));
    return std::max<int64_t>(1, working_bytes / (8 * numbers));
  }

  int64_t elements, d, rows = 1, range = 1;
};

/// Runs `work(begin, end)` for all rows, block by block, several at once on the CPU.
template <typename Work>
void for_row_blocks(const BlockShape& shape, const Tensor& x, const Work& work) {
  const int64_t n = x.size(0), blocks = (n + shape.rows - 1) / shape.rows;
  const int64_t together = x.is_cpu() ? shape.together() : 1;
  const auto run = [&](int64_t first, int64_t last) {
    const GradientMode off(false);
    for (int64_t b = first; b < last; ++b) work(b * shape.rows, std::min((b + 1) * shape.rows, n));
  };
  if (together == 1)
    run(0, blocks);
  else
    at::parallel_for(0, blocks, (blocks + together - 1) / together, run);
}

/// All components for a few rows, range by range.
MixtureSoftmax softmax_by_ranges(const CentredMeans& components, const SoftmaxQueries& queries,
                                 int64_t range) {
  const int64_t k = components.means.size(0);
  if (range >= k) return softmax_block(components, queries);
  MixtureSoftmax result;
  for (int64_t begin = 0; begin < k; begin += range) {
    MixtureSoftmax part = softmax_block(components.slice(begin, begin + range), queries);
    part.anchor.add_(begin);
    result = begin == 0 ? part : joined(components, queries, result, part);
  }
  return result;
}

/// Logits range by range, each relative to its own anchor, then to the best of these; their softmax in place.
void responsibilities_by_ranges(const CentredMeans& components, const SoftmaxQueries& queries, int64_t range,
                                const Tensor& result) {
  const int64_t k = components.means.size(0);
  std::vector<Tensor> anchors;
  Tensor best;
  for (int64_t begin = 0; begin < k; begin += range) {
    const RelativeLogits part = relative_logits(components.slice(begin, begin + range), queries);
    result.slice(1, begin, begin + range).copy_(part.relative);
    anchors.push_back(part.anchor + begin);
    const Tensor& here = anchors.back();
    best = begin == 0 ? here : at::where(logits_between(components, queries, best, here) > 0, here, best);
  }
  for (size_t i = 0; i < anchors.size() && range < k; ++i) {
    const int64_t begin = static_cast<int64_t>(i) * range;
    const Tensor shift = logits_between(components, queries, best, anchors[i]);
    Tensor part = result.slice(1, begin, begin + range);
    part.add_(shift.unsqueeze(1));
    part.masked_fill_((shift == -std::numeric_limits<double>::infinity()).unsqueeze(1),
                      -std::numeric_limits<double>::infinity());
  }
  for (int64_t i = 0; i < result.size(0); ++i) {
    Tensor row = result.select(0, i);
    row.sub_(row.max()).exp_();
    row.div_(row.sum());
  }
}

/// With the graph of gradients, which keeps all blocks.
MixtureSoftmax recorded_softmax(const CentredMeans& components, const SoftmaxQueries& queries) {
  const int64_t n = queries.x.size(0);
  const int64_t rows = std::max<int64_t>(
      1, 2 * block_elements(queries.x) / std::max(components.means.size(0), components.means.size(1)));
  std::vector<Tensor> anchors, totals, offsets;
  for (int64_t begin = 0; begin == 0 || begin < n; begin += rows) {
    const auto part = softmax_block(components, rows_of(queries, begin, std::min(begin + rows, n)));
    anchors.push_back(part.anchor);
    totals.push_back(part.log_total);
    offsets.push_back(part.offset);
  }
  return {at::cat(anchors, 0), at::cat(totals, 0), at::cat(offsets, 0)};
}

}  // namespace

// With q the odds of the second part, log p(second) / p(first).
MixtureSoftmax joined(const CentredMeans& components, const SoftmaxQueries& queries,
                      const MixtureSoftmax& first, const MixtureSoftmax& second) {
  const Tensor between = logits_between(components, queries, first.anchor, second.anchor);
  const Tensor sums = between + (second.log_total - first.log_total);
  const Tensor odds = at::where(between.isinf(), between, sums);
  const Tensor zero = at::zeros_like(odds), better = between > 0;
  const Tensor q = odds.sigmoid().unsqueeze(1), p = odds.neg().sigmoid().unsqueeze(1);
  const Tensor gap =
      components.means.index_select(0, first.anchor) - components.means.index_select(0, second.anchor);
  const Tensor moved = at::where(better.unsqueeze(1), p, -q) * gap;
  // A part without any weight has no offset.
  const auto share = [](const Tensor& weight, const Tensor& offset) {
    return (weight * offset).masked_fill_(weight == 0, 0);
  };
  return {at::where(better, second.anchor, first.anchor),
          at::where(better, second.log_total + at::logaddexp(zero, -odds),
                    first.log_total + at::logaddexp(zero, odds)),
          share(p, first.offset) + share(q, second.offset) + moved};
}

Tensor responsibilities(const CentredMeans& components, const SoftmaxQueries& queries) {
  if (records_gradient(components, queries)) return relative_logits(components, queries).relative.softmax(1);
  const GradientMode off(false);
  const Tensor result = at::empty({queries.x.size(0), components.means.size(0)}, queries.x.options());
  const BlockShape shape(components, queries);
  for_row_blocks(shape, queries.x, [&](int64_t begin, int64_t end) {
    responsibilities_by_ranges(components, rows_of(queries, begin, end), shape.range,
                               result.slice(0, begin, end));
  });
  return result;
}

MixtureSoftmax mixture_softmax_plain(const CentredMeans& components, const SoftmaxQueries& queries) {
  if (records_gradient(components, queries)) return recorded_softmax(components, queries);
  const GradientMode off(false);
  const int64_t n = queries.x.size(0);
  MixtureSoftmax result{at::empty({n}, queries.x.options().dtype(at::kLong)),
                        at::empty({n}, queries.x.options()), at::empty_like(queries.x)};
  const BlockShape shape(components, queries);
  for_row_blocks(shape, queries.x, [&](int64_t begin, int64_t end) {
    const auto part = softmax_by_ranges(components, rows_of(queries, begin, end), shape.range);
    result.anchor.slice(0, begin, end).copy_(part.anchor);
    result.log_total.slice(0, begin, end).copy_(part.log_total);
    result.offset.slice(0, begin, end).copy_(part.offset);
  });
  return result;
}

}  // namespace fokker::kernel
