#pragma once
#include <optional>
#include <string>

#include "fokker/plot/figure/axes.h"

namespace fokker::plot {

struct ScatterOptions {
  std::string label = {};                   ///< for the legend
  std::optional<SeriesColour> colour = {};  ///< the theme's next one where absent
  std::optional<double> radius = {};        ///< pixels; by the number of points where absent
  std::optional<double> alpha = {};         ///< as above
  int64_t density_above = 20000;  ///< more points than this are drawn as one image shaded by density
  /// Points at the edge are whole, and lie over the frame.
  bool over_frame = false;
};

/// Adds points, (n, 2). Few points are large discs; many are small and translucent; very many become an image
/// in which the colour says how dense they lie, in time linear in n, single points still visible. Input error
/// where the shape is another or a value is not finite.
void add_scatter(Axes& axes, const Tensor& points, const ScatterOptions& options = {});

/// Counts of points (n, 2) in a grid of cells over the limits of `transform`, (rows, columns) float32, row 0
/// on top. Points outside the limits are left out; points on the limits count.
Tensor density_counts(const Tensor& points, const AxesTransform& transform, int64_t rows, int64_t columns);

/// Radius (pixels) and alpha that keep n points readable.
double scatter_radius(int64_t count);
double scatter_alpha(int64_t count);

}  // namespace fokker::plot
