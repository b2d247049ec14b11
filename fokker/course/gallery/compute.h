#pragma once
#include <vector>

#include "fokker/plot/figure/figure.h"
#include "fokker/plot/mark/heatmap.h"
#include "fokker/sample/integrate.h"
#include "fokker/sde/simulate.h"
#include "fokker/target/distribution.h"

/// What several items compute or set up alike.
namespace fokker::gallery {

/// n equally spaced numbers from low to high, float64.
Tensor linspace(plot::Range range, int64_t n);
/// The density of a law on the line at x (n).
Tensor density_on(const Distribution& law, const Tensor& x);
/// The density in the plane on a grid of n x n cells, as heat maps and contours take it.
Tensor density_on(const Distribution& law, plot::Extent extent, int64_t n);
/// [-reach, reach]^2.
plot::Extent square(double reach);

/// q_t(x) over t as an image, each time divided by its maximum: (rows, columns), row by row from the lower
/// edge of `states`, the columns in the middle of equal parts of [0, 1].
Tensor density_over_time(const std::function<Tensor(const Tensor& x, double t)>& density, plot::Range states,
                         int64_t rows, int64_t columns);

/// Every `every`-th state of a simulation, the first included: (k, n, d).
Tensor simulated_paths(const Sde& sde, const Tensor& start, const std::vector<double>& times, const Rng& rng,
                       int64_t every = 1);
/// Every `every`-th state of a sampler's run, the first included: (k, n, event...).
Tensor sampled_paths(const Denoiser& denoiser, const Sampler& sampler, const TimeGrid& grid,
                     const Tensor& start, const Rng& rng, int64_t every = 1);

/// A page of panels in the gallery's sizes.
plot::Figure page(const plot::Theme& theme, int width, int height, int rows = 1, int columns = 1);
/// White to the theme's orange, or black to it: dense is far from the background (S2's colours).
plot::ColourMap warm_map(const plot::Theme& theme);
/// The closed outline of a rectangle.
void add_box(plot::Axes& axes, plot::Extent box, plot::Colour colour);
/// A vertical line through the panel, whose y limits must be set.
void add_vertical(plot::Axes& axes, double x, plot::Colour colour, const std::string& label = {});

/// A scene of one picture.
template <typename Draw>
auto one_picture(Draw draw) {
  return [draw](const plot::Theme& theme, int64_t) { return draw(theme); };
}

}  // namespace fokker::gallery
