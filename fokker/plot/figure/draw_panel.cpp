#include "fokker/plot/figure/draw_panel.h"

#include <algorithm>
#include <cmath>

namespace fokker::plot {
namespace {

// A line one pixel wide is sharp where its middle lies between pixel edges.
double sharp(double position) {
  return std::floor(position) + 0.5;
}

void draw_grid(Canvas& canvas, const PanelLayout& panel, const Theme& theme) {
  const AxesTransform& t = panel.transform;
  std::vector<Segment> lines;
  for (const double x : panel.x_ticks.positions) {
    const double at = sharp(t.to_pixel({x, t.y.low}).x);
    lines.push_back({{at, t.box.top}, {at, t.box.bottom}});
  }
  for (const double y : panel.y_ticks.positions) {
    const double at = sharp(t.to_pixel({t.x.low, y}).y);
    lines.push_back({{t.box.left, at}, {t.box.right, at}});
  }
  canvas.segments(lines, {.colour = theme.grid});
}

void draw_x_axis(Canvas& canvas, const Axes& axes, const PanelLayout& panel, const Theme& theme) {
  const AxesTransform& t = panel.transform;
  TextStyle style = tick_style(theme);
  style.horizontal = HorizontalAlign::centre;
  double bottom = t.box.bottom;
  if (axes.x.ticks) {
    const double top = bottom + spacing::tick + spacing::tick_label;
    std::vector<Segment> lines;
    for (size_t i = 0; i < panel.x_ticks.positions.size(); ++i) {
      const double x = t.to_pixel({panel.x_ticks.positions[i], t.y.low}).x;
      lines.push_back({{sharp(x), bottom}, {sharp(x), bottom + spacing::tick}});
      // A common baseline, whatever stands above it.
      const double descent = canvas.measure("0", style).descent;
      canvas.text(panel.x_ticks.labels[i], {x, top + panel.x_tick_height - descent}, style);
    }
    canvas.segments(lines, {.colour = theme.muted});
    bottom = top + panel.x_tick_height;
  }
  auto text = fit_axis_label(axes.x.label, axes.x.ticks ? panel.x_ticks.common : "", label_style(theme),
                             panel.cell.width(), canvas);
  if (text.label.empty()) return;
  const double half = 0.5 * canvas.measure(text.label, text.style).width;
  const double centre = std::clamp(t.box.centre().x, panel.cell.left + half,
                                   std::max(panel.cell.left + half, panel.cell.right - half));
  text.style.horizontal = HorizontalAlign::centre;
  text.style.vertical = VerticalAlign::top;
  canvas.text(text.label, {centre, bottom + spacing::label}, text.style);
}

void draw_y_axis(Canvas& canvas, const Axes& axes, const PanelLayout& panel, const Theme& theme) {
  const AxesTransform& t = panel.transform;
  TextStyle style = tick_style(theme);
  style.horizontal = HorizontalAlign::right;
  style.vertical = VerticalAlign::middle;
  const double left = t.box.left;
  if (axes.y.ticks) {
    std::vector<Segment> lines;
    for (size_t i = 0; i < panel.y_ticks.positions.size(); ++i) {
      const double y = t.to_pixel({t.x.low, panel.y_ticks.positions[i]}).y;
      lines.push_back({{left - spacing::tick, sharp(y)}, {left, sharp(y)}});
      canvas.text(panel.y_ticks.labels[i], {left - spacing::tick - spacing::tick_label, y}, style);
    }
    canvas.segments(lines, {.colour = theme.muted});
  }
  auto text = fit_axis_label(axes.y.label, axes.y.ticks ? panel.y_ticks.common : "", label_style(theme),
                             t.box.height(), canvas);
  if (text.label.empty()) return;
  text.style.horizontal = HorizontalAlign::centre;
  text.style.vertical = VerticalAlign::top;
  text.style.upwards = true;
  canvas.text(text.label, {left - panel.left_margin, t.box.centre().y}, text.style);
}

void draw_title(Canvas& canvas, const Axes& axes, const PanelLayout& panel, const Theme& theme) {
  const Rect& box = panel.transform.box;
  const double room = 2 * std::min(box.centre().x - panel.cell.left, panel.cell.right - box.centre().x);
  auto title = canvas.fit(axes.title, panel_title_style(theme), room);
  title.style.horizontal = HorizontalAlign::centre;
  title.style.vertical = VerticalAlign::bottom;
  canvas.text(title.label, {box.centre().x, box.top - panel.header - spacing::title}, title.style);
}

void draw_colour_bar(Canvas& canvas, const PanelLayout& panel, const Theme& theme) {
  const Rect& box = panel.transform.box;
  const double left = box.right + spacing::colour_bar_gap;
  const Rect bar{left, box.top, left + spacing::colour_bar, box.bottom};
  Raster raster(1, std::max(2, static_cast<int>(box.height() * canvas.resolution())));
  for (int row = 0; row < raster.height(); ++row)
    raster.set(0, row, panel.colours->map(1 - (row + 0.5) / raster.height()));
  canvas.image(raster, bar);
  canvas.outline({bar.left + 0.5, bar.top + 0.5, bar.right - 0.5, bar.bottom - 0.5}, {.colour = theme.muted});

  TextStyle style = tick_style(theme);
  style.vertical = VerticalAlign::middle;
  std::vector<Segment> lines;
  double width = 0;
  const double text_left = bar.right + spacing::tick + spacing::tick_label;
  for (size_t i = 0; i < panel.colour_ticks.positions.size(); ++i) {
    const Range range = panel.colours->range;
    const double y = bar.bottom - (panel.colour_ticks.positions[i] - range.low) / range.span() * bar.height();
    lines.push_back({{bar.right, sharp(y)}, {bar.right + spacing::tick, sharp(y)}});
    canvas.text(panel.colour_ticks.labels[i], {text_left, y}, style);
    width = std::max(width, canvas.measure(panel.colour_ticks.labels[i], style).width);
  }
  canvas.segments(lines, {.colour = theme.muted});
  auto text = fit_axis_label(panel.colours->label, panel.colour_ticks.common, label_style(theme),
                             box.height(), canvas);
  text.style.horizontal = HorizontalAlign::centre;
  text.style.vertical = VerticalAlign::top;
  text.style.upwards = true;
  canvas.text(text.label, {text_left + width + spacing::label, box.centre().y}, text.style);
}

/// The symbol of an entry, in the room of `symbol_width` to the right of `left`.
void draw_symbol(Canvas& canvas, const LegendEntry& entry, Point left, const Theme& theme) {
  const Colour colour = entry.colour.in(theme);
  const double half = 0.5 * symbol_width(entry) - 3;
  const Point middle{left.x + half + 1, left.y};
  switch (entry.symbol) {
    case LegendEntry::Symbol::dot:
      canvas.discs({middle}, 4.5, colour);
      break;
    case LegendEntry::Symbol::line:
      canvas.segments({{{middle.x - half, middle.y}, {middle.x + half, middle.y}}},
                      {.colour = colour, .width = 2.5, .dash = entry.dash});
      break;
    case LegendEntry::Symbol::box:
      canvas.fill(Rect{middle.x - 5, middle.y - 5, middle.x + 5, middle.y + 5},
                  colour.with_alpha(entry.alpha));
  }
}

}  // namespace

void draw_legend(Canvas& canvas, const LegendLayout& legend, Point top, const Theme& theme) {
  if (legend.rows.empty()) return;
  const double row_height = legend.height / static_cast<double>(legend.rows.size());
  for (size_t row = 0; row < legend.rows.size(); ++row) {
    double width = -spacing::legend_gap;
    for (const auto& item : legend.rows[row]) width += item.width + spacing::legend_gap;
    double x = top.x - 0.5 * width;
    const double y = top.y + (static_cast<double>(row) + 0.4) * row_height;
    for (const auto& item : legend.rows[row]) {
      draw_symbol(canvas, item.entry, {x, y}, theme);
      TextStyle style = item.text.style;
      style.vertical = VerticalAlign::middle;
      canvas.text(item.text.label, {x + symbol_width(item.entry), y}, style);
      x += item.width + spacing::legend_gap;
    }
  }
}

void draw_panel(Canvas& canvas, const Axes& axes, const PanelLayout& panel, const Theme& theme) {
  const Rect& box = panel.transform.box;
  if (axes.grid) draw_grid(canvas, panel, theme);
  canvas.clip(box);
  for (const auto& mark : axes.marks()) mark->draw({canvas, panel.transform, theme});
  canvas.unclip();
  canvas.outline({box.left + 0.5, box.top + 0.5, box.right - 0.5, box.bottom - 0.5}, {.colour = theme.muted});
  for (const auto& mark : axes.marks()) mark->draw_over({canvas, panel.transform, theme});
  draw_x_axis(canvas, axes, panel, theme);
  draw_y_axis(canvas, axes, panel, theme);
  if (!axes.title.empty()) draw_title(canvas, axes, panel, theme);
  draw_legend(canvas, panel.legend, {box.centre().x, box.top - panel.legend.height}, theme);
  if (panel.colours) draw_colour_bar(canvas, panel, theme);
}

}  // namespace fokker::plot
