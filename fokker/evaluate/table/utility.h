#pragma once
#include <cstdint>
#include <string>

#include "fokker/core/tensor.h"
#include "fokker/distributed/ranks.h"
#include "fokker/evaluate/table/boosting.h"

namespace fokker {

struct UtilityOptions {
  uint64_t seed = 0;
  int64_t most_rows = 50'000;  ///< to learn from and, apart from these, to test on
  int64_t most_classes = 20;   ///< the most frequent ones of the rows tested on, where there are more
  BoostingOptions boosting = {};
  Ranks ranks = {};  ///< share the trees
};

/// What the samples teach of a column, beside what as many real rows teach: boosted trees predict it from the
/// others in real rows that neither has seen (train on synthetic, test on real: Esteban, Hyland and Rätsch
/// 2017).
struct Utility {
  int64_t target = 0;        ///< column
  std::string measure = {};  ///< "auc", of levels: the mean over classes of one against the rest; or "r2"
  double synthetic = 0;      ///< learnt from the samples
  double real = 0;           ///< learnt from the reference
  /// Of each of the two, over the rows tested on; NaN of R2 and of several classes.
  double synthetic_error = 0, real_error = 0;
  int64_t rows = 0;  ///< learnt from in each of the two
  int64_t tested = 0;
};
/// Cells (n, D), (m, D) and (k, D). Rows without the target are left out. Argument error where a set has none
/// left, where the target has one class or value in the rows tested on, or the table has no other column.
Utility utility(const Tensor& samples, const Tensor& reference, const Tensor& held_out, const Schema& schema,
                int64_t target, const UtilityOptions& options = {});

/// The column that is predicted where none is named: the last categorical or ordinal one, else the last of
/// all. Argument error where there are no two columns.
int64_t default_target(const Schema& schema);

}  // namespace fokker
