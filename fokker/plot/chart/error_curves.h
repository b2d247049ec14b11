#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/plot/chart/charts.h"

namespace fokker::plot {

/// The error of one method at several amounts of work.
struct ErrorCurve {
  std::string name = {};
  Tensor work = {};                     ///< (k) positive: steps, or evaluations
  Tensor errors = {};                   ///< (k) positive
  std::optional<double> declared = {};  ///< order that the method is proven to have
  std::optional<double> measured = {};  ///< slope of these errors
};

struct ErrorCurveOptions {
  ChartOptions chart = {};
  /// An error that sampling noise alone has: drawn as a level, with its label. Nothing at 0.
  double floor = 0;
  std::string floor_label = {};
};

/// Error against work, both logarithmic, with the orders in the legend and a triangle for each declared
/// slope. Methods differ in colour, and after one round of colours in how the line is broken. Input error
/// where a value is not positive.
Figure error_curves(const std::vector<ErrorCurve>& curves, const ErrorCurveOptions& options = {});

}  // namespace fokker::plot
