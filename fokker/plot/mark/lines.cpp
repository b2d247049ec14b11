#include "fokker/plot/mark/lines.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"

namespace fokker::plot {
namespace {

using Path = std::vector<Point>;

// Cairo's coordinates end at 2^23 pixels; what leaves this frame around the panel is cut before it.
constexpr double kFarOutside = 5000;

/// At most four points for each of `columns` pixel columns: the first, lowest, highest and last. The picture
/// of a path that runs to the right stays the same, however many points it has (Jugel et al., "M4", VLDB
/// 2014).
Path thin_out(const Path& pixels, double columns) {
  const bool to_the_right =
      std::is_sorted(pixels.begin(), pixels.end(), [](Point a, Point b) { return a.x < b.x; });
  if (!to_the_right || static_cast<double>(pixels.size()) <= 4 * columns) return pixels;
  Path result;
  for (size_t start = 0; start < pixels.size();) {
    size_t end = start, low = start, high = start;
    for (; end < pixels.size() && std::floor(pixels[end].x) == std::floor(pixels[start].x); ++end) {
      if (pixels[end].y < pixels[low].y) low = end;
      if (pixels[end].y > pixels[high].y) high = end;
    }
    for (const size_t i : {start, std::min(low, high), std::max(low, high), end - 1})
      result.push_back(pixels[i]);
    start = end;
  }
  return result;
}

class LinesMark final : public Mark {
 public:
  LinesMark(std::vector<Path> paths, SeriesColour colour, LineOptions options)
      : paths_(std::move(paths)), colour_(colour), options_(std::move(options)) {}

  std::optional<Bounds> bounds() const override {
    std::optional<Bounds> all;
    for (const Path& path : paths_) {
      if (path.empty()) continue;
      const PointBounds one = bounds_of(path);
      all = all ? Bounds{hull(all->x, one.x), hull(all->y, one.y)} : Bounds{one.x, one.y};
    }
    return all;
  }

  std::optional<LegendEntry> legend() const override {
    return LegendEntry{options_.label, colour_, LegendEntry::Symbol::line, options_.dash};
  }

  MarkData data() const override {
    MarkData all{.mark = "line"};
    for (size_t curve = 0; curve < paths_.size(); ++curve)
      for (const Point& p : paths_[curve])
        all.rows.push_back({.curve = static_cast<double>(curve + 1), .x = p.x, .y = p.y});
    return all;
  }

  void draw(const DrawContext& context) const override {
    const double count = std::max<double>(1, static_cast<double>(paths_.size()));
    const double width = options_.width.value_or(std::clamp(1.9 * std::pow(count, -0.2), 0.6, 1.9));
    const double alpha = options_.alpha.value_or(std::clamp(1.6 * std::pow(count, -0.4), 0.06, 1.0));
    const Stroke stroke{colour_.in(context.theme).with_alpha(alpha), width, options_.dash};
    for (const Path& path : paths_) draw_path(context, path, stroke);
  }

 private:
  static void draw_path(const DrawContext& context, const Path& path, const Stroke& stroke) {
    const Rect& box = context.transform.box;
    const Rect frame{box.left - kFarOutside, box.top - kFarOutside, box.right + kFarOutside,
                     box.bottom + kFarOutside};
    Path pixels;
    for (const Point& point : path) pixels.push_back(context.transform.to_pixel(point));
    pixels = thin_out(pixels, box.width());
    std::vector<Point> piece;
    auto flush = [&] {
      if (piece.size() > 1) context.canvas.line(piece, stroke);
      piece.clear();
    };
    for (size_t i = 1; i < pixels.size(); ++i) {
      const Point from = pixels[i - 1], to = pixels[i];
      const auto inside = clip_segment({from, to}, frame);
      if (!inside) {
        flush();
        continue;
      }
      if (piece.empty() || !frame.contains(from)) {
        flush();
        piece.push_back(inside->from);
      }
      piece.push_back(inside->to);
    }
    flush();
  }

  std::vector<Path> paths_;
  SeriesColour colour_;
  LineOptions options_;
};

void add_all(Axes& axes, std::vector<Path> paths, const LineOptions& options) {
  check(!options.width || (*options.width > 0 && std::isfinite(*options.width)),
        "lines: expected a positive width but received {}", options.width.value_or(0));
  check(!options.alpha || (*options.alpha > 0 && *options.alpha <= 1),
        "lines: expected alpha in (0, 1] but received {}", options.alpha.value_or(0));
  axes.add(std::make_shared<LinesMark>(std::move(paths), axes.next_colour(options.colour), options));
}

}  // namespace

void add_line(Axes& axes, const Tensor& x, const Tensor& y, const LineOptions& options) {
  check_input(y.defined() && y.dim() == 1, "lines: expected y of shape (any) but received {}",
              y.defined() ? shape_string(y) : "nothing");
  add_lines(axes, x, y.unsqueeze(0), options);
}

void add_lines(Axes& axes, const Tensor& x, const Tensor& y, const LineOptions& options) {
  const Tensor shared_x = finite_values("lines", x, {-1});
  const Tensor all_y = finite_values("lines", y, {-1, shared_x.size(0)});
  const double *xs = shared_x.data_ptr<double>(), *ys = all_y.data_ptr<double>();
  const auto count = static_cast<size_t>(shared_x.size(0));
  std::vector<Path> paths(static_cast<size_t>(all_y.size(0)), Path(count));
  for (size_t line = 0; line < paths.size(); ++line)
    for (size_t i = 0; i < count; ++i) paths[line][i] = {xs[i], ys[line * count + i]};
  add_all(axes, std::move(paths), options);
}

void add_paths(Axes& axes, const Tensor& paths, const LineOptions& options) {
  const Tensor values = finite_values("paths", paths, {-1, -1, 2});
  std::vector<Path> all;
  for (int64_t i = 0; i < values.size(0); ++i) all.push_back(finite_points("paths", values[i]));
  add_all(axes, std::move(all), options);
}

void add_curve(Axes& axes, const std::function<double(double)>& function, Range range,
               const LineOptions& options, int samples) {
  check(samples >= 2, "curve: expected at least 2 samples but received {}", samples);
  check_limits("curve", range, Scale::linear);
  Path path;
  for (int i = 0; i < samples; ++i) {
    const double x = std::lerp(range.low, range.high, static_cast<double>(i) / (samples - 1));
    const double y = function(x);
    check_input(std::isfinite(y), "curve: expected finite values but received {} at {}", y, x);
    path.push_back({x, y});
  }
  add_all(axes, {std::move(path)}, options);
}

}  // namespace fokker::plot
