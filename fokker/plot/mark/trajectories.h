#pragma once
#include <optional>
#include <string>

#include "fokker/plot/figure/axes.h"

namespace fokker::plot {

struct TrajectoryOptions {
  std::string label = {};                   ///< of the thin ones
  std::optional<SeriesColour> colour = {};  ///< of the thin ones
  int64_t highlighted = 4;  ///< drawn thick, each in a colour of its own, with a dot at its end
  int64_t most = 400;       ///< thin ones drawn: the first of the paths
};

/// Adds paths of one coordinate over time: times (k), states (m, k). Many thin ones, some highlighted.
void add_trajectories(Axes& axes, const Tensor& times, const Tensor& states,
                      const TrajectoryOptions& options = {});

/// Adds paths in the plane, (m, k, 2).
void add_planar_trajectories(Axes& axes, const Tensor& paths, const TrajectoryOptions& options = {});

}  // namespace fokker::plot
