#pragma once
#include <optional>

namespace fokker::plot {

struct Point {
  double x = 0;
  double y = 0;
};

/// A closed interval, low <= high.
struct Range {
  double low = 0;
  double high = 1;
  double span() const { return high - low; }
  double middle() const { return low + 0.5 * (high - low); }
  bool contains(double value) const { return low <= value && value <= high; }
};

/// The smallest range that holds both.
Range hull(Range a, Range b);

/// A rectangle on the page in pixels; y grows downwards.
struct Rect {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  double width() const { return right - left; }
  double height() const { return bottom - top; }
  Point centre() const { return {0.5 * (left + right), 0.5 * (top + bottom)}; }
  bool contains(Point p, double margin = 0) const {
    return p.x >= left - margin && p.x <= right + margin && p.y >= top - margin && p.y <= bottom + margin;
  }
};

/// The part of the segment a-b inside `rect` (Liang and Barsky, 1984); nothing where it passes outside.
struct Segment {
  Point from;
  Point to;
};
std::optional<Segment> clip_segment(Segment segment, const Rect& rect);

enum class Scale { linear, logarithmic };

/// The fraction of free space that axes leave around their data.
inline constexpr double kPadding = 0.04;

/// Limits that show `data` with a fraction `padding` of free space on both sides. Constant data gets a range
/// around it. Argument error where the data is not finite, or not positive on a logarithmic scale.
Range padded_limits(Range data, Scale scale, double padding);

/// Refuses limits that are not finite, not increasing, too narrow for double precision, or, on a logarithmic
/// scale, not positive. `axis` names them in the message.
void check_limits(const char* axis, Range limits, Scale scale);

/// The map between data and pixels of one panel.
struct AxesTransform {
  Range x;  ///< data limits
  Range y;
  Rect box;  ///< where they lie on the page
  Scale x_scale = Scale::linear;
  Scale y_scale = Scale::linear;

  /// On a logarithmic axis a value that is not positive maps far outside the low end.
  Point to_pixel(Point data) const;
  Point to_data(Point pixel) const;
};

}  // namespace fokker::plot
