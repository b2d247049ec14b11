#include "fokker/plot/figure/layout.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/figure/figure.h"

namespace fokker::plot {
namespace {

constexpr double kSmallestBox = 12;
constexpr double kBetweenLabels = 10;

double largest_width(const std::vector<std::string>& labels, const TextStyle& style, Canvas& canvas) {
  double width = 0;
  for (const auto& label : labels) width = std::max(width, canvas.measure(label, style).width);
  return width;
}

double largest_height(const std::vector<std::string>& labels, const TextStyle& style, Canvas& canvas) {
  double height = canvas.measure("0", style).height();
  for (const auto& label : labels) height = std::max(height, canvas.measure(label, style).height());
  return height;
}

Ticks ticks_for(Range limits, Scale scale, int intervals, bool factored = false) {
  return scale == Scale::linear ? linear_ticks(limits, intervals, factored)
                                : logarithmic_ticks(limits, intervals);
}

/// More intervals on a longer axis, but fewer for its length.
int intervals_for(double length) {
  const double pleasant = 0.45 * std::sqrt(length), most = length / 18;
  return std::clamp(static_cast<int>(std::lround(std::min(pleasant, most))), 1, 10);
}

bool labels_overlap(const Ticks& ticks, const AxesTransform& transform, const TextStyle& style,
                    Canvas& canvas) {
  double end = -INFINITY;
  for (size_t i = 0; i < ticks.positions.size(); ++i) {
    const double centre = transform.to_pixel({ticks.positions[i], transform.y.low}).x;
    const double half = 0.5 * canvas.measure(ticks.labels[i], style).width;
    if (centre - half < end) return true;
    end = centre + half + kBetweenLabels;
  }
  return false;
}

/// The names that the axis gives to values inside its limits.
Ticks named_ticks(const Axis& axis, Range limits) {
  Ticks ticks;
  for (const auto& [position, name] : axis.names) {
    if (!limits.contains(position)) continue;
    ticks.positions.push_back(position);
    ticks.labels.push_back(name);
  }
  return ticks;
}

/// As many ticks as fit without overlap. Where that leaves fewer than three, labels shed their power of ten.
Ticks x_ticks_for(const AxesTransform& transform, const TextStyle& style, Canvas& canvas) {
  const int most = intervals_for(transform.box.width());
  for (const bool factored : {false, true})
    for (int intervals = most; intervals >= 1; --intervals) {
      Ticks ticks = ticks_for(transform.x, transform.x_scale, intervals, factored);
      const bool enough = factored || intervals == most || ticks.positions.size() >= 3;
      if (enough && !labels_overlap(ticks, transform, style, canvas)) return ticks;
    }
  return ticks_for(transform.x, transform.x_scale, 1, true);
}

/// By the height; with equal units as many as give the step of the x axis.
int y_intervals(const PanelLayout& panel, const Axes& axes) {
  const auto& x = panel.x_ticks.positions;
  if (!axes.equal_aspect || x.size() < 2) return intervals_for(panel.transform.box.height());
  return static_cast<int>(std::ceil(panel.transform.y.span() / (x[1] - x[0]) - 1e-9));
}

LegendLayout lay_out_legend(const std::vector<LegendEntry>& entries, const Theme& theme, double width,
                            Canvas& canvas) {
  LegendLayout legend;
  const TextStyle style = tick_style(theme);
  double used = 0;
  for (const LegendEntry& entry : entries) {
    const double text_width = std::max(width - symbol_width(entry), 1.0);
    LegendLayout::Item item{entry, canvas.fit(entry.label, style, text_width), 0};
    item.width = symbol_width(entry) + canvas.measure(item.text.label, item.text.style).width;
    if (legend.rows.empty() || used + spacing::legend_gap + item.width > width) {
      legend.rows.emplace_back();
      used = -spacing::legend_gap;
    }
    used += spacing::legend_gap + item.width;
    legend.rows.back().push_back(std::move(item));
  }
  legend.height = static_cast<double>(legend.rows.size()) * 1.55 * style.size;
  return legend;
}

/// How far the outermost tick labels of the x axis reach over the ends of the box.
std::pair<double, double> overhang(const PanelLayout& panel, const TextStyle& style, Canvas& canvas) {
  double left = 0, right = 0;
  for (size_t i = 0; i < panel.x_ticks.positions.size(); ++i) {
    const double centre = panel.transform.to_pixel({panel.x_ticks.positions[i], panel.transform.y.low}).x;
    const double half = 0.5 * canvas.measure(panel.x_ticks.labels[i], style).width;
    left = std::max(left, panel.transform.box.left - centre + half);
    right = std::max(right, centre + half - panel.transform.box.right);
  }
  return {left, right};
}

double colour_bar_width(const PanelLayout& panel, const Theme& theme, Canvas& canvas) {
  if (!panel.colours) return 0;
  double width = spacing::colour_bar_gap + spacing::colour_bar + spacing::tick + spacing::tick_label +
                 largest_width(panel.colour_ticks.labels, tick_style(theme), canvas);
  if (!panel.colours->label.empty() || !panel.colour_ticks.common.empty())
    width += spacing::label + canvas.measure(panel.colours->label, label_style(theme)).height();
  return width;
}

/// Height of the label of an axis and of the gap before it; 0 where it has none.
double label_room(const Axis& axis, const Ticks& ticks, const TextStyle& style, Canvas& canvas) {
  const bool common = axis.ticks && !ticks.common.empty();
  if (axis.label.empty() && !common) return 0;
  const double common_height = common ? canvas.measure(ticks.common, style).height() : 0;
  return spacing::label + std::max(canvas.measure(axis.label, style).height(), common_height);
}

Margins margins_of(const PanelLayout& panel, const Axes& axes, const Theme& theme, Canvas& canvas) {
  const TextStyle tick = tick_style(theme), label = label_style(theme);
  const auto [left_over, right_over] = axes.x.ticks ? overhang(panel, tick, canvas) : std::pair(0.0, 0.0);
  Margins margins;
  if (axes.x.ticks) margins.bottom += spacing::tick + spacing::tick_label + panel.x_tick_height;
  margins.bottom += label_room(axes.x, panel.x_ticks, label, canvas);
  if (axes.y.ticks) margins.left += spacing::tick + spacing::tick_label + panel.y_tick_width;
  margins.left += label_room(axes.y, panel.y_ticks, label, canvas);
  margins.left = std::max(margins.left, left_over);
  margins.right = std::max(colour_bar_width(panel, theme, canvas), right_over);
  margins.top = 0.5 * tick.size;
  if (!axes.title.empty())
    margins.top += spacing::title + canvas.measure(axes.title, panel_title_style(theme)).height();
  return margins;
}

/// Ticks and margins of a panel whose box is known approximately.
void measure_panel(PanelLayout& panel, const Axes& axes, const Theme& theme, Canvas& canvas) {
  const TextStyle style = tick_style(theme);
  const double height = panel.transform.box.height();
  const AxesTransform& transform = panel.transform;
  panel.x_ticks =
      axes.x.names.empty() ? x_ticks_for(transform, style, canvas) : named_ticks(axes.x, transform.x);
  panel.y_ticks = axes.y.names.empty() ? ticks_for(transform.y, transform.y_scale, y_intervals(panel, axes))
                                       : named_ticks(axes.y, transform.y);
  panel.x_tick_height = largest_height(panel.x_ticks.labels, style, canvas);
  panel.y_tick_width = largest_width(panel.y_ticks.labels, style, canvas);
  if (panel.colours) panel.colour_ticks = linear_ticks(panel.colours->range, intervals_for(height));
  if (axes.legend)
    panel.legend = lay_out_legend(axes.legend_entries(), theme, panel.transform.box.width(), canvas);
  panel.margins = margins_of(panel, axes, theme, canvas);
}

/// The largest box inside `room` in which a unit is as long on both axes.
Rect equal_box(const Rect& room, Range x, Range y) {
  const double unit = std::min(room.width() / x.span(), room.height() / y.span());
  const double width = std::round(unit * x.span()), height = std::round(unit * y.span());
  const double left = std::round(room.centre().x - 0.5 * width);
  const double top = std::round(room.centre().y - 0.5 * height);
  return {left, top, left + width, top + height};
}

/// Whole pixels, so that frames and images are sharp, and as many for every box of a figure.
Rect rounded(const Rect& r) {
  const double left = std::ceil(r.left), top = std::ceil(r.top);
  return {left, top, left + std::floor(r.width() - 1e-9), top + std::floor(r.height() - 1e-9)};
}

/// Boxes of one column share their left and right margins, boxes of one row their upper and lower ones.
void place_boxes(FigureLayout& layout, const FigureOptions& options, const std::vector<Axes>& axes) {
  const auto columns = static_cast<size_t>(options.columns);
  std::vector<Margins> by_column(columns), by_row(static_cast<size_t>(options.rows));
  for (size_t i = 0; i < layout.panels.size(); ++i) {
    const Margins& m = layout.panels[i].margins;
    Margins &column = by_column[i % columns], &row = by_row[i / columns];
    column.left = std::max(column.left, m.left);
    column.right = std::max(column.right, m.right);
    row.top = std::max(row.top, m.top);
    row.bottom = std::max(row.bottom, m.bottom);
  }
  // Legends of a row share their room, so that boxes and titles line up where only one panel has a legend.
  std::vector<double> headers(by_row.size());
  for (size_t i = 0; i < layout.panels.size(); ++i)
    headers[i / columns] = std::max(headers[i / columns], layout.panels[i].legend.height);
  for (size_t row = 0; row < by_row.size(); ++row) by_row[row].top += headers[row];
  Margins total{};
  const double gap = options.panel_gap;
  for (const Margins& m : by_column) total.left += m.left + m.right;
  for (const Margins& m : by_row) total.top += m.top + m.bottom;
  const double width = (layout.page.width() - total.left - gap * (options.columns - 1)) / options.columns;
  const double height = (layout.page.height() - total.top - gap * (options.rows - 1)) / options.rows;
  check(width >= kSmallestBox && height >= kSmallestBox,
        "Figure: expected a size with room for {} x {} panels and their texts but received {} x {} pixels",
        options.rows, options.columns, options.width, options.height);
  double top = layout.page.top;
  for (size_t row = 0; row < by_row.size(); ++row) {
    double left = layout.page.left;
    const double bottom = top + by_row[row].top + height + by_row[row].bottom;
    for (size_t column = 0; column < columns; ++column) {
      PanelLayout& panel = layout.panels[row * columns + column];
      const double right = left + by_column[column].left + width + by_column[column].right;
      panel.cell = {left, top, right, bottom};
      const Rect room = rounded({left + by_column[column].left, top + by_row[row].top,
                                 right - by_column[column].right, bottom - by_row[row].bottom});
      const bool equal = axes[row * columns + column].equal_aspect;
      panel.transform.box = equal ? equal_box(room, panel.transform.x, panel.transform.y) : room;
      panel.left_margin = by_column[column].left;
      panel.header = headers[row];
      left = right + gap;
    }
    top = bottom + gap;
  }
}

PanelLayout start_panel(const Axes& axes, const Theme& theme) {
  PanelLayout panel;
  panel.transform.x = axes.x_limits();
  panel.transform.y = axes.y_limits();
  panel.transform.x_scale = axes.x.scale;
  panel.transform.y_scale = axes.y.scale;
  panel.colours = axes.colour_scale(theme);
  return panel;
}

}  // namespace

double symbol_width(const LegendEntry& entry) {
  const bool broken = entry.symbol == LegendEntry::Symbol::line && entry.dash != Dash::solid;
  return broken ? spacing::legend_broken_line : spacing::legend_symbol;
}

TextStyle tick_style(const Theme& theme) {
  return {.size = theme.tick_size, .colour = theme.text};
}
TextStyle label_style(const Theme& theme) {
  return {.size = theme.label_size, .colour = theme.text};
}
TextStyle panel_title_style(const Theme& theme) {
  return {.size = theme.panel_title_size, .colour = theme.text, .bold = true};
}
TextStyle title_style(const Theme& theme) {
  return {.size = theme.title_size, .colour = theme.text, .bold = true};
}

Canvas::FittedText fit_axis_label(const std::string& label, const std::string& common, const TextStyle& style,
                                  double width, Canvas& canvas) {
  if (common.empty()) return canvas.fit(label, style, width);
  // Without the common part the ticks mean nothing: the label gives way first.
  const std::string suffix = label.empty() ? common : " (" + common + ")";
  Canvas::FittedText text =
      canvas.fit(label, style, std::max(1.0, width - canvas.measure(suffix, style).width));
  text.label += suffix;
  return canvas.fit(text.label, text.style, width);
}

FigureLayout lay_out_figure(const FigureOptions& options, const std::vector<Axes>& panels, Canvas& measure) {
  FigureLayout layout;
  layout.page = {spacing::page, spacing::page, options.width - spacing::page, options.height - spacing::page};
  const TextStyle title = title_style(options.theme);
  if (!options.title.empty())
    layout.page.top += measure.measure(options.title, title).height() + spacing::title;
  layout.legend_top = layout.page.top;
  layout.legend = lay_out_legend(options.legend, options.theme, layout.page.width(), measure);
  layout.page.top += layout.legend.height;
  for (const Axes& axes : panels) layout.panels.push_back(start_panel(axes, options.theme));
  // Ticks need the size of the box and the box needs the size of the ticks: a few rounds settle both. The
  // last step places the boxes, so that the ticks drawn are those that were measured.
  place_boxes(layout, options, panels);
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < panels.size(); ++i)
      measure_panel(layout.panels[i], panels[i], options.theme, measure);
    place_boxes(layout, options, panels);
  }
  return layout;
}

}  // namespace fokker::plot
