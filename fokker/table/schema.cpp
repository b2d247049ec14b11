#include "fokker/table/schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/core/text/text.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

constexpr std::array<std::string_view, 6> kind_names = {"real",    "integer",  "categorical",
                                                        "ordinal", "datetime", "constant"};
constexpr std::array<std::string_view, 3> between_names = {"none", "sparse", "all"};
constexpr size_t most_listed = 30;
constexpr int most_digits = 17;

std::string list_names(const std::vector<std::string>& names) {
  std::vector<std::string> some;
  for (size_t i = 0; i < std::min(names.size(), most_listed); ++i) some.push_back(shown(names[i]));
  return join(some) + (names.size() > most_listed ? fmt::format(", ... ({} in all)", names.size()) : "");
}

Json number_json(const Column& column) {
  Json json = {{"low", column.low}, {"high", column.high}};
  if (column.kind == ColumnKind::datetime) json["date_format"] = column.date_format;
  if (column.decimals >= 0) json["decimals"] = column.decimals;
  if (column.digits >= 0) json["digits"] = column.digits;
  if (column.padding > 0) json["padding"] = column.padding;
  column.number_format.add_to(json);
  for (const Spike& spike : column.spikes)
    json["spikes"].push_back({{"value", spike.value}, {"share", spike.share}});
  if (column.heavy_tails) json["heavy_tails"] = true;
  if (column.bounded) json["bounded"] = true;
  if (column.between != Between::none) json["between"] = to_string(column.between);
  return json;
}

Json column_json(const Column& column) {
  Json json = {{"name", column.name}, {"kind", to_string(column.kind)}};
  if (column.has_levels())
    json["levels"] = column.levels;
  else
    json.update(number_json(column));
  if (!column.missing.empty()) {
    json["missing"] = column.missing;
    json["missing_share"] = column.missing_share;
  }
  if (!column.note.empty()) json["note"] = column.note;
  return json;
}

void check_members(const Json& json, const std::string& place, std::initializer_list<const char*> known) {
  check_input(json.is_object(), "{}: expected an object but received {}", place, shown(json_text(json)));
  for (const auto& [key, value] : json.items())
    check_input(std::find(known.begin(), known.end(), key) != known.end(),
                "{}: unknown member '{}': expected some of {}", place, shown(key),
                join({known.begin(), known.end()}));
}

void check_levels(const Column& column, const std::string& place) {
  check_input(!column.levels.empty(), "{}: expected levels of a column that is {}", place,
              to_string(column.kind));
  check_input(column.kind != ColumnKind::constant || column.levels.size() == 1,
              "{}: expected one level of a constant but received {}", place, column.levels.size());
  std::set<std::string_view> seen;
  for (const std::string& level : column.levels)
    check_input(seen.insert(without_blanks(level)).second, "{}: level '{}' is there twice", place,
                shown(level));
  for (const std::string& mark : column.missing)
    check_input(!seen.contains(without_blanks(mark)), "{}: '{}' is both a level and missing", place,
                shown(mark));
}

std::vector<Spike> read_spikes(const Json& json, const Column& column, const std::string& place) {
  std::vector<Spike> spikes;
  check_input(json.is_array(), "{}: expected \"spikes\" to be a list", place);
  for (const Json& each : json) {
    const detail::JsonReader reader(each, place + ": spikes");
    const Spike spike{reader.get<double>("value"), reader.get<double>("share")};
    const bool valid = spike.value >= column.low && spike.value <= column.high && spike.share > 0 &&
                       spike.share <= 1 && (spikes.empty() || spikes.back().value < spike.value);
    check_input(valid, "{}: expected spikes of rising values from low to high with shares up to 1", place);
    spikes.push_back(spike);
  }
  return spikes;
}

void read_number(const detail::JsonReader& reader, Column& column) {
  const std::string& place = reader.place();
  column.low = reader.get<double>("low");
  column.high = reader.get<double>("high");
  check_input(std::isfinite(column.low) && std::isfinite(column.high) && column.low <= column.high,
              "{}: expected low <= high but received {} and {}", place, column.low, column.high);
  reader.read("decimals", column.decimals);
  reader.read("digits", column.digits);
  reader.read("padding", column.padding);
  check_input(column.decimals >= -1 && column.decimals <= most_digits && column.padding >= 0 &&
                  column.padding <= most_digits && column.digits != 0 && column.digits >= -1 &&
                  column.digits <= most_digits,
              "{}: expected decimals, digits and padding of at most {}", place, most_digits);
  column.number_format = NumberFormat::from_json(reader.json(), place);
  reader.read("date_format", column.date_format);
  const bool date = column.kind == ColumnKind::datetime;
  check_input(date ? DateFormat::parse(column.date_format).has_value() : column.date_format.empty(),
              "{}: expected {} but received the format '{}'", place,
              date ? "a format of dates such as %Y-%m-%d" : "a date where there is a format",
              shown(column.date_format));
  if (reader.json().contains("spikes")) column.spikes = read_spikes(reader.json()["spikes"], column, place);
  reader.read("heavy_tails", column.heavy_tails);
  reader.read("bounded", column.bounded);
  std::string between = "none";
  reader.read("between", between);
  check_input(std::find(between_names.begin(), between_names.end(), between) != between_names.end(),
              "{}: expected \"between\" to be one of {} but received '{}'", place,
              join({between_names.begin(), between_names.end()}), shown(between));
  column.between = parse_between(between);
}

Column read_column(const Json& json, const std::string& file) {
  Column column;
  const detail::JsonReader outer(json, file + ": columns");
  column.name = outer.get<std::string>("name");
  const detail::JsonReader reader(json, fmt::format("{}: column '{}'", file, shown(column.name)));
  const std::string& place = reader.place();
  check_members(json, place,
                {"name",        "kind",    "levels",  "low",     "high",          "decimals",    "digits",
                 "padding",     "prefix",  "suffix",  "group",   "minus",         "date_format", "spikes",
                 "heavy_tails", "bounded", "between", "missing", "missing_share", "note"});
  const auto kind = reader.get<std::string>("kind");
  check_input(std::find(kind_names.begin(), kind_names.end(), kind) != kind_names.end(),
              "{}: unknown kind '{}': expected one of {}", place, shown(kind),
              join({kind_names.begin(), kind_names.end()}));
  column.kind = parse_column_kind(kind);
  reader.read("missing", column.missing);
  reader.read("missing_share", column.missing_share);
  reader.read("note", column.note);
  check_input(column.missing_share >= 0 && column.missing_share <= 1 &&
                  (column.missing_share == 0 || !column.missing.empty()),
              "{}: expected a share of missing cells from 0 to 1, and what stands for them", place);
  if (column.is_number()) {
    read_number(reader, column);
  } else {
    reader.read("levels", column.levels);
    check_levels(column, place);
  }
  return column;
}

}  // namespace

std::string_view to_string(ColumnKind kind) {
  return kind_names[static_cast<size_t>(kind)];
}

ColumnKind parse_column_kind(std::string_view name) {
  const auto found = std::find(kind_names.begin(), kind_names.end(), name);
  check(found != kind_names.end(), "unknown kind of column '{}': expected one of {}", shown(name),
        join({kind_names.begin(), kind_names.end()}));
  return static_cast<ColumnKind>(found - kind_names.begin());
}

std::string_view to_string(Between between) {
  return between_names[static_cast<size_t>(between)];
}

Between parse_between(std::string_view name) {
  const auto found = std::find(between_names.begin(), between_names.end(), name);
  check(found != between_names.end(), "between: expected one of {} but received '{}'",
        join({between_names.begin(), between_names.end()}), shown(name));
  return static_cast<Between>(found - between_names.begin());
}

std::vector<std::string> Schema::names() const {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

int64_t Schema::find(std::string_view name) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const Column& column) { return column.name == name; });
  check(found != columns.end(), "no column '{}': expected one of {}", shown(name), list_names(names()));
  return found - columns.begin();
}

bool Schema::is_plain() const {
  return std::all_of(columns.begin(), columns.end(), [](const Column& column) { return column.is_plain(); });
}

Json Schema::to_json() const {
  Json json = {{"columns", Json::array()}};
  for (const Column& column : columns) json["columns"].push_back(column_json(column));
  for (const DroppedColumn& column : dropped)
    json["dropped"].push_back({{"name", column.name}, {"why", column.why}});
  return json;
}

Schema Schema::from_json(const Json& json, const std::string& file) try {
  check_members(json, file, {"columns", "dropped"});
  check_input(json.contains("columns") && json["columns"].is_array() && !json["columns"].empty(),
              "{}: expected a list of columns", file);
  Schema schema;
  std::set<std::string> seen;
  const auto check_new = [&](const std::string& name) {
    check_input(!name.empty() && seen.insert(name).second, "{}: two columns are named '{}'", file,
                shown(name));
  };
  for (const Json& each : json["columns"]) {
    schema.columns.push_back(read_column(each, file));
    check_new(schema.columns.back().name);
  }
  if (!json.contains("dropped")) return schema;
  check_input(json["dropped"].is_array(), "{}: expected \"dropped\" to be a list", file);
  for (const Json& each : json["dropped"]) {
    const detail::JsonReader reader(each, file + ": dropped");
    schema.dropped.push_back({reader.get<std::string>("name"), reader.get<std::string>("why")});
    check_new(schema.dropped.back().name);
  }
  return schema;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
