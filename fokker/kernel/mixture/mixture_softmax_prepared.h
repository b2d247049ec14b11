#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "fokker/kernel/matrix/gemm.h"
#include "fokker/kernel/mixture/component_leaves.h"
#include "fokker/kernel/mixture/component_panels.h"
#include "fokker/kernel/mixture/mixture_softmax.h"

namespace fokker::kernel {

// What the parts of mixture_softmax share.

/// A coefficient of each row from (n, 1) or (1, 1).
struct Column {
  explicit Column(const Tensor& values) : tensor(values.contiguous()), step(values.size(0) == 1 ? 0 : 1) {}
  double operator[](int64_t row) const { return tensor.data_ptr<double>()[row * step]; }
  Tensor tensor;
  int64_t step;
};

struct SoftmaxComponents::Prepared {
  std::once_flag once, packed_once;
  std::unique_ptr<ComponentLeaves> leaves;  // low dimension
  std::unique_ptr<ComponentPanels> panels;  // high dimension
  Tensor packed;                            // of `offsets`

  /// (k, d) float32, means less the panels' centre, packed for `gemm` when they are first asked for.
  PackedMatrix offsets(const CentredMeans& components);
};

/// How many queries share a panel while it is in cache, and how many such groups have their logits, of all
/// components in float32, in memory together: 180 MB at most, for up to SoftmaxComponents::most_at_once.
struct SharedQueries {
  int64_t group, groups;
};
SharedQueries queries_at_once(int64_t components);

/// The rows that only the plain softmax can sum, put into the result.
void fill_plainly(const CentredMeans& components, const SoftmaxQueries& queries,
                  const std::vector<int64_t>& rows, MixtureSoftmax& result);

inline void set_nan(MixtureSoftmax& result, int64_t row) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const int64_t d = result.offset.size(1);
  result.anchor.data_ptr<int64_t>()[row] = 0;
  result.log_total.data_ptr<double>()[row] = nan;
  std::fill_n(result.offset.data_ptr<double>() + row * d, d, nan);
}

inline bool all_finite(const double* values, int64_t count) {
  return std::all_of(values, values + count, [](double v) { return std::isfinite(v); });
}

}  // namespace fokker::kernel
