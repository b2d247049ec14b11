#include "fokker/plot/mark/bands.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/figure/ticks.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::plot {
namespace {

class BandMark final : public Mark {
 public:
  /// The outline runs along the lower curve and back along the upper one.
  /// `below` bands lie under it everywhere, which the legend shows too.
  BandMark(std::vector<Point> outline, SeriesColour colour, BandOptions options, int below)
      : outline_(std::move(outline)),
        colour_(colour),
        options_(std::move(options)),
        shown_alpha_(1 - std::pow(1 - options_.alpha, 1 + below)) {}

  std::optional<Bounds> bounds() const override {
    if (outline_.empty()) return std::nullopt;
    const PointBounds around = bounds_of(outline_);
    return Bounds{around.x, around.y};
  }

  std::optional<LegendEntry> legend() const override {
    return LegendEntry{options_.label, colour_, LegendEntry::Symbol::box, Dash::solid, shown_alpha_};
  }

  MarkData data() const override {
    MarkData all{.mark = "band"};
    for (size_t i = 0; i < outline_.size() / 2; ++i)
      all.rows.push_back({.x = outline_[i].x, .y = outline_[i].y, .y2 = outline_[outline_.size() - 1 - i].y});
    return all;
  }

  void draw(const DrawContext& context) const override {
    // Cairo's coordinates end at 2^23 pixels.
    constexpr double far = 1e6;
    std::vector<Point> pixels;
    for (const Point& point : outline_) {
      const Point at = context.transform.to_pixel(point);
      pixels.push_back({std::clamp(at.x, -far, far), std::clamp(at.y, -far, far)});
    }
    context.canvas.fill(pixels, colour_.in(context.theme).with_alpha(options_.alpha));
  }

 private:
  std::vector<Point> outline_;
  SeriesColour colour_;
  BandOptions options_;
  double shown_alpha_;
};

std::shared_ptr<BandMark> make_band(const Tensor& x, const Tensor& low, const Tensor& high,
                                    SeriesColour colour, const BandOptions& options, int below = 0) {
  check(options.alpha > 0 && options.alpha <= 1, "band: expected alpha in (0, 1] but received {}",
        options.alpha);
  const auto xs = to_vector(finite_values("band", x, {-1}));
  const auto count = static_cast<int64_t>(xs.size());
  const auto lows = to_vector(finite_values("band", low, {count})),
             highs = to_vector(finite_values("band", high, {count}));
  std::vector<Point> outline;
  for (size_t i = 0; i < xs.size(); ++i) {
    check_input(lows[i] <= highs[i], "band: expected low <= high but received {} and {} in row {}", lows[i],
                highs[i], i);
    outline.push_back({xs[i], lows[i]});
  }
  for (size_t i = xs.size(); i-- > 0;) outline.push_back({xs[i], highs[i]});
  return std::make_shared<BandMark>(std::move(outline), colour, options, below);
}

}  // namespace

void add_band(Axes& axes, const Tensor& x, const Tensor& low, const Tensor& high,
              const BandOptions& options) {
  axes.add(make_band(x, low, high, axes.next_colour(options.colour), options));
}

void add_deviation_bands(Axes& axes, const Tensor& x, const Tensor& mean, const Tensor& deviation,
                         const DeviationOptions& options) {
  const Tensor spread = finite_values("deviation bands", deviation, {-1});
  check_input((spread >= 0).all().item<bool>(), "deviation bands: expected deviations >= 0 but received {}",
              spread.min().item<double>());
  const Tensor middle = finite_values("deviation bands", mean, {spread.size(0)});
  // One series: the line's colour is that of the bands.
  const SeriesColour colour = axes.next_colour(options.colour);
  std::vector<double> widest_first = options.multiples;
  std::sort(widest_first.rbegin(), widest_first.rend());
  int below = 0;
  for (const double c : widest_first) {
    check(c > 0 && std::isfinite(c), "deviation bands: expected multiples > 0 but received {}", c);
    const bool one = c == 1;
    axes.add(make_band(x, middle - c * spread, middle + c * spread, colour,
                       {.label = fmt::format("± {}\\sigma", one ? "" : format_number(c)), .alpha = 0.2},
                       below++));
  }
  add_line(axes, x, middle, {.label = options.label, .colour = colour});
}

}  // namespace fokker::plot
