#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/plot/chart/charts.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/bars.h"

namespace fokker::plot {
namespace {

constexpr int64_t kMostColumns = 8;
constexpr double kPanelPadding = 0.05;

struct Table {
  Tensor values;
  Colour colour;
};

void add_panel(Axes& axes, const std::vector<Table>& tables, const std::vector<Range>& ranges, int row,
               int column) {
  const auto limits = [&](int i) {
    return padded_limits(ranges[static_cast<size_t>(i)], Scale::linear, kPanelPadding);
  };
  axes.x.limits = limits(column);
  axes.legend = false;
  for (const Table& table : tables) {
    if (row == column) {
      // Both tables in the same bins, or their heights would not compare.
      const Range range = padded_limits(ranges[static_cast<size_t>(row)], Scale::linear, 0);
      add_histogram(axes, table.values.select(1, row), {.colour = table.colour, .bins = 30, .range = range});
      continue;
    }
    axes.y.limits = limits(row);
    // Panels are small: points half as large as in a figure of their own.
    const double radius = 0.55 * scatter_radius(table.values.size(0));
    add_scatter(axes, at::stack({table.values.select(1, column), table.values.select(1, row)}, 1),
                {.colour = table.colour, .radius = std::max(radius, 0.6), .density_above = 5000});
  }
}

}  // namespace

Figure scatter_matrix(const Tensor& values, const std::vector<std::string>& columns,
                      const ScatterMatrixOptions& options) {
  const Tensor first = finite_values("scatter_matrix", values, {-1, -1});
  const int64_t d = first.size(1);
  check_input(first.size(0) > 0 && d >= 2 && d <= kMostColumns,
              "scatter_matrix: expected between 2 and {} columns and at least one row but received {}",
              kMostColumns, shape_string(first));
  check(columns.empty() || static_cast<int64_t>(columns.size()) == d,
        "scatter_matrix: expected {} column names but received {}", d, columns.size());
  std::vector<Table> tables{{first, options.theme.series(0)}};
  if (options.second.defined())
    tables.push_back({finite_values("scatter_matrix", options.second, {-1, d}), options.theme.series(1)});

  std::vector<Range> ranges;
  for (int64_t column = 0; column < d; ++column) {
    Range range = range_of(to_vector(first.select(1, column).contiguous()));
    if (tables.size() > 1 && tables[1].values.size(0) > 0)
      range = hull(range, range_of(to_vector(tables[1].values.select(1, column).contiguous())));
    ranges.push_back(range);
  }

  FigureOptions page;
  const int side = static_cast<int>(d);
  page.rows = page.columns = side;
  page.width = side * (options.panel_size + 8) + 80;
  page.height = page.width + (options.title.empty() ? 0 : 26) + (tables.size() > 1 ? 20 : 0);
  page.title = options.title;
  page.theme = options.theme;
  page.panel_gap = 8;
  if (tables.size() > 1)
    for (size_t i = 0; i < 2; ++i)
      page.legend.push_back({options.labels[i], tables[i].colour, LegendEntry::Symbol::dot});
  Figure figure(page);
  for (int row = 0; row < side; ++row)
    for (int column = 0; column < side; ++column) {
      Axes& axes = figure.axes(row, column);
      add_panel(axes, tables, ranges, row, column);
      const auto name = [&](int i) {
        return columns.empty() ? "x_{" + std::to_string(i + 1) + "}" : columns[static_cast<size_t>(i)];
      };
      axes.x.ticks = row == side - 1;
      // The height of a histogram is a density, not a value of its column: no ticks there.
      axes.y.ticks = column == 0 && row != column;
      if (row == side - 1) axes.x.label = name(column);
      if (column == 0) axes.y.label = name(row);
    }
  return figure;
}

}  // namespace fokker::plot
