#include "fokker/core/check.h"
#include "fokker/table/table_map.h"

namespace fokker {
namespace {

constexpr int64_t most_twin_values = 256;
constexpr int64_t least_rows_per_value = 10;  // with fewer, two columns may go together by chance
constexpr int64_t first_look = 1000;          // rows that tell most pairs apart

/// A column as places among its own values; of no use as a twin where `values` is empty.
struct TwinCodes {
  Tensor codes;                     ///< (n) int64
  std::vector<double> values = {};  ///< rising
};

TwinCodes codes_of(const Column& column, const Tensor& cells) {
  if (!column.missing.empty() || cells.isnan().any().item<bool>()) return {};
  const auto [values, codes, unused] = at::_unique2(cells, true, true);
  const int64_t count = values.size(0);
  if (count < 2 || count > most_twin_values || cells.size(0) < least_rows_per_value * count) return {};
  const Tensor list = values.contiguous();
  return {codes, {list.data_ptr<double>(), list.data_ptr<double>() + count}};
}

/// For each code of a, the one code of b that goes with it; empty where it is not one to one.
std::vector<int64_t> partners(const TwinCodes& a, const TwinCodes& b, int64_t rows) {
  std::vector<int64_t> there(a.values.size(), -1), back(b.values.size(), -1);
  const auto *x = a.codes.data_ptr<int64_t>(), *y = b.codes.data_ptr<int64_t>();
  for (int64_t i = 0; i < rows; ++i) {
    int64_t &to = there[static_cast<size_t>(x[i])], &from = back[static_cast<size_t>(y[i])];
    if ((to >= 0 && to != y[i]) || (from >= 0 && from != x[i])) return {};
    to = y[i];
    from = x[i];
  }
  return there;
}

}  // namespace

/// A pair of columns is one to one in all rows.
void TableMap::find_twins(const Tensor& cells) {
  const int64_t n = cells.size(0);
  std::vector<TwinCodes> codes;
  for (int64_t j = 0; j < schema_->size(); ++j)
    codes.push_back(codes_of(schema_->columns[static_cast<size_t>(j)], cells.select(1, j).contiguous()));
  for (size_t j = 1; j < codes.size(); ++j)
    for (size_t i = 0; i < j && places_[j].twin < 0 && !codes[j].values.empty(); ++i) {
      const Column& source = schema_->columns[i];
      // Levels that the rows do not have would have no partner.
      const bool whole = !source.has_levels() || source.levels.size() == codes[i].values.size();
      if (places_[i].twin >= 0 || !whole || codes[i].values.size() != codes[j].values.size()) continue;
      if (partners(codes[i], codes[j], std::min(n, first_look)).empty()) continue;
      const auto found = partners(codes[i], codes[j], n);
      if (found.empty()) continue;
      places_[j].twin = static_cast<int64_t>(i);
      for (const int64_t code : found)
        places_[j].values.push_back(codes[j].values[static_cast<size_t>(code)]);
    }
}

std::vector<int64_t> TableMap::with_sources(std::vector<int64_t> columns) const {
  for (size_t i = 0; i < columns.size(); ++i)  // grows: a source may have one itself
    if (const int64_t source = twin_of(columns[i]);
        source >= 0 && std::find(columns.begin(), columns.end(), source) == columns.end())
      columns.push_back(source);
  return columns;
}

void TableMap::complete(Tensor& cells, Tensor& known) const {
  cells = cells.contiguous();
  known = known.contiguous();
  auto* cell = cells.data_ptr<double>();
  auto* is_known = known.data_ptr<bool>();
  const int64_t width = schema_->size();
  for (int64_t j = 0; j < width; ++j) {
    const Place& place = places_[static_cast<size_t>(j)];
    if (place.twin < 0) continue;
    const Column &twin = schema_->columns[static_cast<size_t>(j)],
                 &source = schema_->columns[static_cast<size_t>(place.twin)];
    const auto& source_values = places_[static_cast<size_t>(place.twin)].values;
    for (int64_t row = 0; row < cells.size(0); ++row) {
      const double found = cell[row * width + j];
      if (!is_known[row * width + j]) continue;
      double& there = cell[row * width + place.twin];
      bool& there_known = is_known[row * width + place.twin];
      const auto at = std::find(place.values.begin(), place.values.end(), found);
      check(at != place.values.end(), "column '{}': {} is none of its values", twin.name,
            cell_text(twin, found));
      const auto level = static_cast<size_t>(at - place.values.begin());
      const double needed = source.is_number() ? source_values[level] : static_cast<double>(level);
      check(
          !there_known || there == needed,
          "columns '{}' and '{}' say the same in every row of the training: '{}' goes with '{}' but received "
          "'{}'",
          source.name, twin.name, cell_text(twin, found), cell_text(source, needed),
          cell_text(source, there));
      there = needed;
      there_known = true;
    }
  }
}

}  // namespace fokker
