#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fokker/plot/figure/axes.h"
#include "fokker/plot/mark/heatmap.h"

/// Functions of the plane, or of a coordinate and time, as pictures.
namespace fokker::plot {

/// Points (n, 2) float64 to numbers (n) or vectors (n, 2).
using PlaneFunction = std::function<Tensor(const Tensor& x)>;
/// Values (n) float64 of a coordinate, at one time, to numbers (n).
using TimeFunction = std::function<Tensor(const Tensor& x, double t)>;

struct DensityOptions {
  int64_t resolution = 200;  ///< cells along the longer side
  int contours = 6;          ///< level lines at a half, a quarter, ... of the maximum; 0 for none
  std::string label = "density";
  double shade = 1;                 ///< of `shading`
  std::optional<Range> range = {};  ///< of the colours; from 0 to the maximum where absent
  bool colour_bar = true;
};

/// Adds the image of a density over the plane, with contours. Input error where it is negative or not finite.
void add_density(Axes& axes, const PlaneFunction& density, Extent extent, const DensityOptions& options = {});
/// The same of a grid of values at `grid_points`, (rows, columns).
void add_density_image(Axes& axes, const Tensor& grid, Extent extent, const DensityOptions& options = {});

struct ScoreFieldOptions {
  int64_t arrows = 20;  ///< along the longer side
  std::string label = {};
  SeriesColour colour = &Theme::text;
};

/// Adds a vector field such as a score at a grid of points. An arrow's length is the square root of its
/// magnitude, because scores far from the data would otherwise leave only dots near it.
void add_score_field(Axes& axes, const PlaneFunction& score, Extent extent,
                     const ScoreFieldOptions& options = {});

struct TimeImageOptions {
  int64_t times = 240;   ///< cells
  int64_t values = 200;  ///< cells
  std::string label = {};
  /// A density: shaded from the background, each time divided by its maximum where `relative`. Otherwise a
  /// signed function: diverging colours, grey at 0.
  bool density = false;
  bool relative = false;
  double shade = 1;  ///< of a density: as `shading`; less is a ground for other marks
};

/// Adds a function of a coordinate (upwards) over time (to the right), such as epsilon_theta(x, t) or p_t(x).
void add_function_over_time(Axes& axes, const TimeFunction& function, Range times, Range x,
                            const TimeImageOptions& options = {});

struct FamilyOptions {
  std::string label = {};  ///< of the parameter, beside the colour bar
  double width = 1.6;
};

/// Adds lines over a common x (k), y (m, k), whose colour says a parameter (m), such as the time of each.
void add_line_family(Axes& axes, const Tensor& x, const Tensor& y, const Tensor& parameter,
                     const FamilyOptions& options = {});

}  // namespace fokker::plot
