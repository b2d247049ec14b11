#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/plot/figure/axes.h"
#include "fokker/plot/figure/ticks.h"

namespace fokker::plot {

/// Entries of a legend in centred rows.
struct LegendLayout {
  struct Item {
    LegendEntry entry;
    Canvas::FittedText text;
    double width = 0;
  };
  std::vector<std::vector<Item>> rows;
  double height = 0;
};

struct Margins {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

/// Where everything of one panel stands, in pixels.
struct PanelLayout {
  Rect cell;  ///< what the panel and its texts may use
  AxesTransform transform;
  Ticks x_ticks;
  Ticks y_ticks;
  Margins margins;  ///< what the texts of this panel need around its box
  double x_tick_height = 0;
  double y_tick_width = 0;
  double left_margin = 0;  ///< shared by its column, so that the labels of the y axes line up
  double header = 0;       ///< room for legends above the box, shared by its row, so that titles line up
  LegendLayout legend;
  std::optional<ColourScale> colours = {};
  Ticks colour_ticks;
};

struct FigureLayout {
  Rect page;
  LegendLayout legend;  ///< the shared one
  double legend_top = 0;
  std::vector<PanelLayout> panels = {};  ///< row by row
};

struct FigureOptions;

/// Distances between the parts of a panel, in pixels.
namespace spacing {
constexpr double page = 10;
constexpr double tick = 4;
constexpr double tick_label = 4;
constexpr double label = 6;
constexpr double title = 7;
constexpr double legend_symbol = 18;
constexpr double legend_broken_line = 34;  ///< long enough to show its dashes
constexpr double legend_gap = 18;
constexpr double colour_bar = 14;
constexpr double colour_bar_gap = 12;
}  // namespace spacing

/// Computes the layout from the measured sizes of all texts, so that none is cut off. Argument error where
/// the figure is too small for its panels.
FigureLayout lay_out_figure(const FigureOptions& options, const std::vector<Axes>& panels, Canvas& measure);

/// Width of the symbol before a text of the legend, with the gap after it.
double symbol_width(const LegendEntry& entry);

/// Styles of the texts of a figure.
TextStyle tick_style(const Theme& theme);
TextStyle label_style(const Theme& theme);
TextStyle panel_title_style(const Theme& theme);
TextStyle title_style(const Theme& theme);

/// An axis label with what its ticks leave out, such as "time (+10^{9})", fitted to a width.
Canvas::FittedText fit_axis_label(const std::string& label, const std::string& common, const TextStyle& style,
                                  double width, Canvas& canvas);

}  // namespace fokker::plot
