#pragma once
#include <vector>

#include "fokker/plot/axes.h"

namespace fokker::plot {

/// Adds a fan of short lines y ~ x^{-p} in the lower left corner of axes that are both logarithmic, one for
/// each order p > 0, with p at its end: what the slopes of error curves are compared with by eye. The marks
/// take no part in the limits of the axes.
void add_slope_guides(Axes& axes, const std::vector<double>& orders);

}  // namespace fokker::plot
