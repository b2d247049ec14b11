#pragma once
#include <optional>
#include <string>

#include "fokker/plot/figure/axes.h"

namespace fokker::plot {

struct QuiverOptions {
  std::string label = {};  ///< beside the colour bar, or in the legend where one colour is given
  std::optional<SeriesColour> colour = {};  ///< where absent, colour shows the magnitude
  std::optional<ColourMap> map = {};        ///< one that contrasts with the theme where absent
  /// Arrow length is the magnitude to this power: 1 true to scale, 0.5 shows weak vectors beside strong ones,
  /// 0 directions alone.
  double length_power = 0.5;
  double longest = 1;  ///< length of the strongest arrow in mean distances between positions
};

/// Adds an arrow for each vector (n, 2) at its position (n, 2), such as a score field. Directions are those
/// on the page: on axes of unequal scale the arrow points where the vector leads in data coordinates.
void add_quiver(Axes& axes, const Tensor& positions, const Tensor& vectors,
                const QuiverOptions& options = {});

}  // namespace fokker::plot
