#pragma once
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fokker/plot/canvas/canvas.h"
#include "fokker/plot/canvas/colour.h"
#include "fokker/plot/canvas/geometry.h"
#include "fokker/plot/figure/theme.h"

namespace fokker::plot {

/// A colour of its own, the theme's colour for the series of this index, or another of the theme's colours,
/// as &Theme::text.
struct SeriesColour {
  std::optional<Colour> given = {};
  size_t index = 0;
  Colour Theme::*role = nullptr;
  SeriesColour() = default;
  SeriesColour(Colour colour) : given(colour) {}
  explicit SeriesColour(size_t series) : index(series) {}
  SeriesColour(Colour Theme::*theme_colour) : role(theme_colour) {}
  Colour in(const Theme& theme) const { return given ? *given : role ? theme.*role : theme.series(index); }
};

struct LegendEntry {
  enum class Symbol { dot, line, box };
  std::string label = {};
  SeriesColour colour;
  Symbol symbol = Symbol::dot;
  Dash dash = Dash::solid;  ///< of a line
  double alpha = 1;         ///< of a box
};

/// The meaning of a mark's colours, shown as a bar beside the panel.
struct ColourScale {
  ColourMap map;
  Range range;
  std::string label = {};
};

/// What a mark needs to see of the data for automatic limits.
struct Bounds {
  Range x;
  Range y;
  /// Images fill the panel to its edge, bars stand on its lower edge: no padding there.
  bool pad_x = true;
  bool pad_y_low = true;
  bool pad_y_high = true;
};

struct DrawContext {
  Canvas& canvas;
  const AxesTransform& transform;
  const Theme& theme;
};

/// What a mark shows, as rows of a table; NaN where a column does not apply. x2 and y2 are the other end: of
/// a bar, a band or a contour's piece; of an arrow its components. `value` is a cell's.
struct MarkRow {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  double curve = none, x = none, y = none, x2 = none, y2 = none, value = none;
};
struct MarkData {
  std::string mark = {};  ///< "line"
  std::vector<MarkRow> rows = {};
};

/// One thing drawn in a panel: a new kind of picture is a new Mark. Immutable.
class Mark {
 public:
  virtual ~Mark() = default;
  virtual void draw(const DrawContext& context) const = 0;
  /// What may lie over the panel's edge, drawn last.
  virtual void draw_over(const DrawContext&) const {}
  /// Its numbers; none of what only explains.
  virtual MarkData data() const { return {}; }
  /// Nothing where the mark has no points.
  virtual std::optional<Bounds> bounds() const = 0;
  virtual std::optional<LegendEntry> legend() const { return std::nullopt; }
  virtual std::optional<ColourScale> colour_scale(const Theme&) const { return std::nullopt; }
};

struct Axis {
  std::string label = {};
  std::optional<Range> limits = {};  ///< automatic where absent
  Scale scale = Scale::linear;
  bool ticks = true;
  /// What stands at these values in place of numbers, for axes of a few named things.
  std::vector<std::pair<double, std::string>> names = {};
};

/// One panel of a figure: what it shows and how its axes look. A plain description; nothing is drawn here.
class Axes {
 public:
  std::string title = {};
  Axis x;
  Axis y;
  bool equal_aspect = false;  ///< one unit is as long on both axes
  bool grid = true;
  bool legend = true;  ///< a row above the panel, where a mark has a label

  void add(std::shared_ptr<const Mark> mark) { marks_.push_back(std::move(mark)); }
  const std::vector<std::shared_ptr<const Mark>>& marks() const { return marks_; }

  /// The colour of a new series: `given`, or the next one of the theme.
  SeriesColour next_colour(std::optional<SeriesColour> given = std::nullopt);

  /// The limits to draw: given ones, else those of the marks with padding. Argument error where given limits
  /// make no sense or a logarithmic axis has values that are not positive.
  Range x_limits() const;
  Range y_limits() const;

  std::vector<LegendEntry> legend_entries() const;
  /// That of the first mark that has one.
  std::optional<ColourScale> colour_scale(const Theme& theme) const;

 private:
  std::optional<Bounds> bounds() const;
  std::vector<std::shared_ptr<const Mark>> marks_;
  size_t series_ = 0;
};

}  // namespace fokker::plot
