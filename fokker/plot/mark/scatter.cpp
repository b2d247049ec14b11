#include "fokker/plot/mark/scatter.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"

namespace fokker::plot {
namespace {

// Discs cost about 250 bytes each in vector formats, so there the image takes over earlier.
constexpr int64_t kMostVectorDiscs = 3000;

/// Row-major counts or densities of cells.
struct Grid {
  int rows;
  int columns;
  std::vector<float> cells;
  Grid(int rows, int columns)
      : rows(rows), columns(columns), cells(static_cast<size_t>(rows) * static_cast<size_t>(columns)) {}
  float& at(int row, int column) {
    return cells[static_cast<size_t>(row) * static_cast<size_t>(columns) + static_cast<size_t>(column)];
  }
  float at(int row, int column) const { return const_cast<Grid*>(this)->at(row, column); }
};

Grid count_points(const std::vector<Point>& points, const AxesTransform& transform, int rows, int columns) {
  Grid grid(rows, columns);
  const Rect& box = transform.box;
  const double per_x = columns / box.width(), per_y = rows / box.height();
  for (const Point& point : points) {
    if (!transform.x.contains(point.x) || !transform.y.contains(point.y)) continue;
    const Point pixel = transform.to_pixel(point);
    const int column = std::clamp(static_cast<int>((pixel.x - box.left) * per_x), 0, columns - 1);
    const int row = std::clamp(static_cast<int>((pixel.y - box.top) * per_y), 0, rows - 1);
    grid.at(row, column) += 1;
  }
  return grid;
}

/// Weights of a sampled Gaussian, from the middle outwards, that sum to 1 over both sides.
std::vector<float> gaussian_kernel(double deviation) {
  const int reach = std::max(1, static_cast<int>(std::ceil(3 * deviation)));
  std::vector<double> weights;
  double sum = 0;
  for (int i = 0; i <= reach; ++i) {
    weights.push_back(std::exp(-0.5 * (i / deviation) * (i / deviation)));
    sum += (i == 0 ? 1 : 2) * weights.back();
  }
  std::vector<float> kernel;
  kernel.reserve(weights.size());
  for (const double weight : weights) kernel.push_back(static_cast<float>(weight / sum));
  return kernel;
}

/// One pass of a separable blur; mass at the edge is lost, as that of a disc cut off by the frame.
Grid blur(const Grid& grid, const std::vector<float>& kernel, bool along_rows) {
  Grid result(grid.rows, grid.columns);
  const int reach = static_cast<int>(kernel.size()) - 1;
  for (int row = 0; row < grid.rows; ++row)
    for (int column = 0; column < grid.columns; ++column) {
      const float value = grid.at(row, column);
      if (value == 0) continue;
      for (int offset = -reach; offset <= reach; ++offset) {
        const int r = along_rows ? row : row + offset, c = along_rows ? column + offset : column;
        if (r < 0 || r >= grid.rows || c < 0 || c >= grid.columns) continue;
        result.at(r, c) += value * kernel[static_cast<size_t>(std::abs(offset))];
      }
    }
  return result;
}

/// The colour of a cell: `strength` 0 is nothing, 1 a single point, and `depth` in [0, 1] is how dense on a
/// logarithmic scale.
Colour density_colour(Colour colour, Colour emphasis, double strength, double depth) {
  constexpr double point_alpha = 0.4;
  const double alpha = std::min(1.0, strength * std::lerp(point_alpha, 1.0, std::min(1.0, 1.6 * depth)));
  const double towards = std::max(0.0, (depth - 0.5) / 0.5);
  return mix(colour, emphasis, 0.75 * towards).with_alpha(alpha);
}

Raster shade(const Grid& density, double single, Colour colour, Colour emphasis) {
  const double peak = *std::max_element(density.cells.begin(), density.cells.end());
  // With few points on top of each other nothing is dense yet.
  const double scale = std::log1p(std::max(peak / single, 30.0));
  // Mixing colours costs a power per channel: tabulate.
  constexpr int levels = 512;
  std::vector<Colour> table;
  table.reserve(levels);
  for (int i = 0; i < levels; ++i)
    table.push_back(density_colour(colour, emphasis, 1, static_cast<double>(i) / (levels - 1)));
  Raster raster(density.columns, density.rows);
  for (int row = 0; row < density.rows; ++row)
    for (int column = 0; column < density.columns; ++column) {
      const double relative = density.at(row, column) / single;
      if (relative <= 0) continue;
      const double depth = std::log1p(std::max(relative - 1, 0.0)) / scale;
      Colour shaded = table[static_cast<size_t>(std::min(depth, 1.0) * (levels - 1))];
      shaded.alpha *= std::min(1.0, relative);
      raster.set(column, row, shaded);
    }
  return raster;
}

class ScatterMark final : public Mark {
 public:
  ScatterMark(std::vector<Point> points, SeriesColour colour, ScatterOptions options)
      : points_(std::move(points)), colour_(colour), options_(std::move(options)) {
    if (!points_.empty()) bounds_ = bounds_of(points_);
  }

  std::optional<Bounds> bounds() const override {
    if (points_.empty()) return std::nullopt;
    return Bounds{bounds_.x, bounds_.y};
  }

  std::optional<LegendEntry> legend() const override {
    return LegendEntry{options_.label, colour_, LegendEntry::Symbol::dot};
  }

  MarkData data() const override {
    MarkData all{.mark = "point"};
    all.rows.reserve(points_.size());
    for (const Point& p : points_) all.rows.push_back({.x = p.x, .y = p.y});
    return all;
  }

  void draw_over(const DrawContext& context) const override {
    if (options_.over_frame) draw_discs(context, 0);
  }

  void draw(const DrawContext& context) const override {
    if (options_.over_frame) return;
    const bool vector = context.canvas.format() != ImageFormat::png;
    const int64_t most = vector ? std::min(options_.density_above, kMostVectorDiscs) : options_.density_above;
    if (static_cast<int64_t>(points_.size()) > most)
      draw_density(context);
    else
      draw_discs(context, radius());
  }

 private:
  double radius() const {
    return options_.radius.value_or(scatter_radius(static_cast<int64_t>(points_.size())));
  }

  /// Those whose middle lies in the panel or up to `margin` pixels beside it.
  void draw_discs(const DrawContext& context, double margin) const {
    std::vector<Point> visible;
    for (const Point& point : points_)
      if (const Point pixel = context.transform.to_pixel(point);
          context.transform.box.contains(pixel, margin))
        visible.push_back(pixel);
    const double alpha = options_.alpha.value_or(scatter_alpha(static_cast<int64_t>(points_.size())));
    context.canvas.discs(visible, radius(), colour_.in(context.theme).with_alpha(alpha));
  }

  void draw_density(const DrawContext& context) const {
    const Rect& box = context.transform.box;
    const double resolution = context.canvas.resolution();
    const int rows = std::max(1, static_cast<int>(std::lround(box.height() * resolution)));
    const int columns = std::max(1, static_cast<int>(std::lround(box.width() * resolution)));
    const auto kernel = gaussian_kernel(0.6 * radius() * resolution);
    const Grid counts = count_points(points_, context.transform, rows, columns);
    const Grid density = blur(blur(counts, kernel, true), kernel, false);
    const double single = static_cast<double>(kernel[0]) * kernel[0];
    Colour colour = colour_.in(context.theme);
    context.canvas.image(shade(density, single, colour, context.theme.emphasis), box);
  }

  std::vector<Point> points_;
  PointBounds bounds_;
  SeriesColour colour_;
  ScatterOptions options_;
};

}  // namespace

double scatter_radius(int64_t count) {
  const double n = std::max<double>(1, static_cast<double>(count));
  return std::clamp(4 * std::pow(100 / n, 0.25), 0.9, 4.0);
}

double scatter_alpha(int64_t count) {
  const double n = std::max<double>(1, static_cast<double>(count));
  return std::clamp(0.85 * std::pow(300 / n, 0.15), 0.4, 0.85);
}

void add_scatter(Axes& axes, const Tensor& points, const ScatterOptions& options) {
  check(!options.radius || (*options.radius > 0 && std::isfinite(*options.radius)),
        "scatter: expected a positive radius but received {}", options.radius.value_or(0));
  check(!options.alpha || (*options.alpha > 0 && *options.alpha <= 1),
        "scatter: expected alpha in (0, 1] but received {}", options.alpha.value_or(0));
  axes.add(std::make_shared<ScatterMark>(finite_points("scatter", points), axes.next_colour(options.colour),
                                         options));
}

Tensor density_counts(const Tensor& points, const AxesTransform& transform, int64_t rows, int64_t columns) {
  check(rows > 0 && columns > 0 && rows <= 30000 && columns <= 30000,
        "density_counts: expected between 1 and 30000 rows and columns but received {} x {}", rows, columns);
  Grid grid = count_points(finite_points("density_counts", points), transform, static_cast<int>(rows),
                           static_cast<int>(columns));
  return at::from_blob(grid.cells.data(), {rows, columns}, at::kFloat).clone();
}

}  // namespace fokker::plot
