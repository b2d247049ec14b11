#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/core/text/text.h"
#include "fokker/table/cells.h"
#include "fokker/table/infer.h"

namespace fokker {
namespace {

constexpr const char* kinds = "real, integer, categorical, ordinal, datetime, constant or drop";

std::optional<double> bound(const Json& json, const detail::JsonReader& reader, const char* key,
                            const std::optional<DateFormat>& format) {
  if (!json.contains(key)) return {};
  if (!format || !json[key].is_string()) return reader.get<double>(key);
  const auto seconds = parse_date(*format, reader.get<std::string>(key));
  check_input(seconds.has_value(), "{}: expected \"{}\" to be a date as {} but received {}", reader.place(),
              key, format->text(), json_text(json[key]));
  return seconds;
}

}  // namespace

ColumnWish ColumnWish::of_kind(const std::string& kind, const std::string& place) {
  ColumnWish wish;
  wish.dropped = kind == "drop";
  if (wish.dropped) return wish;
  try {
    wish.kind = parse_column_kind(kind);
  } catch (const Error&) {
    fail(ErrorKind::input, "{}: unknown kind of column '{}': expected {}", place, shown(kind), kinds);
  }
  return wish;
}

ColumnWish ColumnWish::from_json(const Json& json, const std::string& place) {
  if (json.is_string()) return of_kind(json.get<std::string>(), place);
  check_input(json.is_object(), "{}: expected {}, or an object, but received {}", place, kinds,
              shown(json_text(json)));
  const detail::JsonReader reader(json, place);
  for (const auto& [key, value] : json.items()) {
    static const std::vector<std::string> known = {"kind", "levels",   "missing", "low",
                                                   "high", "decimals", "between", "date_format"};
    check_input(std::find(known.begin(), known.end(), key) != known.end(),
                "{}: unknown member '{}': expected some of {}", place, shown(key), join(known));
  }
  std::string kind, format, between;
  reader.read("kind", kind);
  reader.read("date_format", format);
  ColumnWish wish = kind.empty() ? ColumnWish{} : of_kind(kind, place);
  reader.read("levels", wish.levels);
  reader.read("between", between);
  if (!between.empty()) {
    check_input(between == "none" || between == "sparse" || between == "all",
                "{}: expected \"between\" to be none, sparse or all but received '{}'", place,
                shown(between));
    wish.between = parse_between(between);
  }
  if (json.contains("missing")) wish.missing = reader.get<std::vector<std::string>>("missing");
  if (json.contains("decimals")) wish.decimals = reader.get<int>("decimals");
  check_input(wish.decimals.value_or(0) >= -1 && wish.decimals.value_or(0) <= 17,
              "{}: expected decimals from -1 to 17", place);
  if (!format.empty()) {
    wish.date_format = DateFormat::parse(format);
    check_input(wish.date_format.has_value(), "{}: unknown format of dates '{}': expected one as %Y-%m-%d",
                place, shown(format));
  }
  wish.low = bound(json, reader, "low", wish.date_format);
  wish.high = bound(json, reader, "high", wish.date_format);
  return wish;
}

}  // namespace fokker
