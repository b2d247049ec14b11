// The softmax in high dimension: a float32 matrix product finds the components that can matter.
#include <ATen/Parallel.h>

#include <algorithm>
#include <functional>

#include "fokker/kernel/mixture/mixture_softmax_prepared.h"
#include "fokker/kernel/mixture/mixture_softmax_rows.h"
#include "fokker/kernel/vector/scratch.h"

namespace fokker::kernel {
namespace {

// Of a float32 logit's rounding error as it is, without the factor by which its bound is safe.
constexpr double single_tolerance = 1e-5;

/// What a row of float32 logits says about its query: summed, by all components in float32, by the plain
/// softmax.
enum class Verdict { done, dense, plain };

struct Query {
  const double *x, *means, *log_weights;
  double alpha, slope;
  int64_t dimension;
  double norm;          ///< of x less alpha times the centre
  bool single = false;  ///< a float32 product says which components can matter

  double logit(int64_t component, int64_t anchor) const {
    const double product =
        relative_product(x, means + component * dimension, means + anchor * dimension, alpha, dimension);
    return slope * product + (log_weights[component] - log_weights[anchor]);
  }
};

/// Sums the candidates in float64, relative to the best of them; returns the logarithm of the total.
double sum_candidates(const Query& row, const int64_t* candidates, int64_t count, int64_t& anchor,
                      double* offset, double* logits) {
  for (int repeat = 0; repeat < 8; ++repeat) {
    for (int64_t i = 0; i < count; ++i) logits[i] = row.logit(candidates[i], anchor);
    const double* best = std::max_element(logits, logits + count);
    if (!(*best > 0)) break;
    anchor = candidates[best - logits];
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

struct Screen {
  int64_t components, capacity;
  double largest_norm;  ///< of the components
  double safety;        ///< bound of a product's rounding error / the error to expect
  double cut;           ///< what is this far below the largest logit does not matter
  bool single;

  /// What float32 holds with room to spare: no number of the product overflows.
  bool fits(const Query& query) const {
    constexpr double most = 1e35;
    const double reach = std::max(query.norm, largest_norm), steep = std::abs(query.slope);
    const double far = std::max(reach * reach, 1.0) * std::max(std::abs(query.alpha), 1.0);
    return far < most && steep < most && steep * far < most;
  }
  /// How far a float32 logit of a query of that norm may be off.
  double bound(const Query& query) const {
    const double unit = 0.5 * std::numeric_limits<float>::epsilon() * safety;
    return unit * std::abs(query.slope) * largest_norm * (query.norm + std::abs(query.alpha) * largest_norm);
  }
  /// Below this a float32 logit does not matter beside `top`.
  float threshold(double top, double bound) const { return static_cast<float>(top - cut - 2 * bound); }
};

/// Sums what it can of a row of logits, which are off by at most `bound` or, where they do not matter,
/// -inf; `best` is near the largest.
Verdict softmax_of_row(const Query& query, const Screen& screen, double bound, int64_t best, float* logits,
                       MixtureSoftmax& result, int64_t at) {
  int64_t& anchor = result.anchor.data_ptr<int64_t>()[at];
  double& log_total = result.log_total.data_ptr<double>()[at];
  // Both of numbers of eight bytes.
  auto* candidates = scratch<int64_t>(Scratch::own, 2 * screen.capacity);
  auto* exact = reinterpret_cast<double*>(candidates + screen.capacity);
  anchor = best;
  for (const bool again : {false, true}) {
    if (again) {
      const int64_t largest = place_of_largest(logits, screen.components);
      if (!(logits[largest] > logits[anchor])) break;
      anchor = largest;
    }
    const float threshold = screen.threshold(logits[anchor], bound);
    if (!std::isfinite(threshold)) return Verdict::plain;
    if (count_above(logits, threshold, screen.components) > screen.capacity) continue;
    const int64_t found = indices_above(logits, threshold, screen.components, candidates, screen.capacity);
    log_total = sum_candidates(query, candidates, found, anchor,
                               result.offset.data_ptr<double>() + at * query.dimension, exact);
    return Verdict::done;
  }
  if (!screen.single || bound > screen.safety * single_tolerance) return Verdict::plain;
  log_total = std::log(exponentials_in_place(logits, logits[anchor], screen.components));
  return Verdict::dense;
}

/// A block of queries whose logits are in memory at once, and what is known of each of its rows.
struct Block {
  const ComponentPanels& components;
  const Screen& screen;
  std::vector<Query> queries;
  Tensor centred;  ///< (rows, d): x less alpha times the centre
  Tensor logits;   ///< (rows and more, padded components)
  std::vector<Verdict> verdicts;
  std::function<PackedMatrix()> offsets;

  void add(Query query) {
    query.single = screen.fits(query);
    queries.push_back(query);
  }
};

/// Queries packed for the product, a few tiles of them.
struct Group {
  Group(const Block& block, int64_t first, int64_t count)
      : rows((count + tile_rows - 1) / tile_rows * tile_rows),
        values(rows * block.centred.size(1)),
        slopes(rows),
        curvatures(rows),
        tail_norms(rows * block.components.panels().looks()) {
    for (int64_t i = 0; i < count; ++i) {
      const Query& query = block.queries[first + i];
      if (!query.single) continue;
      slopes[i] = static_cast<float>(query.slope);
      curvatures[i] = static_cast<float>(query.slope * query.alpha);
      const double* centred = block.centred.data_ptr<double>() + (first + i) * query.dimension;
      block.components.pack(centred, values.data(), tail_norms.data(), rows, i);
    }
  }
  PanelQueries packed() const {
    return {rows / tile_rows, values.data(), slopes.data(), curvatures.data(), tail_norms.data()};
  }
  int64_t rows;
  std::vector<float> values, slopes, curvatures, tail_norms;
};

/// The logit of a component as the panels define it, in float64: x and m less their centres.
double centred_logit(const Query& query, const double* centred, const Tensor& centre, double heaviest,
                     int64_t component) {
  const double *mean = query.means + component * query.dimension, *middle = centre.data_ptr<double>();
  double sum = 0;
  for (int64_t j = 0; j < query.dimension; ++j) {
    const double m = mean[j] - middle[j];
    sum += m * (centred[j] - 0.5 * query.alpha * m);
  }
  return query.slope * sum + (query.log_weights[component] - heaviest);
}

/// E[m | x] - m_anchor of those rows [first, first + count) of a block whose logits have become weights.
void softmax_densely(const Block& block, int64_t first, int64_t count, MixtureSoftmax& result, int64_t at) {
  const int64_t stride = block.logits.size(1), d = block.centred.size(1);
  std::vector<float> sums(count * d);
  gemm({block.logits.data_ptr<float>() + first * stride, stride, 1}, count, block.offsets(), {}, sums.data(),
       d);
  const double* centre = block.components.centre.data_ptr<double>();
  for (int64_t i = 0; i < count; ++i) {
    if (block.verdicts[first + i] != Verdict::dense) continue;
    const double total = std::exp(result.log_total.data_ptr<double>()[at + i]);
    const double* nearest = block.queries[first + i].means + result.anchor.data_ptr<int64_t>()[at + i] * d;
    double* offset = result.offset.data_ptr<double>() + (at + i) * d;
    for (int64_t j = 0; j < d; ++j) offset[j] = sums[i * d + j] / total + (centre[j] - nearest[j]);
  }
}

/// Sums rows [first, first + count) of a block, which are rows `at` and on of the result.
void softmax_of_group(Block& block, int64_t first, int64_t count, double heaviest, MixtureSoftmax& result,
                      int64_t at) {
  const Group group(block, first, count);
  const Panels panels = block.components.panels();
  const int64_t stride = block.logits.size(1), d = panels.dimension;
  float* logits = block.logits.data_ptr<float>() + first * stride;
  std::vector<int64_t> best(group.rows);
  start_logits(panels, group.packed(), logits, stride, best.data());
  std::vector<double> bounds(count);
  std::vector<float> thresholds(group.rows, HUGE_VALF);
  for (int64_t i = 0; i < count; ++i) {
    const Query& query = block.queries[first + i];
    if (!query.single) continue;
    const double* centred = block.centred.data_ptr<double>() + (first + i) * d;
    bounds[i] = block.screen.bound(query);
    const double top = centred_logit(query, centred, block.components.centre, heaviest, best[i]);
    const float threshold = block.screen.threshold(top, bounds[i]);
    if (std::isfinite(bounds[i])) thresholds[i] = std::isfinite(threshold) ? threshold : -HUGE_VALF;
  }
  if (panels.head < d) finish_logits(panels, group.packed(), thresholds.data(), logits, stride);
  for (int64_t i = 0; i < count; ++i) {
    const Query& query = block.queries[first + i];
    Verdict& verdict = block.verdicts[first + i];
    if (!all_finite(query.x, d))
      set_nan(result, at + i);
    else if (query.single)
      verdict = softmax_of_row(query, block.screen, bounds[i], best[i], logits + i * stride, result, at + i);
    else
      verdict = Verdict::plain;
  }
  const auto begin = block.verdicts.begin() + first;
  if (std::find(begin, begin + count, Verdict::dense) != begin + count)
    softmax_densely(block, first, count, result, at);
}

}  // namespace

void SoftmaxComponents::sum_high(const SoftmaxQueries& queries, MixtureSoftmax& result) const {
  const ComponentPanels& panels = *prepared().panels;
  const int64_t n = queries.x.size(0), k = components_.means.size(0), d = components_.means.size(1);
  const auto [group, groups] = queries_at_once(k);
  const int64_t rows = group * groups;
  const Column alpha(queries.alpha), variance(queries.variance);
  const double heaviest = components_.log_weights.max().item<double>();
  // What is left out weighs together less than e^-36 (e^-20 in float32) of the largest.
  const Screen screen{k,
                      std::max<int64_t>(64, k / 8),
                      panels.largest_norm,
                      2 * (4 + std::sqrt(static_cast<double>(d))),
                      std::log(static_cast<double>(k)) + (queries.single ? 20 : 36),
                      queries.single};
  Block block{
      panels, screen, {}, {}, at::empty({rows, panels.panels().count * panel_width}, at::kFloat), {}, [this] {
        return prepared_->offsets(components_);
      }};
  std::vector<int64_t> plain;
  for (int64_t begin = 0; begin < n; begin += rows) {
    const int64_t count = std::min(rows, n - begin);
    const auto part = [&](const Tensor& c) { return c.size(0) == 1 ? c : c.slice(0, begin, begin + count); };
    block.centred = queries.x.slice(0, begin, begin + count) - part(queries.alpha) * panels.centre;
    const Tensor norms = block.centred.norm(2, {1});
    block.verdicts.assign(count, Verdict::done);
    block.queries.clear();
    for (int64_t at = begin; at < begin + count; ++at)
      block.add({queries.x.data_ptr<double>() + at * d, components_.means.data_ptr<double>(),
                 components_.log_weights.data_ptr<double>(), alpha[at], alpha[at] / variance[at], d,
                 norms.data_ptr<double>()[at - begin]});
    at::parallel_for(0, (count + group - 1) / group, 1, [&, group = group](int64_t first, int64_t last) {
      for (int64_t i = first * group; i < std::min(last * group, count); i += group)
        softmax_of_group(block, i, std::min(group, count - i), heaviest, result, begin + i);
    });
    for (int64_t i = 0; i < count; ++i)
      if (block.verdicts[i] == Verdict::plain) plain.push_back(begin + i);
  }
  block.logits = Tensor();  // the plain softmax needs as much again
  fill_plainly(components_, queries, plain, result);
}

}  // namespace fokker::kernel
