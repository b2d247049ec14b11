#pragma once
#include "fokker/train/sample_model.h"

namespace fokker::detail {

/// Rows of a table in groups that are given the same cells, each drawn until it meets a condition.
struct Rejection {
  int64_t groups = 1, copies = 1;
  KnownCells known = {};  ///< (groups, columns) or undefined
  /// Which of the rows (k, columns) of the groups (k) int64 are kept: (k) bool.
  std::function<Tensor(const Tensor& cells, const Tensor& group)> keeps = {};
  /// A group is given up where fewer than 1 in `one_in` of so many draws are kept.
  int64_t trial = 10'000, one_in = 2000;
  bool ends_when_given_up = true;  ///< all groups with the first
  std::function<void(int64_t kept)> on_round = {};
};

struct RejectionDraws {
  Tensor cells;           ///< (groups copies, columns); NaN where a group was given up
  Tensor kept, drawn;     ///< (groups) int64
  int64_t given_up = -1;  ///< the first such group
  int64_t evaluations = 0, rejected = 0;
};

/// In rounds: every group that is not full draws as many rows as its share so far asks for, and keeps the
/// first that it needs in their order. How many a round draws depends on what was drawn before alone, so
/// rows are the same whatever the batch, and the kept ones are independent draws of the law given what keeps
/// them. Labels of the options are one of all rows, or one of each group.
RejectionDraws draw_by_rejection(const Model& model, const Rejection& wanted, const Rng& rng,
                                 const SampleOptions& options);

/// Rows that are drawn at once, so that memory stays within some hundred megabytes.
int64_t most_rows_of_round(const Model& model);

}  // namespace fokker::detail
