#pragma once
#include <cstdint>
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker {

constexpr int64_t smooth_scores = 6;
constexpr int64_t column_scores = smooth_scores + 2;

/// What a column of pooled rows says of each row without regard to which set it is of, so that a sum of
/// scores over one set is a test of equal laws (Lehmann and Romano 2005, section 15.2). The first six are
/// Legendre's polynomials of orders 1 to 6 of the rank (mid-ranks where values are equal), made orthogonal on
/// the column itself: location, spread, and with the others together Neyman's smooth test of any shape. The
/// last two see exact values: the logarithm of how often a value stands in the column, and whether it is the
/// most frequent one. Each has mean 0 and mean square 1, or is 0 where the column does not tell rows apart by
/// it.
class ColumnScores {
 public:
  /// From the columns of x (d, n + m) contiguous float64, n rows of the first set; threads share the columns.
  ColumnScores(const Tensor& columns, int64_t first_rows);

  Tensor values;  ///< (d, column_scores, n + m)
  std::vector<double>
      distance;  ///< Kolmogorov and Smirnov's: the largest difference of the distribution functions
  std::vector<double> repeated_first, repeated_second;  ///< shares of values that stand in the column again
};

/// Groups of equal rows of x (n, d) float64: the group of each row, (n) int64, in the order of first
/// appearance after sorting.
Tensor groups_of_equal_rows(const Tensor& x);

}  // namespace fokker
