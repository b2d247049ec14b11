#include "fokker/plot/chart/fields.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/quiver.h"

namespace fokker::plot {
namespace {

constexpr int64_t kMostCells = 4000;  // a side

struct Cells {
  int64_t rows, columns;
};

/// `longer` cells along the longer side, and square ones unless the sides are in units too different.
Cells square_cells(const char* what, Extent extent, int64_t longer) {
  check(longer >= 2 && longer <= kMostCells, "{}: expected between 2 and {} cells a side but received {}",
        what, kMostCells, longer);
  check_limits(what, extent.x, Scale::linear);
  check_limits(what, extent.y, Scale::linear);
  const double width = extent.x.span(), height = extent.y.span(), side = std::max(width, height);
  constexpr double too_different = 8;
  const auto cells = [&](double length) {
    if (side > too_different * std::min(width, height)) return longer;
    return std::max<int64_t>(2, std::lround(static_cast<double>(longer) * length / side));
  };
  return {cells(height), cells(width)};
}

/// The colour bar of a family of lines; the lines are marks of their own.
class FamilyLegend final : public Mark {
 public:
  FamilyLegend(Range range, std::string label) : range_(range), label_(std::move(label)) {}
  void draw(const DrawContext&) const override {}
  std::optional<Bounds> bounds() const override { return std::nullopt; }
  std::optional<ColourScale> colour_scale(const Theme&) const override {
    return ColourScale{ColourMap::middle(), range_, label_};
  }

 private:
  Range range_;
  std::string label_;
};

}  // namespace

void add_density(Axes& axes, const PlaneFunction& density, Extent extent, const DensityOptions& options) {
  const Cells cells = square_cells("density", extent, options.resolution);
  const Tensor values = density(grid_points(extent, cells.rows, cells.columns));
  add_density_image(
      axes,
      finite_values("density", values, {cells.rows * cells.columns}).reshape({cells.rows, cells.columns}),
      extent, options);
}

void add_density_image(Axes& axes, const Tensor& grid, Extent extent, const DensityOptions& options) {
  const Tensor values = finite_values("density", grid, {-1, -1});
  check_input(values.numel() > 0 && (values >= 0).all().item<bool>(),
              "density: expected values >= 0 but received {}",
              values.numel() > 0 ? fmt::format("{}", values.min().item<double>()) : "none");
  check(options.contours >= 0 && options.contours <= 50,
        "density: expected between 0 and 50 contours but received {}", options.contours);
  const double most = values.max().item<double>();
  const Range range = options.range.value_or(Range{0, most > 0 ? most : 1});
  add_heatmap(axes, values, extent,
              {.shade = options.shade,
               .range = range,
               .label = options.label,
               .colour_bar = options.colour_bar,
               .smooth = true});
  if (options.contours == 0 || most == 0) return;
  std::vector<double> levels;
  for (int i = options.contours; i >= 1; --i) levels.push_back(most * std::pow(2.0, -i));
  add_contours(axes, values, extent, {.colour = &Theme::muted, .levels = levels, .width = 0.9});
}

void add_score_field(Axes& axes, const PlaneFunction& score, Extent extent,
                     const ScoreFieldOptions& options) {
  const Cells cells = square_cells("score field", extent, options.arrows);
  const Tensor at = grid_points(extent, cells.rows, cells.columns);
  add_quiver(axes, at, finite_values("score field", score(at), {at.size(0), 2}),
             {.label = options.label, .colour = options.colour, .length_power = 0.5, .longest = 1.3});
}

void add_function_over_time(Axes& axes, const TimeFunction& function, Range times, Range x,
                            const TimeImageOptions& options) {
  check(options.times >= 2 && options.values >= 2 && std::max(options.times, options.values) <= kMostCells,
        "function over time: expected between 2 and {} cells a side but received {} x {}", kMostCells,
        options.times, options.values);
  const Extent extent{times, x};
  check_limits("time", times, Scale::linear);
  check_limits("x", x, Scale::linear);
  const Tensor places = grid_points(extent, options.values, 1).select(1, 1).contiguous();
  const Tensor middles = grid_points(extent, 1, options.times).select(1, 0).contiguous();
  std::vector<Tensor> columns;
  for (const double t : to_vector(middles))
    columns.push_back(finite_values("function over time", function(places, t), {options.values}));
  Tensor grid = at::stack(columns, 1);
  if (options.relative) grid = grid / grid.amax(0).clamp_min(1e-300);
  const double most = std::max(grid.abs().max().item<double>(), 1e-300);
  HeatmapOptions image{
      .range = Range{options.density ? 0 : -most, most}, .label = options.label, .smooth = true};
  if (options.density)
    image.shade = options.shade;
  else
    image.map = ColourMap::diverging();
  add_heatmap(axes, grid, extent, image);
}

void add_line_family(Axes& axes, const Tensor& x, const Tensor& y, const Tensor& parameter,
                     const FamilyOptions& options) {
  const Tensor all = finite_values("line family", y, {-1, -1});
  const auto values = to_vector(finite_values("line family", parameter, {all.size(0)}));
  check_input(!values.empty(), "line family: expected at least one line");
  const Range range = padded_limits(range_of(values), Scale::linear, 0);
  const ColourMap colours = ColourMap::middle();
  axes.add(std::make_shared<FamilyLegend>(range, options.label));
  for (int64_t i = 0; i < all.size(0); ++i) {
    const double relative = (values[static_cast<size_t>(i)] - range.low) / range.span();
    add_line(axes, x, all[i], {.colour = colours(relative), .width = options.width});
  }
}

}  // namespace fokker::plot
