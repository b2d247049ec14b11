#include "fokker/plot/chart/error_curves.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/figure/ticks.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/slope_triangles.h"

namespace fokker::plot {
namespace {

constexpr double kGuideRoom = 0.12;  // of the range of errors, left free below for the slope triangles

/// "heun: order 2, measured 1.98".
std::string label_of(const ErrorCurve& curve) {
  std::string label = curve.name;
  if (curve.declared) label += fmt::format(": order {}", format_number(*curve.declared));
  if (curve.measured) label += fmt::format("{} measured {:.2f}", curve.declared ? "," : ":", *curve.measured);
  return label;
}

Range positive_range(const char* what, const std::vector<double>& values) {
  for (const double value : values)
    check_input(value > 0, "error_curves: expected {} > 0 but received {}", what, value);
  return range_of(values);
}

void add_curve_of(Axes& axes, const ErrorCurve& curve, size_t index, const Theme& theme) {
  const Colour colour = theme.series(index);
  // Solid lines first; then broken ones whose neighbours differ too, since methods of one order often
  // coincide.
  const bool first_round = index < theme.palette.size();
  const auto dash = first_round ? Dash::solid : static_cast<Dash>(1 + index % 3);
  add_line(axes, curve.work, curve.errors,
           {.label = label_of(curve), .colour = colour, .width = 1.8, .dash = dash});
  add_scatter(axes, at::stack({curve.work.to(at::kDouble), curve.errors.to(at::kDouble)}, 1),
              {.colour = colour, .radius = 2.8, .alpha = 1.0});
}

SlopedCurve sloped_curve(const ErrorCurve& curve) {
  const auto x = to_vector(finite_values("error_curves", curve.work, {-1}));
  const auto y = to_vector(finite_values("error_curves", curve.errors, {-1}));
  SlopedCurve sloped;
  for (size_t i = 0; i < x.size(); ++i) sloped.points.push_back({x[i], y[i]});
  if (curve.declared && *curve.declared > 0) sloped.order = curve.declared;
  return sloped;
}

}  // namespace

Figure error_curves(const std::vector<ErrorCurve>& curves, const ErrorCurveOptions& options) {
  check(!curves.empty(), "error_curves: expected at least one curve");
  Figure figure(page_of(options.chart, 780, 500 + 18 * static_cast<int>((curves.size() + 2) / 3)));
  Axes& axes = figure.axes();
  axes.title = options.chart.title;
  axes.x = {.label = options.chart.x_label.empty() ? "steps" : options.chart.x_label,
            .limits = options.chart.x_limits,
            .scale = Scale::logarithmic};
  axes.y = {.label = options.chart.y_label.empty() ? "error" : options.chart.y_label,
            .limits = options.chart.y_limits,
            .scale = Scale::logarithmic};
  std::optional<Range> errors, work;
  std::vector<SlopedCurve> sloped;
  for (size_t i = 0; i < curves.size(); ++i) {
    const Tensor xs = finite_values("error_curves", curves[i].work, {-1});
    const Range y =
        positive_range("errors", to_vector(finite_values("error_curves", curves[i].errors, {xs.size(0)})));
    const Range x = positive_range("work", to_vector(xs));
    errors = errors ? hull(*errors, y) : y;
    work = work ? hull(*work, x) : x;
    sloped.push_back(sloped_curve(curves[i]));
    add_curve_of(axes, curves[i], i, options.chart.theme);
  }
  if (options.floor > 0) {
    errors = hull(*errors, {options.floor, options.floor});
    add_line(axes, at::tensor({work->low, work->high}), at::full({2}, options.floor, at::kDouble),
             {.label = options.floor_label, .colour = options.chart.theme.muted, .dash = Dash::dotted});
  }
  const bool triangles =
      std::any_of(sloped.begin(), sloped.end(), [](const auto& one) { return one.order.has_value(); });
  if (!axes.y.limits && triangles) {
    Range limits = padded_limits(*errors, Scale::logarithmic, kPadding);
    limits.low *= std::pow(limits.low / limits.high, kGuideRoom);
    axes.y.limits = limits;
  }
  add_slope_triangles(axes, sloped);
  return figure;
}

}  // namespace fokker::plot
