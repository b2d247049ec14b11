#include "fokker/plot/mark/quiver.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"

namespace fokker::plot {
namespace {

constexpr double kShortest = 0.5;  // pixels; a shorter arrow becomes a dot

class QuiverMark final : public Mark {
 public:
  QuiverMark(std::vector<Point> positions, std::vector<Point> vectors, SeriesColour colour,
             QuiverOptions options)
      : positions_(std::move(positions)),
        vectors_(std::move(vectors)),
        colour_(colour),
        options_(std::move(options)) {
    for (const Point& v : vectors_) strongest_ = std::max(strongest_, std::hypot(v.x, v.y));
  }

  std::optional<Bounds> bounds() const override {
    if (positions_.empty()) return std::nullopt;
    PointBounds around = bounds_of(positions_);
    // Half a distance more, so that arrows at the edge have room.
    const double side = std::sqrt(static_cast<double>(positions_.size()));
    const double x = 0.5 * around.x.span() / side, y = 0.5 * around.y.span() / side;
    return Bounds{{around.x.low - x, around.x.high + x}, {around.y.low - y, around.y.high + y}};
  }

  std::optional<LegendEntry> legend() const override {
    if (!options_.colour) return std::nullopt;
    return LegendEntry{options_.label, colour_, LegendEntry::Symbol::line};
  }

  std::optional<ColourScale> colour_scale(const Theme& theme) const override {
    if (options_.colour || positions_.empty()) return std::nullopt;
    return ColourScale{map(theme), {0, top()}, options_.label};
  }

  MarkData data() const override {
    MarkData all{.mark = "arrow"};
    for (size_t i = 0; i < positions_.size(); ++i)
      all.rows.push_back(
          {.x = positions_[i].x, .y = positions_[i].y, .x2 = vectors_[i].x, .y2 = vectors_[i].y});
    return all;
  }

  void draw(const DrawContext& context) const override {
    const Rect& box = context.transform.box;
    const double count = std::max<double>(1, static_cast<double>(positions_.size()));
    const double longest = options_.longest * std::min(60.0, std::sqrt(box.width() * box.height() / count));
    const ColourMap colours = map(context.theme);
    for (size_t i = 0; i < positions_.size(); ++i) {
      const double relative = std::hypot(vectors_[i].x, vectors_[i].y) / top();
      const Colour colour = options_.colour ? colour_.in(context.theme) : colours(relative);
      draw_arrow(context, positions_[i], vectors_[i], longest * std::pow(relative, options_.length_power),
                 colour);
    }
  }

 private:
  double top() const { return strongest_ > 0 ? strongest_ : 1; }

  /// The part of the sequential map that stands out from the background.
  ColourMap map(const Theme& theme) const {
    if (options_.map) return *options_.map;
    const ColourMap full = ColourMap::sequential();
    const bool dark = luminance(theme.background) < 0.2;
    const double low = dark ? 0.42 : 0.12, high = dark ? 1.0 : 0.66;
    std::vector<Colour> controls;
    for (int i = 0; i <= 4; ++i) controls.push_back(full(std::lerp(low, high, i / 4.0)));
    return ColourMap(controls);
  }

  static void draw_arrow(const DrawContext& context, Point at, Point vector, double length, Colour colour) {
    const Point start = context.transform.to_pixel(at);
    if (!context.transform.box.contains(start, length)) return;
    const AxesTransform& t = context.transform;
    const double x = vector.x * t.box.width() / t.x.span(), y = -vector.y * t.box.height() / t.y.span();
    const double size = std::hypot(x, y);
    if (size == 0 || length < kShortest) {
      context.canvas.discs({start}, 1, colour);
      return;
    }
    const Point along{x / size, y / size};
    const double head = std::clamp(0.36 * length, 2.0, 8.0), half = 0.42 * head;
    const Point tip{start.x + 0.5 * length * along.x, start.y + 0.5 * length * along.y};
    const Point tail{start.x - 0.5 * length * along.x, start.y - 0.5 * length * along.y};
    const Point neck{tip.x - head * along.x, tip.y - head * along.y};
    if (length > head) context.canvas.segments({{tail, neck}}, {.colour = colour, .width = 1.3});
    context.canvas.fill({tip,
                         {neck.x - half * along.y, neck.y + half * along.x},
                         {neck.x + half * along.y, neck.y - half * along.x}},
                        colour);
  }

  std::vector<Point> positions_;
  std::vector<Point> vectors_;
  SeriesColour colour_;
  QuiverOptions options_;
  double strongest_ = 0;
};

}  // namespace

void add_quiver(Axes& axes, const Tensor& positions, const Tensor& vectors, const QuiverOptions& options) {
  auto at = finite_points("quiver", positions), arrows = finite_points("quiver", vectors);
  check_input(at.size() == arrows.size(),
              "quiver: expected {} vectors, one for each position, but received {}", at.size(),
              arrows.size());
  check(options.length_power >= 0 && options.length_power <= 1,
        "quiver: expected a length power in [0, 1] but received {}", options.length_power);
  check(options.longest > 0 && std::isfinite(options.longest),
        "quiver: expected a positive longest length but received {}", options.longest);
  axes.add(std::make_shared<QuiverMark>(std::move(at), std::move(arrows), axes.next_colour(options.colour),
                                        options));
}

}  // namespace fokker::plot
