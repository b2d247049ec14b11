#include <algorithm>
#include <cmath>
#include <numbers>

#include "fokker/plot/canvas/canvas_state.h"
#include "fokker/plot/figure/label.h"

namespace fokker::plot {
namespace {

constexpr double kScriptSize = 0.72;
constexpr double kSubscriptDrop = 0.22;
constexpr double kSuperscriptRise = 0.38;
// Letters of DejaVu Sans, so that labels with and without tall letters line up.
constexpr double kAscent = 0.76;
constexpr double kDescent = 0.2;
constexpr double kSmallestText = 8;

void set_font(cairo_t* context, double size, bool bold) {
  cairo_select_font_face(context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context, size);
}

double drop_of(TextRun::Level level, double size) {
  if (level == TextRun::Level::base) return 0;
  return level == TextRun::Level::subscript ? kSubscriptDrop * size : -kSuperscriptRise * size;
}

/// Calls visit(run, x, baseline, extents) for each run of the label, its left end at x = 0; returns the
/// width. A superscript right after a subscript stands above it.
template <typename Visit>
double lay_out(cairo_t* context, const std::vector<TextRun>& runs, const TextStyle& style, Visit visit) {
  using Level = TextRun::Level;
  double x = 0, script_start = 0, end = 0;
  Level previous = Level::base;
  for (const TextRun& run : runs) {
    const bool stacked = run.level != Level::base && previous != Level::base && run.level != previous;
    x = stacked ? script_start : end;
    if (run.level != Level::base) script_start = x;
    set_font(context, run.level == Level::base ? style.size : kScriptSize * style.size, style.bold);
    cairo_text_extents_t extents;
    cairo_text_extents(context, run.text.c_str(), &extents);
    visit(run, x, drop_of(run.level, style.size), extents);
    end = std::max(end, x + extents.x_advance);
    previous = run.level;
  }
  return end;
}

double start_of(double width, HorizontalAlign align) {
  if (align == HorizontalAlign::left) return 0;
  return align == HorizontalAlign::centre ? -0.5 * width : -width;
}

double baseline_of(const TextSize& size, const TextStyle& style) {
  switch (style.vertical) {
    case VerticalAlign::top:
      return size.ascent;
    case VerticalAlign::bottom:
      return -size.descent;
    case VerticalAlign::middle:
      return 0.5 * 0.73 * style.size;  // half the height of a capital letter
    default:
      return 0;
  }
}

std::string cut(const std::string& text) {
  size_t end = text.size();
  while (end > 0 && (static_cast<unsigned char>(text[end - 1]) >> 6) == 2) --end;
  return text.substr(0, end > 0 ? end - 1 : 0);
}

}  // namespace

void set_font_options(cairo_t* context) {
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_set_font_options(context, options);
  cairo_font_options_destroy(options);
}

TextSize Canvas::measure(std::string_view label, const TextStyle& style) {
  TextSize size{0, kAscent * style.size, kDescent * style.size};
  size.width = lay_out(state_->context.get(), parse_label(label), style,
                       [&](const TextRun&, double, double baseline, const cairo_text_extents_t& extents) {
                         size.ascent = std::max(size.ascent, -extents.y_bearing - baseline);
                         size.descent = std::max(size.descent, extents.height + extents.y_bearing + baseline);
                       });
  return size;
}

void Canvas::text(std::string_view label, Point anchor, const TextStyle& style) {
  cairo_t* context = state_->context.get();
  const TextSize size = measure(label, style);
  cairo_save(context);
  cairo_translate(context, anchor.x, anchor.y);
  if (style.upwards) cairo_rotate(context, -0.5 * std::numbers::pi);
  cairo_translate(context, start_of(size.width, style.horizontal), baseline_of(size, style));
  cairo_set_source_rgba(context, style.colour.red, style.colour.green, style.colour.blue, style.colour.alpha);
  lay_out(context, parse_label(label), style,
          [&](const TextRun& run, double x, double baseline, const cairo_text_extents_t&) {
            cairo_move_to(context, x, baseline);
            cairo_show_text(context, run.text.c_str());
          });
  cairo_restore(context);
}

Canvas::FittedText Canvas::fit(std::string_view label, TextStyle style, double width) {
  constexpr size_t longest = 400;
  std::string text(label.substr(0, longest));
  const double natural = measure(text, style).width;
  if (natural <= width && text.size() == label.size()) return {text, style};
  style.size = std::clamp(style.size * width / natural, std::min(style.size, kSmallestText), style.size);
  if (measure(text, style).width <= width && text.size() == label.size()) return {text, style};
  while (!text.empty() && measure(text + "…", style).width > width) text = cut(text);
  return {text.empty() ? text : text + "…", style};
}

}  // namespace fokker::plot
