#pragma once
#include <functional>
#include <optional>
#include <string>

#include "fokker/plot/figure/axes.h"

namespace fokker::plot {

struct LineOptions {
  std::string label = {};
  std::optional<SeriesColour> colour = {};
  std::optional<double> width = {};  ///< pixels; by the number of lines where absent
  std::optional<double> alpha = {};  ///< as above
  Dash dash = Dash::solid;
};

/// Adds one line through the points (x_i, y_i): x (k), y (k).
void add_line(Axes& axes, const Tensor& x, const Tensor& y, const LineOptions& options = {});

/// Adds many lines over a common x: x (k), y (m, k). The more lines, the thinner and more translucent.
void add_lines(Axes& axes, const Tensor& x, const Tensor& y, const LineOptions& options = {});

/// Adds paths in the plane, such as sampling trajectories: (m, k, 2), m paths of k points.
void add_paths(Axes& axes, const Tensor& paths, const LineOptions& options = {});

/// Adds the graph of a function over a range, evaluated at `samples` evenly spaced points. Input error where
/// the function is not finite at one of them.
void add_curve(Axes& axes, const std::function<double(double)>& function, Range range,
               const LineOptions& options = {}, int samples = 400);

}  // namespace fokker::plot
