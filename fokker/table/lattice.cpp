#include "fokker/table/lattice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace fokker {
namespace {

constexpr int64_t values_beside = 3;  // of a gap, that show how dense rows are there
constexpr double rows_missed = 4, most_repeats = 2;
constexpr int64_t fewest_on_lattice = 8;

double value_at(const ValueCounts& column, int64_t i) {
  return column.values[static_cast<size_t>(i)];
}

/// Rows of the values first..last over so many cells.
double rows_per_cell(const ValueCounts& column, int64_t first, int64_t last, double cells) {
  int64_t rows = 0;
  for (int64_t i = first; i <= last; ++i) rows += column.counts[static_cast<size_t>(i)];
  return static_cast<double>(rows) / cells;
}

/// Cells that no row has between the i-th value and the next.
double cells_between(const ValueCounts& column, int64_t i, double width) {
  return std::round((value_at(column, i + 1) - value_at(column, i)) / width) - 1;
}

/// Rows that a value next to a gap would have if rows fell on the cells around it by chance, given that one
/// did.
double rows_by_chance(const ValueCounts& column, int64_t i, double width) {
  const int64_t first = std::max<int64_t>(0, i - 2),
                last = std::min<int64_t>(std::ssize(column.values) - 1, i + 2);
  const double cells = std::round((value_at(column, last) - value_at(column, first)) / width) + 1;
  const double density = rows_per_cell(column, first, last, cells);
  return density / -std::expm1(-density);
}

}  // namespace

double cell_width(const Column& column, const std::vector<double>& values) {
  if (column.kind == ColumnKind::integer) return 1;
  if (column.kind == ColumnKind::real) {
    const double step = column.decimals < 0 ? 0 : std::pow(10.0, -column.decimals);
    const double largest = std::max(std::abs(column.low), std::abs(column.high));
    return step > 16 * std::numeric_limits<double>::epsilon() * largest ? step : 0;
  }
  for (const double seconds : {86400.0, 3600.0, 60.0, 1.0})
    if (std::all_of(values.begin(), values.end(),
                    [&](double value) { return std::fmod(value, seconds) == 0; }))
      return seconds;
  return 0;
}

double lattice_width(const Column& column, const std::vector<double>& distinct) {
  const double width = cell_width(column, distinct);
  if (width < 1 || std::ssize(distinct) < fewest_on_lattice) return width;
  int64_t common = 0;
  for (size_t i = 1; i < distinct.size(); ++i) {
    const double steps = (distinct[i] - distinct[i - 1]) / width;
    if (!(steps < 0x1p53)) return width;
    common = std::gcd(common, static_cast<int64_t>(std::llround(steps)));
    if (common == 1) break;
  }
  return width * static_cast<double>(common);
}

std::vector<bool> open_gaps(const ValueCounts& column, double width, Between wanted) {
  const int64_t last = std::ssize(column.values) - 1;
  std::vector<bool> open(static_cast<size_t>(std::max<int64_t>(0, last)));
  for (int64_t i = 0; i < last && width > 0 && wanted != Between::none; ++i) {
    const double between = cells_between(column, i, width);
    if (between < 1) continue;
    open[static_cast<size_t>(i)] = wanted == Between::all;
    if (wanted == Between::all) continue;
    const int64_t first = std::max<int64_t>(0, i - values_beside + 1),
                  end = std::min(last, i + values_beside);
    const double below =
        rows_per_cell(column, first, i, (value_at(column, i + 1) - value_at(column, first)) / width);
    const double above =
        rows_per_cell(column, i + 1, end, (value_at(column, end) - value_at(column, i)) / width);
    open[static_cast<size_t>(i)] = between * std::min(below, above) < rows_missed;
  }
  return open;
}

bool goes_on_between(const ValueCounts& column, double width) {
  const std::vector<bool> open = open_gaps(column, width);
  double rows = 0, by_chance = 0;
  for (size_t i = 0; i < column.values.size(); ++i) {
    if (!((i > 0 && open[i - 1]) || (i < open.size() && open[i]))) continue;
    rows += static_cast<double>(column.counts[i]);
    by_chance += rows_by_chance(column, static_cast<int64_t>(i), width);
  }
  return rows > 0 && rows <= most_repeats * by_chance;
}

std::vector<double> with_values_between(const ValueCounts& column, double width, Between wanted,
                                        int64_t most) {
  const std::vector<bool> open = open_gaps(column, width, wanted);
  std::vector<double> all;
  for (size_t i = 0; i < column.values.size(); ++i) {
    all.push_back(column.values[i]);
    if (i >= open.size() || !open[i]) continue;
    const double between = cells_between(column, static_cast<int64_t>(i), width);
    if (between > static_cast<double>(most)) return {};
    for (int64_t k = 1; k <= static_cast<int64_t>(between); ++k)
      all.push_back(column.values[i] + static_cast<double>(k) * width);
  }
  return std::ssize(all) - std::ssize(column.values) > most ? std::vector<double>() : all;
}

}  // namespace fokker
