#include "fokker/plot/chart/path_picture.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/fields.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/trajectories.h"

namespace fokker::plot {
namespace {

constexpr int64_t kMostStatesOnPage = 600;  // of a path in the plane; more cannot be told apart

Figure paths_over_time(const Tensor& states, const std::vector<double>& times,
                       const ParticleFilm::Density& density, const PathPictureOptions& options) {
  Figure figure(page_of(options.chart, 760, 460));
  Axes& axes = figure.axes();
  axes.title = options.chart.title;
  axes.x.label = options.time_name;
  axes.y = {.label = "x_t", .limits = limits_over_time(states, 0)};
  const Range span = range_of(times);
  if (density && span.span() > 0) {
    const auto at = [&](const Tensor& x, double t) {
      const Tensor values = density(x.unsqueeze(1), t);
      return values.defined() ? values : at::zeros_like(x);  // a law of points has none
    };
    add_function_over_time(
        axes, at, span, *axes.y.limits,
        {.label = "density / its maximum at t", .density = true, .relative = true, .shade = 0.5});
  }
  // On a density thin lines only darken it: the highlighted ones carry the picture.
  TrajectoryOptions paths{.highlighted = options.highlighted, .most = density ? 60 : 400};
  if (density) {
    paths.colour = &Theme::text;
    axes.next_colour();  // that of the density
  }
  add_trajectories(axes, at::tensor(times), states.select(2, 0).t(), paths);
  return figure;
}

Figure paths_in_plane(const Tensor& states, const PathPictureOptions& options) {
  Figure figure(page_of(options.chart, 600, 600));
  Axes& axes = figure.axes();
  axes.title = options.chart.title;
  axes.x = {.label = "x_1", .limits = limits_over_time(states, 0)};
  axes.y = {.label = "x_2", .limits = limits_over_time(states, 1)};
  axes.equal_aspect = similar(*axes.x.limits, *axes.y.limits);
  const int64_t stride = (states.size(0) + kMostStatesOnPage - 1) / kMostStatesOnPage;
  const Tensor ends = states[states.size(0) - 1];
  const Tensor kept = at::cat({states.slice(0, 0, states.size(0) - 1, stride), ends.unsqueeze(0)});
  const Tensor paths = kept.narrow(2, 0, 2).transpose(0, 1);
  add_planar_trajectories(axes, paths,
                          {.label = "paths", .colour = &Theme::muted, .highlighted = 0, .most = 300});
  add_scatter(axes, ends.narrow(1, 0, 2), {.label = "their ends"});
  add_planar_trajectories(axes, paths,
                          {.colour = &Theme::muted, .highlighted = options.highlighted, .most = 0});
  return figure;
}

}  // namespace

Figure path_picture(const Tensor& states, const std::vector<double>& times,
                    const ParticleFilm::Density& density, const PathPictureOptions& options) {
  const Tensor all = finite_values("paths", states, {static_cast<int64_t>(times.size()), -1, -1});
  check_input(all.numel() > 0, "paths: expected at least one state but received {}", shape_string(states));
  return all.size(2) == 1 ? paths_over_time(all, times, density, options) : paths_in_plane(all, options);
}

Figure state_panels(const Tensor& states, const std::vector<double>& times,
                    const PathPictureOptions& options) {
  const Tensor all = finite_values("states", states, {static_cast<int64_t>(times.size()), -1, -1});
  check_input(all.numel() > 0 && all.size(2) >= 2,
              "states: expected (times, n, d) with d >= 2 but received {}", shape_string(states));
  const auto steps = all.size(0) - 1;
  const int panels = static_cast<int>(std::min<int64_t>(6, steps + 1));
  FigureOptions page = page_of(options.chart, 260 * panels, options.chart.title.empty() ? 300 : 330);
  page.columns = panels;
  page.title = options.chart.title;
  Figure figure(page);
  const Range x = limits_over_time(all, 0), y = limits_over_time(all, 1);
  for (int i = 0; i < panels; ++i) {
    const int64_t step = std::lround(static_cast<double>(steps) * i / std::max(1, panels - 1));
    Axes& axes = figure.axes(0, i);
    axes.title = fmt::format("{} = {:.2g}", options.time_name, times[static_cast<size_t>(step)]);
    axes.x = {.label = "x_1", .limits = x};
    axes.y = {.label = i == 0 ? "x_2" : "", .limits = y};
    add_scatter(axes, all[step].narrow(1, 0, 2));
  }
  return figure;
}

}  // namespace fokker::plot
