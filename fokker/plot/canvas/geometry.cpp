#include "fokker/plot/canvas/geometry.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fokker/core/check.h"

namespace fokker::plot {
namespace {

// Below this ratio of span to magnitude, neighbouring ticks would not be distinct doubles.
constexpr double kNarrowest = 1e-12;

double magnitude(Range range) {
  return std::max(std::abs(range.low), std::abs(range.high));
}

double fraction_of(double value, Range range, Scale scale) {
  if (scale == Scale::linear) return (value - range.low) / range.span();
  return std::log(std::max(value, 1e-300) / range.low) / std::log(range.high / range.low);
}

double value_at(double fraction, Range range, Scale scale) {
  if (scale == Scale::linear) return range.low + fraction * range.span();
  return range.low * std::pow(range.high / range.low, fraction);
}

Range padded_linear(Range data, double padding) {
  if (data.span() <= kNarrowest * magnitude(data)) {
    const double around = magnitude(data) > 1e-300 ? 0.5 * magnitude(data) : 0.5;
    return {data.low - around, data.high + around};
  }
  return {data.low - padding * data.span(), data.high + padding * data.span()};
}

Range padded_logarithmic(Range data, double padding) {
  const double ratio = data.high / data.low;
  const double factor = ratio > 1 + kNarrowest ? std::pow(ratio, padding) : std::sqrt(10.0);
  return {data.low / factor, data.high * factor};
}

}  // namespace

Range hull(Range a, Range b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

std::optional<Segment> clip_segment(Segment segment, const Rect& rect) {
  const double dx = segment.to.x - segment.from.x, dy = segment.to.y - segment.from.y;
  const std::array<double, 4> slope{-dx, dx, -dy, dy};
  const std::array<double, 4> room{segment.from.x - rect.left, rect.right - segment.from.x,
                                   segment.from.y - rect.top, rect.bottom - segment.from.y};
  double enter = 0, leave = 1;
  for (size_t side = 0; side < 4; ++side) {
    if (slope[side] == 0) {
      if (room[side] < 0) return std::nullopt;
      continue;
    }
    const double crossing = room[side] / slope[side];
    if (slope[side] < 0)
      enter = std::max(enter, crossing);
    else
      leave = std::min(leave, crossing);
  }
  if (enter > leave) return std::nullopt;
  const Point start = segment.from;
  return Segment{{start.x + enter * dx, start.y + enter * dy}, {start.x + leave * dx, start.y + leave * dy}};
}

void check_limits(const char* axis, Range limits, Scale scale) {
  check(std::isfinite(limits.low) && std::isfinite(limits.high) && std::isfinite(limits.span()),
        "Axes: expected finite {} limits but received {} to {}", axis, limits.low, limits.high);
  check(limits.low < limits.high, "Axes: expected increasing {} limits but received {} to {}", axis,
        limits.low, limits.high);
  check(limits.span() > kNarrowest * magnitude(limits),
        "Axes: expected {} limits further apart than rounding but received {} to {}", axis, limits.low,
        limits.high);
  check(scale == Scale::linear || limits.low > 0,
        "Axes: expected positive {} values on a logarithmic axis but received {}", axis, limits.low);
}

Range padded_limits(Range data, Scale scale, double padding) {
  check(std::isfinite(data.low) && std::isfinite(data.high) && std::isfinite(data.span()),
        "Axes: expected a finite range of data but received {} to {}", data.low, data.high);
  check(scale == Scale::linear || data.low > 0,
        "Axes: expected positive values on a logarithmic axis but received {}", data.low);
  return scale == Scale::linear ? padded_linear(data, padding) : padded_logarithmic(data, padding);
}

Point AxesTransform::to_pixel(Point data) const {
  return {box.left + fraction_of(data.x, x, x_scale) * box.width(),
          box.bottom - fraction_of(data.y, y, y_scale) * box.height()};
}

Point AxesTransform::to_data(Point pixel) const {
  return {value_at((pixel.x - box.left) / box.width(), x, x_scale),
          value_at((box.bottom - pixel.y) / box.height(), y, y_scale)};
}

}  // namespace fokker::plot
