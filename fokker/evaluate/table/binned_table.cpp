#include "fokker/evaluate/table/binned_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "fokker/core/check.h"
#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"
#include "fokker/evaluate/table/cells.h"

namespace fokker {
namespace {

struct CountedValue {
  double value;
  int64_t rows;
};

std::vector<CountedValue> distinct_values(const Tensor& column) {
  std::vector<double> sorted;
  for (int64_t i = 0; i < column.numel(); ++i)
    if (const double v = column.data_ptr<double>()[i]; !std::isnan(v)) sorted.push_back(v);
  std::sort(sorted.begin(), sorted.end());
  std::vector<CountedValue> values;
  for (const double v : sorted)
    if (values.empty() || values.back().value != v)
      values.push_back({v, 1});
    else
      ++values.back().rows;
  return values;
}

/// Half way, and less than the next in any case.
double between(double value, double next) {
  const double middle = value / 2 + next / 2;
  return middle >= value && middle < next ? middle : value;
}

/// Ends of bins of about equal numbers of rows. Frequent values have their own, up to the value itself.
std::vector<double> ends_of_bins(const std::vector<CountedValue>& values, int64_t most) {
  std::vector<double> ends;
  const bool each = static_cast<int64_t>(values.size()) <= most;
  int64_t rows = 0, others = 0, frequent_values = 0;
  for (const CountedValue& v : values) rows += v.rows;
  const int64_t frequent = rows / most;
  for (const CountedValue& v : values) v.rows > frequent ? ++frequent_values : others += v.rows;
  const int64_t share = std::max<int64_t>(1, others / std::max<int64_t>(1, most - frequent_values));
  const auto end_at = [&](double end) {
    if (ends.empty() || ends.back() < end) ends.push_back(end);
  };
  int64_t open = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool last = i + 1 == values.size();
    if (!each && values[i].rows > frequent) {
      end_at(std::nextafter(values[i].value, -std::numeric_limits<double>::infinity()));
      if (!last) end_at(values[i].value);
      open = 0;
    } else if (open += values[i].rows; !last && (each || open >= share)) {
      end_at(between(values[i].value, values[i + 1].value));
      open = 0;
    }
  }
  return ends;
}

ColumnBins bins_of_order(const Tensor& column, int64_t most) {
  ColumnBins bins{.ends = ends_of_bins(distinct_values(column), most)};
  bins.count = static_cast<int32_t>(bins.ends.size()) + 2;
  return bins;
}

ColumnBins bins_of_levels(const Tensor& column, int64_t levels, int64_t most) {
  std::vector<int64_t> rows(levels + 2), place(levels);
  for (int64_t i = 0; i < column.numel(); ++i) ++rows[level_code(column.data_ptr<double>()[i], levels)];
  std::iota(place.begin(), place.end(), 0);
  std::stable_sort(place.begin(), place.end(), [&](int64_t a, int64_t b) { return rows[a] > rows[b]; });
  const int64_t own = std::min(levels, most);
  ColumnBins bins{.ordered = false, .count = static_cast<int32_t>(own + 2)};
  bins.of_level.assign(levels, static_cast<int32_t>(own));
  for (int64_t k = 0; k < own; ++k) bins.of_level[place[k]] = static_cast<int32_t>(k);
  return bins;
}

}  // namespace

int32_t ColumnBins::bin(double cell) const {
  if (std::isnan(cell)) return missing();
  if (ordered) return static_cast<int32_t>(std::lower_bound(ends.begin(), ends.end(), cell) - ends.begin());
  const auto levels = static_cast<int64_t>(of_level.size());
  const int32_t place = level_code(cell, levels);
  return place < levels ? of_level[place] : count - 2;
}

TableBins::TableBins(const Tensor& columns, const Schema& schema, const BinningOptions& options) {
  check(options.number_bins >= 2 && options.number_bins <= 4096 && options.level_bins >= 2 &&
            options.level_bins <= 16'384,
        "TableBins: expected 2 to 4096 bins of numbers and 2 to 16384 of levels but received {} and {}",
        options.number_bins, options.level_bins);
  constexpr int64_t number_bins = 16'384, level_bins = 262'144;  // of all columns
  const int64_t d = std::max<int64_t>(1, schema.size());
  const int64_t numbers = std::min(options.number_bins, std::max<int64_t>(32, number_bins / d));
  const int64_t levels = std::min(options.level_bins, std::max<int64_t>(32, level_bins / d));
  std::vector<ColumnBins> bins(schema.columns.size());
  run_jobs(bins.size(), thread_count(), [&](size_t c) {
    const Column& column = schema.columns[c];
    const Tensor cells = columns[static_cast<int64_t>(c)];
    bins[c] = column.is_number() || column.kind == ColumnKind::ordinal
                  ? bins_of_order(cells, numbers)
                  : bins_of_levels(cells, static_cast<int64_t>(column.levels.size()), levels);
  });
  columns_ = std::make_shared<const std::vector<ColumnBins>>(std::move(bins));
}

BinnedTable TableBins::apply(const Tensor& columns) const {
  check(columns.size(0) == static_cast<int64_t>(columns_->size()),
        "TableBins: expected {} columns but received {}", columns_->size(), columns.size(0));
  BinnedTable table{.columns = columns_, .rows = columns.size(1)};
  table.codes.resize(columns_->size() * static_cast<size_t>(table.rows));
  run_jobs(columns_->size(), thread_count(), [&](size_t c) {
    const Tensor cells = columns[static_cast<int64_t>(c)].contiguous();
    uint16_t* code = table.codes.data() + c * static_cast<size_t>(table.rows);
    for (int64_t i = 0; i < table.rows; ++i)
      code[i] = static_cast<uint16_t>((*columns_)[c].bin(cells.data_ptr<double>()[i]));
  });
  return table;
}

}  // namespace fokker
