#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"
#include "fokker/distributed/ranks.h"
#include "fokker/table/schema.h"

namespace fokker {

/// Distances of rows to the nearest of some others, in Gower's sense (1971): the mean over columns of
/// differences of numbers and dates in units of the column's range among the rows that are searched, at most
/// 1; of levels 0 where they are equal and 1 where not, and so of a missing cell and one that is there.
class NearestRows {
 public:
  /// The rows that are searched (n, D), and those whose ranges are the unit (they may be the same).
  NearestRows(const Tensor& rows, const Tensor& units, const Schema& schema);
  /// Of each of some queries (k, D): (k) float32. O(n k D) in vectors of float32; ranks and threads share the
  /// queries.
  std::vector<float> distances(const Tensor& queries, const Ranks& ranks = {}) const;

 private:
  Tensor encoded(const Tensor& cells, const char* set) const;
  const Schema& schema_;
  std::vector<double> low_, range_;
  Tensor rows_;  ///< (blocks, D, rows of a block) float32, the last one filled up with rows that it has
};

/// Rows of some cells (n, D) that stand among the rows of others (m, D), equal in every column (0 and -0 are
/// equal, and so are two missing cells): how many of the n.
int64_t rows_found_in(const Tensor& cells, const Tensor& others);
/// Rows of some cells that stand there more than once.
int64_t rows_repeated(const Tensor& cells);

constexpr std::array<double, 5> closest_levels = {0.01, 0.05, 0.25, 0.5, 0.75};

struct PrivacyOptions {
  uint64_t seed = 0;
  int64_t queries = 2'000;     ///< samples that are looked at, at most, at random
  int64_t most_rows = 50'000;  ///< of each set that is searched
  /// Differences that are computed for each of three searches: wide tables search fewer rows, 1,000 at least.
  int64_t most_differences = 10'000'000'000;
  Ranks ranks = {};  ///< share the samples
};

/// Whether samples give away rows that they were made from.
struct Privacy {
  int64_t copies = 0;  ///< samples that are rows of the reference in all columns
  /// As many as independent draws of the same law would have: the held-out rows' share, or where there are
  /// none the share of rows of the reference that stand in it more than once.
  double copies_expected = 0;
  /// Share of samples nearer to a row of the reference than to any held-out row, ties counted half: 1/2 where
  /// they know the reference no better. As many rows of each are searched. NaN without held-out rows.
  double nearer_to_training = 0;
  double nearer_standard_error = 0;  ///< over the samples, for the rows that were searched
  /// Quantiles, at `closest_levels`, of the distance to the nearest row of the reference: of samples, and of
  /// held-out rows (empty without them).
  std::vector<double> closest, closest_held_out;
  int64_t queries = 0, searched = 0;  ///< samples, and rows of each set
};
/// Cells (n, D) and (m, D), and (k, D) or undefined.
Privacy privacy(const Tensor& samples, const Tensor& reference, const Tensor& held_out, const Schema& schema,
                const PrivacyOptions& options = {});

}  // namespace fokker
