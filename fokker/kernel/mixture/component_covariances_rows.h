#pragma once
#include <cstdint>

namespace fokker::kernel {

// The loops of component_covariances, on raw memory.

/// Parameters as columns of `stride` components, a multiple of 16; those beyond the last have logits of -inf.
struct ComponentColumns {
  int64_t dimension, stride;
  const double *means, *precisions, *gains, *data_means;  ///< (dimension, stride)
  const double* axes;    ///< (dimension, dimension, stride) or null: [row][column]
  const double* logits;  ///< (stride)
};

/// Moments of one query, (dimension) each.
struct ComponentSums {
  double *weighted_residual, *explained, *mean;
  double log_total;
};

/// Working memory, aligned to 64 bytes; the second of component_working_size(dimension) numbers.
struct ComponentWork {
  double *logits, *vectors;
};
constexpr int64_t component_working_size(int64_t dimension) {
  return 5 * dimension * 16;
}

void add_components(const ComponentColumns& columns, const double* x, const ComponentWork& work,
                    ComponentSums& sums);

}  // namespace fokker::kernel
