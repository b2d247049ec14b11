#include "cli/option/kind_options.h"

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/table/describe.h"

namespace fokker::cli {
namespace {

/// "COLUMN=KIND"; the column's name may hold a '=' itself.
std::pair<std::string, ColumnWish> typed_column(const std::string& typed) {
  constexpr const char* expected =
      "COLUMN=KIND, of the kinds real, integer, categorical, ordinal, datetime, constant and drop,";
  const size_t at = typed.rfind('=');
  check(at != std::string::npos && at > 0, "type: expected {} but received '{}'", expected, shown(typed));
  try {
    return {typed.substr(0, at), ColumnWish::of_kind(typed.substr(at + 1), "type")};
  } catch (const Error&) {
    fail(ErrorKind::argument, "type: expected {} but received '{}'", expected, shown(typed));
  }
}

}  // namespace

void describe_kinds(Command& c, KindOptions& o) {
  c.option(
      "--schema", o.schema,
      "JSON file of what columns of a CSV file hold: a run's schema.json, or COLUMN: KIND for some of them");
  c.repeated("--type", o.types,
             "COLUMN=KIND of a CSV file: real, integer, categorical, ordinal, datetime, constant or drop "
             "(default: inferred)");
}

const std::vector<std::string>& kind_option_names() {
  static const std::vector<std::string> names = {"schema", "type"};
  return names;
}

void choose_kinds(const KindOptions& o, LoadOptions& reading) {
  reading.typed = true;
  if (!o.schema.empty()) {
    GivenSchema given = load_given_schema(o.schema);
    check(!given.schema || o.types.empty(),
          "type: {} holds the kinds of all columns: change them there, or leave one of the two out",
          o.schema);
    reading.schema = std::move(given.schema);
    reading.wishes = std::move(given.wishes);
    reading.within_bounds = true;
  }
  for (const std::string& each : o.types) {
    auto [column, wish] = typed_column(each);
    reading.wishes[column] = std::move(wish);
  }
}

}  // namespace fokker::cli
