#pragma once
#include <optional>
#include <vector>

#include "fokker/plot/figure/axes.h"

namespace fokker::plot {

/// An error curve in data coordinates, and the order of the triangle beside it, if it is to have one.
struct SlopedCurve {
  std::vector<Point> points;
  std::optional<double> order = {};
};

/// Adds for each distinct order p > 0 one triangle beside a curve of that order on axes that are both
/// logarithmic: its slanted side falls as x^{-p}, its legs are marked 1 and p. It stands where it is furthest
/// from all the curves. The marks take no part in the limits of the axes.
void add_slope_triangles(Axes& axes, const std::vector<SlopedCurve>& curves);

}  // namespace fokker::plot
