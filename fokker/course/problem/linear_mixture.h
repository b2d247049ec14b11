#pragma once
#include <vector>

#include "fokker/condition/measurement.h"

namespace fokker {

/// Three modes, one observation of them, and their posterior.
struct SeenMixture {
  GaussianMixture prior;
  std::shared_ptr<const LinearOperator> a;
  Tensor y;  ///< (1, output)
  double noise = 0.8;
  /// The same observation in so many rows.
  LinearMeasurement measurement(int64_t rows) const;
};

/// Modes in d dimensions whose weights the measurement changes: the first coordinate seen, all of them, and
/// two projections; from what the first mode's neighbourhood gives.
std::vector<SeenMixture> seen_mixtures(int64_t d);

}  // namespace fokker
