#include "fokker/plot/chart/schedule_curves.h"

#include "fokker/core/check.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::plot {
namespace {

constexpr double kEnd = 1e-3;  // log-SNR and g^2 of some processes are infinite at an end
constexpr int64_t kPoints = 400;
constexpr double kLargeSigma = 2;

using Quantity = double (*)(const Schedule& schedule, double t);

struct Panel {
  const char* label;
  Quantity value;
};

constexpr Panel panels[] = {
    {"\\alpha(t)", [](const Schedule& s, double t) { return s.alpha(t); }},
    {"\\sigma(t)", [](const Schedule& s, double t) { return s->sigma(t); }},
    {"log-SNR \\lambda(t)", [](const Schedule& s, double t) { return s->log_snr(t); }},
    {"g(t)^2", [](const Schedule& s, double t) { return s->diffusion_squared(t); }},
};

Tensor values_of(const Schedule& schedule, Quantity value, const Tensor& times) {
  Tensor values = at::empty_like(times);
  for (int64_t i = 0; i < times.size(0); ++i) values[i] = value(schedule, times[i].item<double>());
  return values;
}

/// Solid, dashed, ... in turn: several processes share an alpha or a sigma, and lie one on another.
Dash dash_of(size_t index) {
  return static_cast<Dash>(index % 4);
}

}  // namespace

Figure schedule_curves(const std::vector<NamedSchedule>& schedules, const ChartOptions& options) {
  check(!schedules.empty(), "schedule_curves: expected at least one schedule");
  FigureOptions page{.width = options.width > 0 ? options.width : 820,
                     .height = options.height > 0 ? options.height : 620,
                     .rows = 2,
                     .columns = 2,
                     .title = options.title,
                     .theme = options.theme,
                     .panel_gap = 18};
  for (size_t i = 0; i < schedules.size(); ++i)
    page.legend.push_back(
        {schedules[i].name, options.theme.series(i), LegendEntry::Symbol::line, dash_of(i)});
  Figure figure(page);
  const Tensor times = at::linspace(kEnd, 1 - kEnd, kPoints, at::kDouble);
  for (int place = 0; place < 4; ++place) {
    const Panel& panel = panels[place];
    Axes& axes = figure.axes(place / 2, place % 2);
    axes.x = {.label = "t"};
    axes.y = {.label = panel.label};
    axes.legend = false;
    double largest = 0;
    for (size_t i = 0; i < schedules.size(); ++i) {
      const Tensor values = values_of(schedules[i].schedule, panel.value, times);
      largest = std::max(largest, values.max().item<double>());
      add_line(axes, times, values,
               {.label = schedules[i].name, .colour = options.theme.series(i), .dash = dash_of(i)});
    }
    if (place == 3 || (place == 1 && largest > kLargeSigma)) axes.y.scale = Scale::logarithmic;
  }
  return figure;
}

}  // namespace fokker::plot
