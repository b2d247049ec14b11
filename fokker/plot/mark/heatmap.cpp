#include "fokker/plot/mark/heatmap.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"

namespace fokker::plot {
namespace {

struct Values {
  int64_t rows;
  int64_t columns;
  std::vector<double> cells;
  double at(int64_t row, int64_t column) const {
    row = std::clamp<int64_t>(row, 0, rows - 1);
    column = std::clamp<int64_t>(column, 0, columns - 1);
    return cells[static_cast<size_t>(row * columns + column)];
  }
  double nearest(double row, double column) const {
    return at(static_cast<int64_t>(std::floor(row)), static_cast<int64_t>(std::floor(column)));
  }
  /// Bilinear between the middles of the cells.
  double smooth(double row, double column) const {
    const double r = std::floor(row - 0.5), c = std::floor(column - 0.5);
    const double fr = row - 0.5 - r, fc = column - 0.5 - c;
    const auto i = static_cast<int64_t>(r), j = static_cast<int64_t>(c);
    return std::lerp(std::lerp(at(i, j), at(i, j + 1), fc), std::lerp(at(i + 1, j), at(i + 1, j + 1), fc),
                     fr);
  }
};

Values read_grid(const char* what, const Tensor& grid, const Extent& extent) {
  check_limits("heat map", extent.x, Scale::linear);
  check_limits("heat map", extent.y, Scale::linear);
  const Tensor values = finite_values(what, grid, {-1, -1});
  check_input(values.numel() > 0, "{}: expected at least one value but received shape {}", what,
              shape_string(grid));
  return {values.size(0), values.size(1), to_vector(values)};
}

class HeatmapMark final : public Mark {
 public:
  HeatmapMark(Values values, Extent extent, HeatmapOptions options, Range range)
      : values_(std::move(values)), extent_(extent), options_(std::move(options)), range_(range) {}

  std::optional<Bounds> bounds() const override { return Bounds{extent_.x, extent_.y, false, false, false}; }

  std::optional<ColourScale> colour_scale(const Theme& theme) const override {
    if (!options_.colour_bar) return std::nullopt;
    return ColourScale{map(theme), range_, options_.label};
  }

  // Sampled at the resolution of the canvas, so that all formats and both scales show the same.
  MarkData data() const override {
    MarkData all{.mark = "cell"};
    const double width = extent_.x.span() / static_cast<double>(values_.columns),
                 height = extent_.y.span() / static_cast<double>(values_.rows);
    for (size_t i = 0; i < values_.cells.size(); ++i) {
      const auto columns = static_cast<size_t>(values_.columns);
      const size_t row = i / columns;
      all.rows.push_back({.x = extent_.x.low + (static_cast<double>(i % columns) + 0.5) * width,
                          .y = extent_.y.low + (static_cast<double>(row) + 0.5) * height,
                          .value = values_.cells[i]});
    }
    return all;
  }

  void draw(const DrawContext& context) const override {
    const AxesTransform& t = context.transform;
    const ColourMap colours = map(context.theme);
    const double resolution = context.canvas.resolution();
    Raster raster(std::max(1, static_cast<int>(std::lround(t.box.width() * resolution))),
                  std::max(1, static_cast<int>(std::lround(t.box.height() * resolution))));
    for (int i = 0; i < raster.height(); ++i) {
      const double py = t.box.top + (i + 0.5) / raster.height() * t.box.height();
      for (int j = 0; j < raster.width(); ++j) {
        const Point at = t.to_data({t.box.left + (j + 0.5) / raster.width() * t.box.width(), py});
        if (extent_.x.contains(at.x) && extent_.y.contains(at.y)) raster.set(j, i, colours(relative(at)));
      }
    }
    context.canvas.image(raster, t.box);
  }

 private:
  ColourMap map(const Theme& theme) const {
    return options_.shade > 0 ? shading(theme, options_.shade) : options_.map;
  }

  /// The value at a place, 0 and 1 at the ends of the range.
  double relative(Point at) const {
    const double row = (at.y - extent_.y.low) / extent_.y.span() * static_cast<double>(values_.rows);
    const double column = (at.x - extent_.x.low) / extent_.x.span() * static_cast<double>(values_.columns);
    const double value = options_.smooth ? values_.smooth(row, column) : values_.nearest(row, column);
    return (value - range_.low) / range_.span();
  }

  Values values_;
  Extent extent_;
  HeatmapOptions options_;
  Range range_;
};

class ContourMark final : public Mark {
 public:
  ContourMark(std::vector<Segment> segments, Extent extent, SeriesColour colour, ContourOptions options)
      : segments_(std::move(segments)), extent_(extent), colour_(colour), options_(std::move(options)) {}

  std::optional<Bounds> bounds() const override { return Bounds{extent_.x, extent_.y, false, false, false}; }

  std::optional<LegendEntry> legend() const override {
    return LegendEntry{options_.label, colour_, LegendEntry::Symbol::line};
  }

  MarkData data() const override {
    MarkData all{.mark = "contour"};
    for (const Segment& s : segments_)
      all.rows.push_back({.x = s.from.x, .y = s.from.y, .x2 = s.to.x, .y2 = s.to.y});
    return all;
  }

  void draw(const DrawContext& context) const override {
    std::vector<Segment> pixels;
    for (const Segment& segment : segments_) {
      const Segment placed{context.transform.to_pixel(segment.from), context.transform.to_pixel(segment.to)};
      if (auto inside = clip_segment(placed, context.transform.box)) pixels.push_back(*inside);
    }
    context.canvas.segments(pixels, {.colour = colour_.in(context.theme), .width = options_.width});
  }

 private:
  std::vector<Segment> segments_;
  Extent extent_;
  SeriesColour colour_;
  ContourOptions options_;
};

struct Corner {
  Point place;
  double value;
};

/// Where the level crosses the edge a-b, if it does.
void cross(const Corner& a, const Corner& b, double level, std::vector<Point>& crossings) {
  if ((a.value < level) == (b.value < level)) return;
  const double t = (level - a.value) / (b.value - a.value);
  crossings.push_back({std::lerp(a.place.x, b.place.x, t), std::lerp(a.place.y, b.place.y, t)});
}

void add_cell(const std::array<Corner, 4>& corners, double level, std::vector<Segment>& segments) {
  std::vector<Point> at;
  for (size_t i = 0; i < 4; ++i) cross(corners[i], corners[(i + 1) % 4], level, at);
  if (at.size() == 2) segments.push_back({at[0], at[1]});
  if (at.size() != 4) return;
  // A saddle: the value in the middle says which corners are connected.
  const double middle = 0.25 * (corners[0].value + corners[1].value + corners[2].value + corners[3].value);
  const bool first_corner_apart = (middle < level) != (corners[0].value < level);
  if (first_corner_apart) {
    segments.push_back({at[3], at[0]});
    segments.push_back({at[1], at[2]});
  } else {
    segments.push_back({at[0], at[1]});
    segments.push_back({at[2], at[3]});
  }
}

}  // namespace

void add_heatmap(Axes& axes, const Tensor& grid, Extent extent, const HeatmapOptions& options) {
  Values values = read_grid("heatmap", grid, extent);
  if (options.range) check_limits("colour", *options.range, Scale::linear);
  const Range range =
      options.range ? *options.range : padded_limits(range_of(values.cells), Scale::linear, 0);
  axes.add(std::make_shared<HeatmapMark>(std::move(values), extent, options, range));
}

Tensor grid_points(Extent extent, int64_t rows, int64_t columns) {
  check(rows > 0 && columns > 0, "grid_points: expected positive rows and columns but received {} x {}", rows,
        columns);
  auto middles = [](Range range, int64_t count) {
    return range.low + range.span() * (at::arange(count, at::kDouble) + 0.5) / static_cast<double>(count);
  };
  const Tensor x = middles(extent.x, columns).unsqueeze(0).expand({rows, columns});
  const Tensor y = middles(extent.y, rows).unsqueeze(1).expand({rows, columns});
  return at::stack({x, y}, 2).reshape({rows * columns, 2});
}

std::vector<Segment> contour_segments(const Tensor& grid, Extent extent, double level) {
  const Values values = read_grid("contours", grid, extent);
  check_input(values.rows > 1 && values.columns > 1,
              "contours: expected at least 2 x 2 values but received {}", shape_string(grid));
  const double dx = extent.x.span() / static_cast<double>(values.columns);
  const double dy = extent.y.span() / static_cast<double>(values.rows);
  auto corner = [&](int64_t row, int64_t column) {
    return Corner{{extent.x.low + (static_cast<double>(column) + 0.5) * dx,
                   extent.y.low + (static_cast<double>(row) + 0.5) * dy},
                  values.at(row, column)};
  };
  std::vector<Segment> segments;
  for (int64_t row = 0; row + 1 < values.rows; ++row)
    for (int64_t column = 0; column + 1 < values.columns; ++column)
      add_cell({corner(row, column), corner(row, column + 1), corner(row + 1, column + 1),
                corner(row + 1, column)},
               level, segments);
  return segments;
}

void add_contours(Axes& axes, const Tensor& grid, Extent extent, const ContourOptions& options) {
  check(!options.levels.empty() || options.count > 0, "contours: expected at least 1 level but received {}",
        options.count);
  std::vector<double> levels = options.levels;
  if (levels.empty()) {
    const Range range = range_of(read_grid("contours", grid, extent).cells);
    for (int i = 1; i <= options.count; ++i)
      levels.push_back(std::lerp(range.low, range.high, static_cast<double>(i) / (options.count + 1)));
  }
  std::vector<Segment> all;
  for (const double level : levels) {
    const auto segments = contour_segments(grid, extent, level);
    all.insert(all.end(), segments.begin(), segments.end());
  }
  axes.add(std::make_shared<ContourMark>(std::move(all), extent, axes.next_colour(options.colour), options));
}

}  // namespace fokker::plot
