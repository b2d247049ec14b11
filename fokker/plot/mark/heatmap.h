#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/plot/figure/axes.h"

namespace fokker::plot {

/// The rectangle of data coordinates that a grid of values covers.
struct Extent {
  Range x;
  Range y;
};

struct HeatmapOptions {
  ColourMap map = ColourMap::sequential();
  double shade = 0;                 ///< above 0: instead of `map`, this part of `shading` of the theme
  std::optional<Range> range = {};  ///< of the values where absent
  std::string label = {};           ///< beside the colour bar
  bool colour_bar = true;
  bool smooth = false;  ///< interpolate between the middles of the cells
};

/// Adds an image of a grid of values, (rows, columns). Row 0 lies at the lower edge of the extent, so that a
/// grid made from `grid_points` appears the right way up.
void add_heatmap(Axes& axes, const Tensor& grid, Extent extent, const HeatmapOptions& options = {});

/// The middles of the cells of such a grid, (rows * columns, 2) float64, row by row from the lower left.
Tensor grid_points(Extent extent, int64_t rows, int64_t columns);

struct ContourOptions {
  std::string label = {};
  std::optional<SeriesColour> colour = {};
  std::vector<double> levels = {};  ///< where empty, `count` levels evenly inside the range of the values
  int count = 8;
  double width = 1.2;
};

/// Adds level lines of a grid of values at the middles of its cells (marching squares). At least 2 x 2.
void add_contours(Axes& axes, const Tensor& grid, Extent extent, const ContourOptions& options = {});

/// The pieces of the level line of a grid, in data coordinates.
std::vector<Segment> contour_segments(const Tensor& grid, Extent extent, double level);

}  // namespace fokker::plot
