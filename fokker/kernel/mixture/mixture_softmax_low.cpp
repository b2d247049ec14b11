// The softmax in low dimension: leaves of components near each other, as many as can matter to a query.
#include <ATen/Parallel.h>

#include "fokker/kernel/mixture/mixture_softmax_prepared.h"

namespace fokker::kernel {
namespace {

constexpr int64_t queries_per_task = 16;

/// What float32 holds with room to spare: no product of the kernel's overflows, and no slope vanishes.
bool fits_single(const LeafQuery& query, double reach) {
  constexpr double most = 1e35, least = 1e-30;
  const double curvature = query.alpha * query.alpha / query.variance;
  if (curvature > most || (curvature < least && query.alpha != 0)) return false;
  return reach * reach / query.variance < most && reach * std::abs(query.alpha) / query.variance < most;
}

double norm_of(const double* x, int64_t d) {
  double square = 0;
  for (int64_t j = 0; j < d; ++j) square += x[j] * x[j];
  return std::sqrt(square);
}

}  // namespace

void SoftmaxComponents::sum_low(const SoftmaxQueries& queries, MixtureSoftmax& result) const {
  const ComponentLeaves& ready = *prepared().leaves;
  const Leaves leaves = ready.leaves();
  const int64_t n = queries.x.size(0), d = leaves.dimension;
  const Column alpha(queries.alpha), variance(queries.variance);
  const double* x = queries.x.data_ptr<double>();
  double *offset = result.offset.data_ptr<double>(), *log_total = result.log_total.data_ptr<double>();
  auto* anchor = result.anchor.data_ptr<int64_t>();
  // What is left out weighs together less than e^-44 (e^-20 in float32) of the largest.
  const double cut = std::log(static_cast<double>(components_.means.size(0))) + (queries.single ? 20 : 44);
  std::vector<char> far(n, 0);
  at::parallel_for(0, n, queries_per_task, [&](int64_t first, int64_t last) {
    std::vector<double> bounds(leaves.stride);
    for (int64_t i = first; i < last; ++i) {
      if (!all_finite(x + i * d, d)) {
        set_nan(result, i);
        continue;
      }
      const double reach = norm_of(x + i * d, d) + std::abs(alpha[i]) * ready.largest_norm();
      // The boxes are judged by squares, which would overflow.
      if (!std::isfinite(reach * reach / variance[i])) {
        far[i] = 1;
        continue;
      }
      // Twice what a leaf's bound and the anchor's logit may be off by rounding.
      const double slack = 32 * std::numeric_limits<double>::epsilon() * reach * reach / variance[i];
      const LeafQuery query{x + i * d, alpha[i], variance[i], cut, slack};
      LeafSoftmax found{0, 0, offset + i * d};
      if (queries.single && fits_single(query, reach))
        softmax_over_leaves(leaves, ready.columns<float>(), query, bounds.data(), found);
      else
        softmax_over_leaves(leaves, ready.columns<double>(), query, bounds.data(), found);
      anchor[i] = found.anchor;
      log_total[i] = found.log_total;
    }
  });
  std::vector<int64_t> plain;
  for (int64_t i = 0; i < n; ++i)
    if (far[i]) plain.push_back(i);
  fill_plainly(components_, queries, plain, result);
}

}  // namespace fokker::kernel
