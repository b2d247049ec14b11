#include "fokker/plot/mark/bars.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"

namespace fokker::plot {
namespace {

constexpr int64_t kMostBins = 100000;

struct Bar {
  Range x;
  double height;
};

class BarsMark final : public Mark {
 public:
  enum class Style { separate, steps, outline };

  BarsMark(std::vector<Bar> bars, SeriesColour colour, std::string label, Style style)
      : bars_(std::move(bars)), colour_(colour), label_(std::move(label)), style_(style) {}

  std::optional<Bounds> bounds() const override {
    if (bars_.empty()) return std::nullopt;
    Bounds all{bars_.front().x, {0, 0}};
    for (const Bar& bar : bars_) {
      all.x = hull(all.x, bar.x);
      all.y = hull(all.y, {std::min(0.0, bar.height), std::max(0.0, bar.height)});
    }
    all.pad_y_low = all.y.low < 0;
    all.pad_y_high = all.y.high > 0;
    return all;
  }

  std::optional<LegendEntry> legend() const override {
    const auto symbol = style_ == Style::outline ? LegendEntry::Symbol::line : LegendEntry::Symbol::box;
    return LegendEntry{label_, colour_, symbol};
  }

  MarkData data() const override {
    MarkData all{.mark = "bar"};
    all.rows.reserve(bars_.size());
    for (const Bar& bar : bars_) all.rows.push_back({.x = bar.x.low, .y = bar.height, .x2 = bar.x.high});
    return all;
  }

  void draw(const DrawContext& context) const override {
    if (bars_.empty()) return;
    const Colour colour = colour_.in(context.theme);
    if (style_ == Style::separate) {
      for (const Bar& bar : bars_)
        context.canvas.fill(rectangle(bar, context.transform), colour.with_alpha(0.85));
      return;
    }
    const std::vector<Point> steps = outline(context.transform);
    if (style_ == Style::steps) context.canvas.fill(steps, colour.with_alpha(0.35));
    context.canvas.line(steps, {.colour = colour, .width = 1.5});
  }

 private:
  static Rect rectangle(const Bar& bar, const AxesTransform& transform) {
    const Point top = transform.to_pixel({bar.x.low, std::max(bar.height, 0.0)});
    const Point bottom = transform.to_pixel({bar.x.high, std::min(bar.height, 0.0)});
    return {top.x, top.y, bottom.x, bottom.y};
  }

  std::vector<Point> outline(const AxesTransform& transform) const {
    std::vector<Point> points{transform.to_pixel({bars_.front().x.low, 0})};
    for (const Bar& bar : bars_) {
      points.push_back(transform.to_pixel({bar.x.low, bar.height}));
      points.push_back(transform.to_pixel({bar.x.high, bar.height}));
    }
    points.push_back(transform.to_pixel({bars_.back().x.high, 0}));
    return points;
  }

  std::vector<Bar> bars_;
  SeriesColour colour_;
  std::string label_;
  Style style_;
};

int64_t choose_bins(std::vector<double> values, Range range) {
  if (values.size() < 2) return 10;
  auto quantile = [&](double q) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
  };
  const double quartiles = -quantile(0.25) + quantile(0.75);
  const double width = 2 * quartiles / std::cbrt(static_cast<double>(values.size()));
  if (!(width > 0)) return 50;
  return static_cast<int64_t>(std::clamp(std::ceil(range.span() / width), 10.0, 200.0));
}

/// The bin of a value in the range, corrected for rounding against the edges themselves.
int64_t bin_of(double value, const std::vector<double>& edges) {
  const auto bins = static_cast<int64_t>(edges.size()) - 1;
  const double span = edges.back() - edges.front();
  auto bin = std::clamp<int64_t>(
      static_cast<int64_t>((value - edges.front()) / span * static_cast<double>(bins)), 0, bins - 1);
  while (bin > 0 && value < edges[static_cast<size_t>(bin)]) --bin;
  while (bin < bins - 1 && value >= edges[static_cast<size_t>(bin) + 1]) ++bin;
  return bin;
}

}  // namespace

Histogram make_histogram(const Tensor& values, int64_t bins, std::optional<Range> range) {
  const auto numbers = to_vector(finite_values("histogram", values, {-1}));
  check(bins >= 0 && bins <= kMostBins, "histogram: expected between 1 and {} bins but received {}",
        kMostBins, bins);
  check_input(!numbers.empty(), "histogram: expected at least one value but received none");
  if (range)
    check_limits("histogram", *range, Scale::linear);
  else
    range = padded_limits(range_of(numbers), Scale::linear, 0);
  if (bins == 0) bins = choose_bins(numbers, *range);
  std::vector<double> edges(static_cast<size_t>(bins) + 1);
  for (size_t i = 0; i < edges.size(); ++i)
    edges[i] = std::lerp(range->low, range->high, static_cast<double>(i) / static_cast<double>(bins));
  std::vector<double> counts(static_cast<size_t>(bins));
  double total = 0;
  for (const double value : numbers) {
    if (!range->contains(value)) continue;
    counts[static_cast<size_t>(bin_of(value, edges))] += 1;
    total += 1;
  }
  check_input(total > 0, "histogram: expected values between {} and {} but received none", range->low,
              range->high);
  const Tensor edge_tensor = at::tensor(edges, at::kDouble), count_tensor = at::tensor(counts, at::kDouble);
  return {edge_tensor, count_tensor, count_tensor / (total * edge_tensor.diff())};
}

void add_histogram(Axes& axes, const Tensor& values, const HistogramOptions& options) {
  const Histogram histogram = make_histogram(values, options.bins, options.range);
  const auto edges = to_vector(histogram.edges), density = to_vector(histogram.density);
  std::vector<Bar> bars;
  for (size_t i = 0; i < density.size(); ++i) bars.push_back({{edges[i], edges[i + 1]}, density[i]});
  axes.add(std::make_shared<BarsMark>(std::move(bars), axes.next_colour(options.colour), options.label,
                                      options.fill ? BarsMark::Style::steps : BarsMark::Style::outline));
}

void add_bars(Axes& axes, const Tensor& positions, const Tensor& heights, const BarOptions& options) {
  const auto x = to_vector(finite_values("bars", positions, {-1}));
  const auto y = to_vector(finite_values("bars", heights, {static_cast<int64_t>(x.size())}));
  double width = options.width.value_or(0.8);
  check(width > 0 && std::isfinite(width), "bars: expected a positive width but received {}", width);
  if (!options.width && x.size() > 1) {
    std::vector<double> sorted = x;
    std::sort(sorted.begin(), sorted.end());
    double least = INFINITY;
    for (size_t i = 1; i < sorted.size(); ++i)
      if (sorted[i] > sorted[i - 1]) least = std::min(least, sorted[i] - sorted[i - 1]);
    if (std::isfinite(least)) width = 0.8 * least;
  }
  std::vector<Bar> bars;
  for (size_t i = 0; i < x.size(); ++i) bars.push_back({{x[i] - 0.5 * width, x[i] + 0.5 * width}, y[i]});
  axes.add(std::make_shared<BarsMark>(std::move(bars), axes.next_colour(options.colour), options.label,
                                      BarsMark::Style::separate));
}

}  // namespace fokker::plot
