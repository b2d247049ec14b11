#pragma once
#include <cstdint>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"
#include "fokker/distributed/ranks.h"
#include "fokker/evaluate/table/boosting.h"

namespace fokker {

struct DetectionOptions {
  uint64_t seed = 0;
  int64_t folds = 5;
  int64_t most_rows = 50'000;      ///< of each set; the rest is left out at random
  int64_t most_cells = 2'000'000;  ///< of each set, where that leaves 2,000 rows: wide tables
  BoostingOptions boosting = {};
  Ranks ranks = {};  ///< share the folds
};

/// How well samples are told from the reference: the area under the curve of boosted trees on typed columns,
/// each fold's rows scored by trees of the others. 0.5 where the sets cannot be told apart, 1 where every row
/// can.
struct Detection {
  double auc = 0.5;           ///< mean over the folds
  double standard_error = 0;  ///< over the rows scored, for the trees that were grown (roc.h)
  int64_t rows = 0;           ///< of each set: of the larger as many as the smaller has, at random
};
/// Cells (n, D) and (m, D). Argument error unless both have two rows for each fold.
Detection detect(const Tensor& samples, const Tensor& reference, const Schema& schema,
                 const DetectionOptions& options = {});

}  // namespace fokker
