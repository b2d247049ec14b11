#include "fokker/plot/mark/slope_triangles.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/figure/layout.h"
#include "fokker/plot/figure/ticks.h"

namespace fokker::plot {
namespace {

constexpr double kWidest = 80;       // pixels, of the horizontal leg
constexpr double kTallest = 80;      // pixels, of the other
constexpr double kFromCurve = 9;     // pixels between the slanted side and its curve
constexpr double kRoomForText = 13;  // pixels beside a leg
constexpr int kPlaces = 24;          // tried along a curve, on each side

using Triangle = std::array<Point, 3>;  // the ends of the slanted side, then the right angle

double distance_to(Point p, const Segment& s) {
  const double dx = s.to.x - s.from.x, dy = s.to.y - s.from.y, length = dx * dx + dy * dy;
  const double along = ((p.x - s.from.x) * dx + (p.y - s.from.y) * dy) / (length > 0 ? length : 1);
  const double t = std::clamp(along, 0.0, 1.0);
  return std::hypot(p.x - s.from.x - t * dx, p.y - s.from.y - t * dy);
}

Point between(Point a, Point b, double t) {
  return {std::lerp(a.x, b.x, t), std::lerp(a.y, b.y, t)};
}

/// Where the labels of the legs stand: "1" beside the horizontal one and p beside the other, outside.
struct LegLabels {
  Point one, order;
  bool right, below;
};
LegLabels leg_labels(const Triangle& t) {
  const Point corner = t[2];
  const Point other_x = corner.y == t[0].y ? t[0] : t[1], other_y = corner.y == t[0].y ? t[1] : t[0];
  const bool below = other_y.y < corner.y, right = other_x.x < corner.x;
  return {{between(corner, other_x, 0.5).x, corner.y + (below ? 3 : -3)},
          {corner.x + (right ? 4 : -4), between(corner, other_y, 0.5).y},
          right,
          below};
}

/// Places that a triangle and its labels cover.
std::vector<Point> outline_points(const Triangle& t) {
  std::vector<Point> points;
  for (size_t side = 0; side < 3; ++side)
    for (int i = 0; i < 4; ++i) points.push_back(between(t[side], t[(side + 1) % 3], i / 4.0));
  const LegLabels labels = leg_labels(t);
  points.push_back({labels.one.x, labels.one.y + (labels.below ? kRoomForText : -kRoomForText)});
  points.push_back({labels.order.x + (labels.right ? kRoomForText : -kRoomForText), labels.order.y});
  return points;
}

class SlopeTriangles final : public Mark {
 public:
  explicit SlopeTriangles(std::vector<SlopedCurve> curves) : curves_(std::move(curves)) {}

  std::optional<Bounds> bounds() const override { return std::nullopt; }

  void draw(const DrawContext& context) const override {
    const AxesTransform& t = context.transform;
    check(t.x_scale == Scale::logarithmic && t.y_scale == Scale::logarithmic,
          "slope triangles: expected two logarithmic axes");
    std::vector<std::vector<Segment>> lines;
    for (const SlopedCurve& curve : curves_) lines.push_back(segments_of(curve, t));
    std::vector<Segment> taken;
    for (const auto& line : lines) taken.insert(taken.end(), line.begin(), line.end());
    for (const double order : orders()) {
      const auto triangle = best_place(order, lines, taken, t);
      if (!triangle) continue;  // the panel is too small for one
      draw_triangle(context, *triangle, order);
      for (size_t i = 0; i < 3; ++i) taken.push_back({(*triangle)[i], (*triangle)[(i + 1) % 3]});
    }
  }

 private:
  std::vector<double> orders() const {
    std::vector<double> all;
    for (const SlopedCurve& curve : curves_)
      if (curve.order) all.push_back(*curve.order);
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

  static std::vector<Segment> segments_of(const SlopedCurve& curve, const AxesTransform& t) {
    std::vector<Segment> segments;
    for (size_t i = 0; i + 1 < curve.points.size(); ++i)
      segments.push_back({t.to_pixel(curve.points[i]), t.to_pixel(curve.points[i + 1])});
    return segments;
  }

  std::optional<Triangle> best_place(double order, const std::vector<std::vector<Segment>>& lines,
                                     const std::vector<Segment>& taken, const AxesTransform& t) const {
    // Pixels down per pixel to the right of y ~ x^{-p}.
    const double slope =
        order * t.box.height() / std::log(t.y.high / t.y.low) / t.box.width() * std::log(t.x.high / t.x.low);
    const double width = std::min(kWidest, kTallest / slope);
    std::optional<Triangle> best;
    double clearance = -INFINITY;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (curves_[i].order != order) continue;
      for (const Segment& piece : lines[i])
        for (int place = 0; place <= kPlaces; ++place)
          for (const bool below : {true, false}) {
            const Triangle candidate =
                beside(between(piece.from, piece.to, place / double{kPlaces}), slope, width, below);
            const double room = room_of(candidate, taken, t.box);
            if (room <= clearance) continue;
            clearance = room;
            best = candidate;
          }
    }
    return best;
  }

  /// The triangle whose slanted side is parallel to the slope, its middle `kFromCurve` from a point.
  static Triangle beside(Point at, double slope, double width, bool below) {
    const double length = std::hypot(1, slope), side = (below ? 1 : -1) * kFromCurve / length;
    const Point middle{at.x - side * slope, at.y + side};
    const Point left{middle.x - 0.5 * width, middle.y - 0.5 * width * slope};
    const Point right{middle.x + 0.5 * width, middle.y + 0.5 * width * slope};
    return {left, right, below ? Point{left.x, right.y} : Point{right.x, left.y}};
  }

  /// The least distance to what is drawn already, capped where it is ample, so that the nearest to the middle
  /// of the box is the best of several free places. Nothing outside the box.
  static double room_of(const Triangle& triangle, const std::vector<Segment>& taken, const Rect& box) {
    constexpr double ample = 12;
    double room = ample;
    for (const Point& point : outline_points(triangle)) {
      if (!box.contains(point, -3)) return -INFINITY;
      for (const Segment& segment : taken) room = std::min(room, distance_to(point, segment));
    }
    const Point middle = box.centre();
    return room - 0.004 * std::hypot(triangle[2].x - middle.x, triangle[2].y - middle.y);
  }

  static void draw_triangle(const DrawContext& context, const Triangle& triangle, double order) {
    const Colour colour = context.theme.muted;
    context.canvas.fill({triangle[0], triangle[1], triangle[2]}, colour.with_alpha(0.15));
    context.canvas.line({triangle[0], triangle[1], triangle[2], triangle[0]},
                        {.colour = colour, .width = 1.1});
    const LegLabels labels = leg_labels(triangle);
    TextStyle style = tick_style(context.theme);
    style.horizontal = HorizontalAlign::centre;
    style.vertical = labels.below ? VerticalAlign::top : VerticalAlign::bottom;
    context.canvas.text("1", labels.one, style);
    style.horizontal = labels.right ? HorizontalAlign::left : HorizontalAlign::right;
    style.vertical = VerticalAlign::middle;
    context.canvas.text(format_number(order), labels.order, style);
  }

  std::vector<SlopedCurve> curves_;
};

}  // namespace

void add_slope_triangles(Axes& axes, const std::vector<SlopedCurve>& curves) {
  for (const SlopedCurve& curve : curves) {
    check(!curve.order || (*curve.order > 0 && std::isfinite(*curve.order)),
          "slope triangles: expected finite orders > 0 but received {}", curve.order.value_or(0));
    for (const Point& point : curve.points)
      check_input(point.x > 0 && point.y > 0, "slope triangles: expected positive points but received {}, {}",
                  point.x, point.y);
  }
  axes.add(std::make_shared<SlopeTriangles>(curves));
}

}  // namespace fokker::plot
