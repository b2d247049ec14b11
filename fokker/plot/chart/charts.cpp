#include "fokker/plot/chart/charts.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::plot {
namespace {

void label_axes(Axes& axes, const ChartOptions& chart, const char* x_label, const char* y_label) {
  axes.x.label = chart.x_label.empty() ? x_label : chart.x_label;
  axes.y.label = chart.y_label.empty() ? y_label : chart.y_label;
  axes.x.limits = chart.x_limits;
  axes.y.limits = chart.y_limits;
}

/// Gives axes without limits those of the data; one unit is as long on both where the ranges are similar.
void frame_points(Axes& axes, PointBounds data) {
  const Range x = axes.x.limits.value_or(padded_limits(data.x, Scale::linear, kPadding));
  const Range y = axes.y.limits.value_or(padded_limits(data.y, Scale::linear, kPadding));
  axes.equal_aspect = similar(x, y);
  axes.x.limits = x;
  axes.y.limits = y;
}

/// Pixels of a box of at most `side` in the proportions of the axes, but not too flat for its labels.
std::array<int, 2> box_size(const Axes& axes, double side) {
  if (!axes.equal_aspect) return {static_cast<int>(side), static_cast<int>(0.75 * side)};
  const double ratio = axes.y.limits->span() / axes.x.limits->span();
  const double width = ratio > 1 ? side / ratio : side, height = ratio > 1 ? side : side * ratio;
  return {static_cast<int>(std::max(width, 0.5 * side)), static_cast<int>(std::max(height, 0.4 * side))};
}

PointBounds bounds_or_unit(const std::vector<Point>& points) {
  return points.empty() ? PointBounds{{0, 1}, {0, 1}} : bounds_of(points);
}

PointBounds joint_bounds(const Tensor& left, const Tensor& right) {
  auto all = finite_points("scatter", left);
  const auto more = finite_points("scatter", right);
  all.insert(all.end(), more.begin(), more.end());
  return bounds_or_unit(all);
}

}  // namespace

FigureOptions page_of(const ChartOptions& chart, int width, int height) {
  FigureOptions options;
  options.width = chart.width > 0 ? chart.width : width;
  options.height = chart.height > 0 ? chart.height : height;
  options.theme = chart.theme;
  return options;
}

bool similar(Range x, Range y) {
  constexpr double most = 4;
  return std::max(x.span(), y.span()) <= most * std::min(x.span(), y.span());
}

Figure scatter(const Tensor& points, const ChartOptions& options, const ScatterOptions& style) {
  Axes axes;
  axes.title = options.title;
  label_axes(axes, options, "x_1", "x_2");
  frame_points(axes, bounds_or_unit(finite_points("scatter", points)));
  add_scatter(axes, points, style);
  const auto [width, height] = box_size(axes, 540);
  Figure figure(page_of(options, width + 84, height + 84));
  figure.axes() = axes;
  return figure;
}

Figure scatter_comparison(const Tensor& left, const Tensor& right, const std::array<std::string, 2>& titles,
                          const ChartOptions& options, const ScatterOptions& style) {
  Axes axes;
  label_axes(axes, options, "x_1", "x_2");
  frame_points(axes, joint_bounds(left, right));
  const auto [width, height] = box_size(axes, 460);
  FigureOptions page = page_of(options, 2 * (width + 74), height + (options.title.empty() ? 84 : 112));
  page.columns = 2;
  page.title = options.title;
  Figure figure(page);
  for (int column = 0; column < 2; ++column) {
    Axes& panel = figure.axes(0, column) = axes;
    panel.title = titles[static_cast<size_t>(column)];
    // Two colours keep the sides apart.
    ScatterOptions one = style;
    if (!one.colour) one.colour = options.theme.series(static_cast<size_t>(column));
    add_scatter(panel, column == 0 ? left : right, one);
  }
  return figure;
}

Figure histogram(const Tensor& values, const ChartOptions& options, int64_t bins) {
  check_input(values.defined() && (values.dim() == 1 || (values.dim() == 2 && values.size(1) == 1)),
              "histogram: expected shape (any) or (any, 1) but received {}",
              values.defined() ? shape_string(values) : "nothing");
  Figure figure(page_of(options, 640, 420));
  figure.axes().title = options.title;
  label_axes(figure.axes(), options, "x", "density");
  add_histogram(figure.axes(), values.reshape({-1}), {.bins = bins});
  return figure;
}

Tensor moving_average(const Tensor& values, double window) {
  check(window >= 1, "moving_average: expected a window of at least 1 but received {}", window);
  const Tensor input = finite_values("moving_average", values, {-1});
  const double decay = 1 - 1 / window;
  Tensor result = at::empty_like(input);
  const double* in = input.data_ptr<double>();
  double* out = result.data_ptr<double>();
  double sum = 0, weight = 0;
  for (int64_t i = 0; i < input.numel(); ++i) {
    sum = decay * sum + in[i];
    weight = decay * weight + 1;
    out[i] = sum / weight;
  }
  return result;
}

Figure loss_curves(const std::vector<LossSeries>& series, const LossOptions& options) {
  check(options.smoothing >= 0 && options.smoothing < 1,
        "loss_curves: expected smoothing in [0, 1) but received {}", options.smoothing);
  Figure figure(page_of(options.chart, 720, 440));
  Axes& axes = figure.axes();
  axes.title = options.chart.title;
  label_axes(axes, options.chart, "step", "loss");
  if (options.log_y) axes.y.scale = Scale::logarithmic;
  for (size_t i = 0; i < series.size(); ++i) {
    const auto& [name, steps, values] = series[i];
    const Colour colour = options.chart.theme.series(i);
    const double window = options.smoothing * (values.defined() ? static_cast<double>(values.numel()) : 0);
    if (window < 2) {
      add_line(axes, steps, values, {.label = name, .colour = colour, .width = 1.7});
      continue;
    }
    add_line(axes, steps, values, {.colour = colour, .width = 0.8, .alpha = 0.3});
    add_line(axes, steps, moving_average(values, window), {.label = name, .colour = colour, .width = 2});
  }
  return figure;
}

}  // namespace fokker::plot
