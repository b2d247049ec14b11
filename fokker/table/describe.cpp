#include "fokker/table/describe.h"

#include <algorithm>
#include <array>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/text/text.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

struct KindWords {
  const char *one, *many;
};
constexpr std::array<KindWords, 6> words = {{{"real", "reals"},
                                             {"integer", "integers"},
                                             {"category", "categories"},
                                             {"ordinal", "ordinals"},
                                             {"date", "dates"},
                                             {"constant", "constants"}}};

std::string counted(int64_t count, const KindWords& word) {
  return fmt::format("{} {}", count, count == 1 ? word.one : word.many);
}

void add_clause(std::string& text, const std::string& clause) {
  text += (text.empty() ? "" : "; ") + clause;
}

/// Characters of UTF-8, for alignment.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(),
                                           [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}

std::string noticed(const Column& column) {
  std::string text;
  if (column.is_number()) {
    text = cell_text(column, column.low) + " to " + cell_text(column, column.high);
    if (column.kind == ColumnKind::real && column.decimals >= 0)
      add_clause(text, counted(column.decimals, {"decimal", "decimals"}));
    if (column.bounded) add_clause(text, "many at a bound");
  } else if (column.levels.size() == 1) {
    text = "'" + shown(column.levels[0]) + "'";
  } else {
    text = fmt::format("{} levels", column.levels.size());
    if (column.levels.size() <= 3) {
      std::vector<std::string> all;
      for (const std::string& level : column.levels) all.push_back(shown(without_blanks(level)));
      text += " (" + join(all) + ")";
    }
  }
  if (!column.missing.empty()) {
    const std::string mark(without_blanks(column.missing[0]));
    add_clause(text, fmt::format("{:.2g} % missing ({})", 100 * column.missing_share,
                                 mark.empty() ? "empty" : shown(mark)));
  }
  if (!column.note.empty()) add_clause(text, column.note);
  return text;
}

}  // namespace

std::string schema_summary(const Schema& schema) {
  std::array<int64_t, 6> count = {}, missing = {};
  for (const Column& column : schema.columns) {
    ++count[static_cast<size_t>(column.kind)];
    if (!column.missing.empty()) ++missing[static_cast<size_t>(column.kind)];
  }
  std::vector<std::string> parts;
  for (size_t kind = 0; kind < words.size(); ++kind) {
    if (count[kind] == 0) continue;
    parts.push_back(counted(count[kind], words[kind]));
    if (missing[kind] > 0) parts.back() += fmt::format(" (missing in {})", missing[kind]);
  }
  const auto dropped = std::ssize(schema.dropped);
  if (dropped > 0) parts.push_back(fmt::format("{} dropped", dropped));
  return counted(schema.size() + dropped, {"column", "columns"}) + ": " + join(parts);
}

std::vector<std::string> schema_lines(const Schema& schema) {
  size_t width = 0;
  for (const Column& column : schema.columns) width = std::max(width, width_of(shown(column.name)));
  for (const DroppedColumn& column : schema.dropped) width = std::max(width, width_of(shown(column.name)));
  std::vector<std::string> lines;
  const auto add = [&](const std::string& name, std::string_view kind, const std::string& text) {
    lines.push_back(padded(shown(name), width) + "  " + padded(std::string(kind), 11) + "  " + text);
  };
  for (const Column& column : schema.columns) add(column.name, to_string(column.kind), noticed(column));
  for (const DroppedColumn& column : schema.dropped) add(column.name, "dropped", column.why);
  return lines;
}

Schema load_schema(const std::filesystem::path& path) try {
  return Schema::from_json(read_json(path), path.string());
} catch (...) {
  detail::throw_as_error();
}

void save_schema(const std::filesystem::path& path, const Schema& schema) try {
  write_file_atomically(path, json_text(schema.to_json(), 2) + "\n");
} catch (...) {
  detail::throw_as_error();
}

GivenSchema load_given_schema(const std::filesystem::path& path) try {
  const Json json = read_json(path);
  const std::string name = path.string();
  check_input(json.is_object(), "{}: expected an object of columns", name);
  GivenSchema given;
  const bool wrapped = json.contains("columns") && json["columns"].is_structured();
  if (wrapped && json["columns"].is_array()) {
    given.schema = std::make_shared<const Schema>(Schema::from_json(json, name));
    return given;
  }
  const Json& columns = wrapped ? json["columns"] : json;
  for (const auto& [column, wish] : columns.items())
    given.wishes[column] = ColumnWish::from_json(wish, fmt::format("{}: column '{}'", name, shown(column)));
  return given;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
