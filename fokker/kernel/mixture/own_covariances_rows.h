#pragma once
#include <cstdint>

namespace fokker {

// The loops of own_covariances, on raw memory.

/// Parameters as columns of `stride` components, a multiple of 16; those beyond the last have logits of -inf.
struct OwnColumns {
  int64_t dimension, stride;
  const double *means, *precisions, *gains, *data_means;  ///< (dimension, stride)
  const double* axes;    ///< (dimension, dimension, stride) or null: [row][column]
  const double* logits;  ///< (stride)
};

/// Moments of one query, (dimension) each.
struct OwnSums {
  double *pull, *explained, *mean;
  double log_total;
};

/// Working memory, aligned to 64 bytes; the second of own_working_size(dimension) numbers.
struct OwnWork {
  double *logits, *vectors;
};
constexpr int64_t own_working_size(int64_t dimension) {
  return 5 * dimension * 16;
}

void add_own_components(const OwnColumns& columns, const double* x, const OwnWork& work, OwnSums& sums);

}  // namespace fokker
