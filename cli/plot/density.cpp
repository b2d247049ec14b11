// fokker plot density: the law of x_t, or of the rows of a file.
#include "cli/command/plot.h"
#include "cli/law.h"
#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/plot/chart/fields.h"
#include "fokker/plot/chart/kernel_density.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::cli {
namespace {

constexpr size_t kMostPanels = 24;
constexpr size_t kMostNamedLines = 6;  // in a legend; more are told apart by a colour bar
constexpr int64_t kLinePoints = 500;

std::vector<Law> laws_of(const PlotOptions& o) {
  std::vector<Law> laws;
  const auto times = o.times.empty() ? std::vector<double>{0} : parse_numbers("time", o.times);
  check(times.size() <= kMostPanels, "time: expected at most {} times but received {}", kMostPanels,
        times.size());
  laws.reserve(times.size());
  for (const double t : times)
    laws.push_back(law_at(subject_of(o), o.study.process, t, o.common.seed, o.reading.load_options()));
  return laws;
}

Tensor line_points(plot::Range x) {
  return plot::grid_points({x, {0, 1}}, 1, kLinePoints).narrow(1, 0, 1).contiguous();
}

/// On the points of `line_points`.
Tensor density_on_line(const Law& law, plot::Range x) {
  return law.density ? law.density(line_points(x))
                     : plot::kernel_density(law.samples.select(1, 0), x, kLinePoints);
}

std::string time_label(double t) {
  return fmt::format("t = {:.3g}", t);
}

plot::Figure line_figure(const PlotOptions& o, const char* x_label) {
  plot::Figure figure(plot::page_of(chart_of(o.picture), 680, 440));
  figure.axes().title = o.picture.title;
  figure.axes().x.label = x_label;
  return figure;
}

plot::Figure draw_lines(const PlotOptions& o, const std::vector<Law>& laws, plot::Range x) {
  plot::Figure figure = line_figure(o, laws.front().time == 0 && laws.size() == 1 ? "x" : "x_t");
  plot::Axes& axes = figure.axes();
  axes.x.limits = x;
  axes.y.label = laws.front().label();
  const Tensor points = line_points(x).select(1, 0);
  if (laws.size() == 1 && !laws[0].density)
    plot::add_histogram(axes, laws[0].samples.select(1, 0), {.label = "histogram", .range = x});
  if (laws.size() <= kMostNamedLines) {
    for (const Law& law : laws)
      plot::add_line(axes, points, density_on_line(law, x),
                     {.label = laws.size() > 1 ? time_label(law.time)
                               : law.density   ? ""
                                               : "kernel estimate",
                      .width = 2.0});
    return figure;
  }
  std::vector<Tensor> rows;
  std::vector<double> times;
  for (const Law& law : laws) {
    rows.push_back(density_on_line(law, x));
    times.push_back(law.time);
  }
  plot::add_line_family(axes, points, at::stack(rows), at::tensor(times), {.label = "t"});
  return figure;
}

plot::Figure draw_planes(const PlotOptions& o, const std::vector<Law>& laws, plot::Extent extent) {
  const plot::ChartOptions chart = chart_of(o.picture);
  const int columns = static_cast<int>(std::min<size_t>(laws.size(), 4));
  const int rows = (static_cast<int>(laws.size()) + columns - 1) / columns;
  const bool single = laws.size() == 1;
  plot::FigureOptions page =
      plot::page_of(chart, single ? 620 : 330 * columns, single ? 540 : 290 * rows + 30);
  page.rows = rows;
  page.columns = columns;
  if (!single) page.title = chart.title;
  plot::Figure figure(page);
  for (size_t i = 0; i < laws.size(); ++i) {
    plot::Axes& axes = figure.axes(static_cast<int>(i) / columns, static_cast<int>(i) % columns);
    axes.title = single ? chart.title : time_label(laws[i].time);
    axes.x = {.label = "x_1", .limits = extent.x};
    axes.y = {.label = "x_2", .limits = extent.y};
    axes.equal_aspect = true;
    plot::DensityOptions options{.resolution = o.resolution,
                                 .contours = static_cast<int>(std::clamp<int64_t>(o.contours, 0, 50)),
                                 .label = single ? laws[i].label() : ""};
    if (laws[i].density)
      plot::add_density(axes, laws[i].density, extent, options);
    else
      plot::add_density_image(axes, plot::kernel_density(laws[i].samples, extent, o.resolution, o.resolution),
                              extent, options);
  }
  return figure;
}

/// One coordinate upwards, time to the right.
plot::Figure draw_over_time(const PlotOptions& o) {
  const auto density = exact_density(subject_of(o), o.study.process, o.reading.load_options());
  check(static_cast<bool>(density), "--over-time: expected a target whose density is known under noise");
  const auto law = [&](double t) {
    return law_at(subject_of(o), o.study.process, t, o.common.seed, o.reading.load_options());
  };
  const std::vector<Law> ends{law(0.02), law(1)};
  check(ends[0].dimension() == 1, "--over-time: expected one coordinate but the target has {}",
        ends[0].dimension());
  plot::Figure figure = line_figure(o, "t");
  figure.axes().y.label = "x_t";
  plot::add_function_over_time(figure.axes(),
                               [&](const Tensor& x, double t) { return density(x.unsqueeze(1), t); }, {0, 1},
                               with_limits(extent_of(ends), o.limits).x,
                               {.label = "density / its maximum at t", .density = true, .relative = true});
  return figure;
}

}  // namespace

void draw_density(const PlotOptions& o) {
  if (o.over_time) return draw_over_time(o).save(o.out);
  const std::vector<Law> laws = laws_of(o);
  const int64_t dimension = laws.front().dimension();
  check_input(dimension == 1 || dimension == 2, "plot density: expected 1 or 2 columns but {} has {}",
              subject_of(o), dimension);
  const plot::Extent extent = with_limits(extent_of(laws), o.limits);
  (dimension == 1 ? draw_lines(o, laws, extent.x) : draw_planes(o, laws, extent)).save(o.out);
}

}  // namespace fokker::cli
