#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/table/table_map.h"

namespace fokker {

/// That each column's parts are those that its kind can have, and have as many levels as it says.
void TableMap::check_places(const std::string& file) const {
  const auto levels_of = [&](int64_t part) { return layout_.parts[static_cast<size_t>(part)].levels; };
  for (size_t j = 0; j < places_.size(); ++j) {
    const Place& place = places_[j];
    const Column& column = schema_->columns[j];
    const int64_t missing = column.missing.empty() ? 0 : 1, values = std::ssize(place.values);
    if (place.twin >= 0) {
      const bool known = place.twin < static_cast<int64_t>(j);
      const int64_t source = known ? places_[static_cast<size_t>(place.twin)].levels : -1;
      check_input(source >= 0 && levels_of(source) == values && missing == 0 &&
                      std::max({place.number, place.levels, place.gate}) < 0,
                  "{}: column '{}' does not fit the one that determines it", file, column.name);
      continue;
    }
    bool good =
        column.is_number() ? (place.number >= 0) != (place.levels >= 0) : place.number < 0 && place.gate < 0;
    if (good && column.has_levels())
      good = place.levels < 0 ? std::ssize(column.levels) + missing < 2
                              : levels_of(place.levels) == std::ssize(column.levels) + missing;
    if (good && column.is_number() && place.levels >= 0)
      good = levels_of(place.levels) == values && std::is_sorted(place.values.begin(), place.values.end());
    if (good && place.gate >= 0)
      good = levels_of(place.gate) == 1 + missing + (place.number >= 0 ? values : 0);
    if (good && place.gate < 0 && column.is_number())
      good = missing == 0 && (place.number < 0 || values == 0);
    check_input(good, "{}: the parts of column '{}' do not fit its kind", file, column.name);
  }
}

Json TableMap::to_json() const {
  Json list = Json::array();
  for (const Place& place : places_) {
    Json json = {{"number", place.number},
                 {"levels", place.levels},
                 {"gate", place.gate},
                 {"twin", place.twin},
                 {"values", place.values}};
    if (place.scores) json["scores"] = place.scores->to_json();
    list.push_back(std::move(json));
  }
  return {{"schema", schema_->to_json()}, {"places", std::move(list)}};
}

TableMap TableMap::from_json(const Json& json, TableLayout layout, const std::string& file) {
  const detail::JsonReader reader(json, file);
  TableMap map(std::make_shared<const Schema>(Schema::from_json(reader.at("schema").json(), file)));
  map.set_layout(std::move(layout));
  const Json& places = reader.at("places").json();
  check_input(places.is_array() && std::ssize(places) == map.schema().size() &&
                  map.layout_.columns == map.schema().size(),
              "{}: expected a place of each of {} columns", file, map.schema().size());
  const int64_t numbers = map.layout_.numbers(), parts = std::ssize(map.layout_.parts);
  std::vector<bool> taken(static_cast<size_t>(parts));
  for (const Json& item : places) {
    const detail::JsonReader member(item, file + ": places");
    Place place{.number = member.get<int64_t>("number"),
                .levels = member.get<int64_t>("levels"),
                .gate = member.get<int64_t>("gate"),
                .twin = member.get<int64_t>("twin"),
                .values = member.get<std::vector<double>>("values")};
    if (place.number >= 0) place.scores = NormalScores::from_json(member.at("scores").json(), file);
    for (const auto& [part, low, high] : {std::tuple{place.number, int64_t{0}, numbers},
                                          {place.levels, numbers, parts},
                                          {place.gate, numbers, parts}}) {
      check_input(part == -1 || (part >= low && part < high && !taken[static_cast<size_t>(part)]),
                  "{}: a place names part {} of {}", file, part, parts);
      if (part >= 0) taken[static_cast<size_t>(part)] = true;
    }
    map.places_.push_back(std::move(place));
  }
  map.check_places(file);
  return map;
}

}  // namespace fokker
