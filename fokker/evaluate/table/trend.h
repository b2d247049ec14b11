#pragma once
#include <cstdint>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/table/schema.h"

namespace fokker {

/// How far a pair of columns is from going together as in the reference, 0 to 1.
struct PairTrend {
  int64_t first = 0, second = 0;
  double error = 0;
  /// As `error`, but of a number beside levels in the reference's bins for both sets.
  double error_in_common_bins = 0;
};

struct TrendOptions {
  uint64_t seed = 0;
  /// Rows are left out at random, of both sets alike, until pairs of columns times rows of both sets are no
  /// more: 500,000 pairs see 10,000 rows of each. At least 1,000 rows of each are seen.
  int64_t most_cells = 10'000'000'000;
  int64_t worst = 20;  ///< how many pairs are named
};

/// All pairs of columns as SDMetrics' Column Pair Trends compares them (sdv-dev/SDMetrics 0.11 to 0.29, which
/// the code of TabSyn, Zhang et al. 2024, and TabDiff, Shi et al. 2025, reports): half the difference of two
/// numbers' correlations (Pearson), of rows where both are there; otherwise half the sum of absolute
/// differences of the two contingency tables, where a number is cut into ten bins of equal width of each
/// set's own range, with the maximum in an eleventh. (A single far value moves all bins; in common bins, the
/// reference's, what lies outside belongs to the first bin or the maximum's.) Two differences from it: a
/// missing cell beside a level is a level of its own, and where a number does not vary in the samples alone,
/// its correlations there count as 0. Pairs of numbers one of which does not vary in the reference are left
/// out.
struct TrendErrors {
  double mean = 0;                     ///< NaN where there is no pair
  double mean_in_common_bins = 0;      ///< as `mean`
  int64_t pairs = 0;                   ///< that have an error
  int64_t samples = 0, reference = 0;  ///< rows that were seen
  std::vector<PairTrend> worst = {};   ///< largest error first
};
/// Cells (n, D) and (m, D). O(D^2 (n + m)), memory O(D (n + m)) for any number of levels; threads share the
/// pairs.
TrendErrors trend_errors(const Tensor& samples, const Tensor& reference, const Schema& schema,
                         const TrendOptions& options = {});

/// Pearson's correlations of columns (D, n), NaN where a cell is missing: (D, D), each of the rows where both
/// are there; NaN where one of the two does not vary in these.
Tensor correlations(const Tensor& columns);

}  // namespace fokker
