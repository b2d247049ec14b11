#include "fokker/data/conditions.h"

#include <algorithm>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/core/text/text.h"
#include "fokker/data/columns.h"

namespace fokker {
namespace {

using ColumnList = std::vector<std::string>;

std::vector<int64_t> places_among(const ColumnList& columns, const ColumnList& names,
                                  const std::string& source) {
  std::vector<int64_t> places;
  for (const std::string& name : names) {
    const auto found = std::find(columns.begin(), columns.end(), name);
    check_input(found != columns.end(), "{}: no column '{}' to be a condition: its columns are {}", source,
                shown(name), list_columns(columns));
    places.push_back(found - columns.begin());
    check_input(std::count(places.begin(), places.end(), places.back()) == 1,
                "{}: column '{}' is named twice as a condition", source, shown(name));
  }
  return places;
}

Tensor numbers_of(const detail::JsonReader& reader, const char* key, int64_t count) {
  const auto values = reader.get<std::vector<double>>(key);
  check_input(static_cast<int64_t>(values.size()) == count, "{}: {}: expected {} numbers but found {}",
              reader.place(), key, count, values.size());
  return at::tensor(values, at::TensorOptions(at::kDouble));
}

/// Rows of so many numbers, one after another.
Tensor matrix_of(const detail::JsonReader& reader, const char* key, int64_t columns) {
  const auto values = reader.get<std::vector<double>>(key);
  check_input(!values.empty() && std::ssize(values) % columns == 0,
              "{}: {}: expected rows of {} numbers but found {} in all", reader.place(), key, columns,
              values.size());
  return at::tensor(values, at::TensorOptions(at::kDouble)).reshape({-1, columns});
}

std::vector<double> listed(const Tensor& values) {
  const Tensor flat = values.to(at::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

}  // namespace

Dataset take_conditions(Dataset table, const ColumnList& names) try {
  if (names.empty()) return table;
  const std::string source = table.source.empty() ? "the data" : table.source;
  check_input(!table.is_images(), "{}: conditions by name are columns of a table, but it holds images",
              source);
  check_input(!table.conditions.defined(), "{}: it has conditions already", source);
  table.condition_places = places_among(table.columns, names, source);
  check_input(names.size() < table.columns.size(),
              "{}: all of its columns are conditions: expected at least one that is learned given them",
              source);
  std::vector<int64_t> rest;
  ColumnList columns;
  for (int64_t j = 0; j < std::ssize(table.columns); ++j) {
    const auto& places = table.condition_places;
    if (std::find(places.begin(), places.end(), j) != places.end()) continue;
    rest.push_back(j);
    columns.push_back(table.columns[static_cast<size_t>(j)]);
  }
  const Tensor taken = at::tensor(table.condition_places, at::kLong);
  if (table.stored) {
    table.conditions = at::empty({table.size(), taken.size(0)}, at::TensorOptions(table.type()));
    for_row_blocks(*table.stored, rows_per_block(std::ssize(table.columns)),
                   [&](const Tensor& block, int64_t first) {
                     table.conditions.narrow(0, first, block.size(0)).copy_(block.index_select(1, taken));
                   });
    table.stored = columns_of_rows(table.stored, rest);
  } else {
    table.conditions = table.values.index_select(1, taken);
    table.values = table.values.index_select(1, at::tensor(rest, at::kLong));
  }
  table.columns = std::move(columns);
  table.condition_columns = names;
  return table;
} catch (...) {
  detail::throw_as_error();
}

ColumnList all_columns(const ColumnList& columns, const ColumnList& conditions,
                       const std::vector<int64_t>& places) {
  if (places.empty()) return columns;
  ColumnList all(columns.size() + conditions.size());
  std::vector<bool> taken(all.size(), false);
  for (size_t i = 0; i < places.size(); ++i) {
    all[static_cast<size_t>(places[i])] = conditions[i];
    taken[static_cast<size_t>(places[i])] = true;
  }
  size_t next = 0;
  for (size_t j = 0; j < all.size(); ++j)
    if (!taken[j]) all[j] = columns[next++];
  return all;
}

Dataset with_condition_columns(Dataset data) try {
  if (!data.conditions.defined() || data.condition_places.empty()) return data;
  const ColumnList all = all_columns(data.columns, data.condition_columns, data.condition_places);
  const int64_t width = std::ssize(all);
  const Tensor values = at::empty({data.size(), width}, data.values.options());
  std::vector<int64_t> rest;
  for (int64_t j = 0; j < width; ++j)
    if (std::find(data.condition_places.begin(), data.condition_places.end(), j) ==
        data.condition_places.end())
      rest.push_back(j);
  values.index_copy_(1, at::tensor(rest, at::kLong), data.values);
  values.index_copy_(1, at::tensor(data.condition_places, at::kLong), data.conditions.to(values.options()));
  data.values = values;
  data.columns = all;
  data.conditions = Tensor();
  data.condition_columns.clear();
  data.condition_places.clear();
  return data;
} catch (...) {
  detail::throw_as_error();
}

ConditionMap ConditionMap::fit(const Dataset& training) try {
  const Tensor values = training.conditions.to(at::kDouble);
  const std::string source = training.source.empty() ? "the data" : training.source;
  check(std::ssize(training.condition_columns) == values.size(1),
        "{}: expected a name for each of {} conditions but received {}", source, values.size(1),
        training.condition_columns.size());
  for (int64_t j = 0; j < values.size(1); ++j) {
    const std::string& name = training.condition_columns[static_cast<size_t>(j)];
    const Tensor column = values.select(1, j);
    check_input(column.isfinite().all().item<bool>(),
                "{}: condition '{}': expected finite numbers in every row", source, shown(name));
    check_input(
        column.max().item<double>() > column.min().item<double>(),
        "{}: condition '{}' is the same in all rows, {:.6g}: nothing can be learned of it; leave it out",
        source, shown(name), column[0].item<double>());
  }
  return {.columns = training.condition_columns,
          .places = training.condition_places,
          .scale = Normalisation::fit(values, NormalisationKind::standardise),
          .low = values.amin(0),
          .high = values.amax(0)};
} catch (...) {
  detail::throw_as_error();
}

Tensor ConditionMap::to_model(const Tensor& values, at::ScalarType type) const try {
  check(scale && values.dim() == 2 && values.size(1) == size(),
        "conditions: expected rows of {} numbers, {}, but received shape {}", size(), list_columns(columns),
        shape_string(values));
  return scale->apply(values, type);
} catch (...) {
  detail::throw_as_error();
}

std::optional<ConditionMap::Beyond> ConditionMap::beyond(const Tensor& values) const try {
  if (!low.defined()) return {};
  const Tensor margin = 0.1 * (high - low);
  const Tensor away = at::maximum(values - high, low - values);  // of NaN not greater than anything
  const Tensor far = away > margin;
  for (int64_t j = 0; j < size(); ++j) {
    const Tensor rows = far.select(1, j).nonzero();
    if (rows.size(0) == 0) continue;
    return Beyond{columns[static_cast<size_t>(j)], values[rows[0].item<int64_t>()][j].item<double>(),
                  low[j].item<double>(), high[j].item<double>(), rows.size(0)};
  }
  return {};
} catch (...) {
  detail::throw_as_error();
}

Json ConditionMap::to_json() const {
  Json json = {{"columns", columns}, {"places", places}};
  if (!scale) return json;
  json["scale"] = scale->to_json();
  json["low"] = listed(low);
  json["high"] = listed(high);
  if (regression.defined()) json["regression"] = listed(regression.flatten());
  return json;
}

ConditionMap ConditionMap::from_json(const Json& json, const std::string& place) try {
  const detail::JsonReader reader(json, place + ": condition");
  ConditionMap map{.columns = reader.get<ColumnList>("columns"),
                   .places = reader.get<std::vector<int64_t>>("places")};
  check_input(map.any() && (map.places.empty() || map.places.size() == map.columns.size()),
              "{}: expected columns, and a place for each or none", reader.place());
  if (!json.contains("scale")) return map;
  map.scale = Normalisation::from_json(reader.at("scale").json());
  check_input(map.scale->event_shape() == std::vector<int64_t>{map.size()},
              "{}: scale: expected one of {} numbers but found {}", reader.place(), map.size(),
              map.scale->dimension());
  map.low = numbers_of(reader, "low", map.size());
  map.high = numbers_of(reader, "high", map.size());
  if (json.contains("regression")) map.regression = matrix_of(reader, "regression", map.size());
  return map;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
