#pragma once
#include <span>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/table/schema.h"

namespace fokker {

/// The largest difference of two empirical distribution functions (Kolmogorov and Smirnov), exact with ties:
/// in [0, 1]. Argument error where a set is empty or has a NaN.
double kolmogorov_smirnov(std::span<const double> x, std::span<const double> y);

/// How far a column's law is from the reference's, 0 for equal ones and 1 for disjoint ones.
struct ColumnShape {
  /// The larger of the next two for numbers and dates, the first alone for levels.
  double error = 0;
  /// Of numbers and dates: Kolmogorov and Smirnov's distance of what is not missing, 1 where only one set has
  /// any. Of levels: total variation distance, where a missing cell is a level of its own and what the column
  /// cannot hold is another.
  double distance = 0;
  double missing = 0;  ///< absolute difference of the shares of missing cells
};

/// The columns one by one. Where nothing is missing, `1 - error` is what SDMetrics calls KSComplement and
/// TVComplement, and `1 - mean` its Column Shapes (Data Metrics, sdv-dev/SDMetrics 0.11 to 0.29; it leaves
/// out missing cells).
struct ShapeErrors {
  std::vector<ColumnShape> columns;
  double mean = 0;
};
/// Cells (n, D) and (m, D). O((n + m) log(n + m) D); threads share the columns.
ShapeErrors shape_errors(const Tensor& samples, const Tensor& reference, const Schema& schema);

}  // namespace fokker
