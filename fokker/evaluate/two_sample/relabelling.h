#pragma once
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"

namespace fokker {

/// Random relabellings of the pooled rows of two sets, n and m of them, shared by several statistics so that
/// the law of the strictest of them is known too. Where there are many rows they are relabelled in groups
/// that a random draw put together (Domingo-Enrich, Dwivedi and Mackey 2025, "Cheap permutation testing"): a
/// statistic is then a function of sums over groups, whatever the number of relabellings. Groups change
/// places only with groups of as many rows, so the test stays exact.
class Relabelling {
 public:
  static constexpr int64_t most_groups = 1024;  ///< about, where both sets are large

  /// Argument error unless n, m, relabellings > 0.
  Relabelling(int64_t n, int64_t m, int64_t relabellings, const Rng& rng);

  int64_t first_rows() const { return n_; }
  int64_t second_rows() const { return m_; }
  int64_t groups() const { return group_count_; }
  /// 1 + relabellings: the labels as given, then the random ones.
  int64_t count() const { return labels_.size(0); }
  /// (n + m) int64: the group of each row, those of the first set first.
  const Tensor& group() const { return group_; }
  /// (count, groups) float64: 1 where a group is in the first set.
  const Tensor& labels() const { return labels_; }

  /// Sums of each row of numbers (k, n + m) over the groups: (k, groups).
  Tensor group_sums(const Tensor& numbers) const;
  /// The sum over the first set of each row of numbers (k, n + m), less its mean over all relabellings and
  /// divided by its deviation over them (both exact, not simulated): (count, k), 0 where nothing varies.
  Tensor standardised(const Tensor& numbers) const;

 private:
  struct Stratum {  // groups of one size, those of the first set first
    int64_t begin, first, count;
  };
  int64_t n_, m_, group_count_ = 0;
  std::vector<Stratum> strata_;
  Tensor group_, labels_;
};

/// Most rows of the larger set that a relabelling of sets with so few in the smaller can use.
int64_t most_relabelled_rows(int64_t smaller);

/// The share of relabellings (of `strengths`, (count), the given labels first) that are at least as strong,
/// for each of them: (count). What differs by rounding alone is equal.
Tensor shares_as_strong(const Tensor& strengths);

}  // namespace fokker
