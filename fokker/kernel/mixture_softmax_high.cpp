// The softmax in high dimension: a float32 matrix product finds the components that can matter.
#include <ATen/Parallel.h>

#include "fokker/kernel/mixture_softmax_prepared.h"
#include "fokker/kernel/mixture_softmax_rows.h"

namespace fokker {
namespace {

// Of a float32 logit's rounding error as it is, without the factor by which its bound is safe.
constexpr double single_tolerance = 1e-5;

/// What a row of float32 logits says about its query: answered, by all components in float32, by the plain
/// softmax.
enum class Verdict { done, dense, plain };

struct Query {
  const double *x, *means, *log_weights;
  double alpha, slope;
  int64_t dimension;

  double logit(int64_t component, int64_t anchor) const {
    const double product =
        relative_product(x, means + component * dimension, means + anchor * dimension, alpha, dimension);
    return slope * product + (log_weights[component] - log_weights[anchor]);
  }
};

/// Sums the candidates in float64, relative to the best of them; answers the logarithm of the total.
double sum_candidates(const Query& row, const int64_t* candidates, int64_t count, int64_t& anchor,
                      double* offset, std::vector<double>& logits) {
  logits.resize(count);
  for (int repeat = 0; repeat < 8; ++repeat) {
    for (int64_t i = 0; i < count; ++i) logits[i] = row.logit(candidates[i], anchor);
    const auto best = std::max_element(logits.begin(), logits.end());
    if (!(*best > 0)) break;
    anchor = candidates[best - logits.begin()];
  }
  double total = 0;
  std::fill_n(offset, row.dimension, 0.0);
  for (int64_t i = 0; i < count; ++i) {
    const double weight = std::exp(logits[i]);
    total += weight;
    if (candidates[i] != anchor)
      add_difference(weight, row.means + candidates[i] * row.dimension, row.means + anchor * row.dimension,
                     row.dimension, offset);
  }
  for (int64_t j = 0; j < row.dimension; ++j) offset[j] /= total;
  return std::log(total);
}

/// The rows that a plain softmax has to answer, put into the result.
void answer_plainly(const CentredMeans& components, const SoftmaxQueries& queries,
                    const std::vector<int64_t>& rows, MixtureSoftmax& result) {
  if (rows.empty()) return;
  const Tensor index = at::tensor(rows, at::kLong);
  const auto pick = [&](const Tensor& column) {
    return column.size(0) == 1 ? column : column.index_select(0, index);
  };
  const auto part = mixture_softmax_plain(
      components, {queries.x.index_select(0, index), pick(queries.alpha), pick(queries.variance)});
  result.anchor.index_copy_(0, index, part.anchor);
  result.log_total.index_copy_(0, index, part.log_total);
  result.offset.index_copy_(0, index, part.offset);
}

struct Screen {
  const float *log_weights, *half_norms;
  int64_t components, capacity;
  double largest_norm;  ///< of the components
  double safety;        ///< bound of a product's rounding error / the error to expect
  double cut;           ///< what is this far below the largest logit does not matter
  bool single;

  /// How far a float32 logit of a query of that norm may be off.
  double bound(const Query& query, double norm) const {
    const double unit = 0.5 * std::numeric_limits<float>::epsilon() * safety;
    return unit * std::abs(query.slope) * largest_norm * (norm + std::abs(query.alpha) * largest_norm);
  }
};

/// Turns a row of products into logits, which are off by at most `bound`, and answers from them what it can.
Verdict answer_row(const Query& query, const Screen& screen, double bound, float* logits,
                   MixtureSoftmax& result, int64_t at) {
  if (!all_finite(query.x, query.dimension)) {
    set_nan(result, at);
    return Verdict::done;
  }
  int64_t& anchor = result.anchor.data_ptr<int64_t>()[at];
  double& log_total = result.log_total.data_ptr<double>()[at];
  double* offset = result.offset.data_ptr<double>() + at * query.dimension;
  thread_local std::vector<int64_t> candidates;
  thread_local std::vector<double> exact;
  candidates.resize(screen.capacity);
  anchor = logits_in_place(logits, screen.log_weights, screen.half_norms, static_cast<float>(query.slope),
                           static_cast<float>(query.slope * query.alpha), screen.components);
  const auto threshold = static_cast<float>(logits[anchor] - screen.cut - 2 * bound);
  if (!std::isfinite(threshold)) return Verdict::plain;
  const int64_t found =
      indices_above(logits, threshold, screen.components, candidates.data(), screen.capacity);
  if (found <= screen.capacity) {
    log_total = sum_candidates(query, candidates.data(), found, anchor, offset, exact);
    return Verdict::done;
  }
  if (!screen.single || bound > screen.safety * single_tolerance) return Verdict::plain;
  log_total = std::log(exponentials_in_place(logits, logits[anchor], screen.components));
  return Verdict::dense;
}

/// E[m | x] - m_anchor of the rows of weights that the float32 product may answer.
void answer_densely(const Tensor& weights, const std::vector<int64_t>& rows, int64_t begin,
                    const Tensor& offsets, const Tensor& centre, const Tensor& means,
                    MixtureSoftmax& result) {
  if (rows.empty()) return;
  const Tensor inside = at::tensor(rows, at::kLong), index = inside + begin;
  const bool all = static_cast<int64_t>(rows.size()) == weights.size(0);
  const Tensor sum = (all ? weights : weights.index_select(0, inside)).mm(offsets).to(at::kDouble);
  const Tensor total = result.log_total.index_select(0, index).exp().unsqueeze(1);
  const Tensor nearest = means.index_select(0, result.anchor.index_select(0, index));
  result.offset.index_copy_(0, index, sum / total + (centre - nearest));
}

}  // namespace

void SoftmaxComponents::sum_high(const SoftmaxQueries& queries, MixtureSoftmax& result) const {
  const Prepared& ready = prepared();
  const int64_t n = queries.x.size(0), k = components_.means.size(0), d = components_.means.size(1);
  const int64_t rows = std::clamp<int64_t>((int64_t{1} << 20) / k, 16, 256);
  const Column alpha(queries.alpha), variance(queries.variance);
  const Tensor log_weights = components_.log_weights.contiguous(),
               products = at::empty({std::min(rows, n), k}, at::kFloat);
  // What is left out weighs together less than e^-36 (e^-20 in float32) of the largest.
  const Screen screen{ready.single_weights.data_ptr<float>(),
                      ready.half_norms.data_ptr<float>(),
                      k,
                      std::max<int64_t>(64, k / 8),
                      ready.largest_norm,
                      2 * (4 + std::sqrt(static_cast<double>(d))),
                      std::log(static_cast<double>(k)) + (queries.single ? 20 : 36),
                      queries.single};
  std::vector<int64_t> plain;
  std::vector<Verdict> verdicts(std::min(rows, n));
  for (int64_t begin = 0; begin < n; begin += rows) {
    const int64_t count = std::min(rows, n - begin);
    const auto part = [&](const Tensor& c) { return c.size(0) == 1 ? c : c.slice(0, begin, begin + count); };
    const Tensor centred = queries.x.slice(0, begin, begin + count) - part(queries.alpha) * ready.centre;
    const Tensor norms = centred.norm(2, {1});
    Tensor block = products.slice(0, 0, count);
    at::mm_out(block, centred.to(at::kFloat), ready.offsets.t());
    at::parallel_for(0, count, 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t at = begin + i;
        const Query query{queries.x.data_ptr<double>() + at * d,
                          components_.means.data_ptr<double>(),
                          log_weights.data_ptr<double>(),
                          alpha[at],
                          alpha[at] / variance[at],
                          d};
        verdicts[i] = answer_row(query, screen, screen.bound(query, norms.data_ptr<double>()[i]),
                                 block.data_ptr<float>() + i * k, result, at);
      }
    });
    std::vector<int64_t> dense;
    for (int64_t i = 0; i < count; ++i) {
      if (verdicts[i] == Verdict::dense) dense.push_back(i);
      if (verdicts[i] == Verdict::plain) plain.push_back(begin + i);
    }
    answer_densely(block, dense, begin, ready.offsets, ready.centre, components_.means, result);
  }
  answer_plainly(components_, queries, plain, result);
}

}  // namespace fokker
