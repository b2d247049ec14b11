#include "fokker/data/columns.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/spec.h"
#include "fokker/data/csv/csv_text.h"
#include "fokker/data/dataset.h"

namespace fokker {
namespace {

using Names = std::vector<std::string>;

constexpr size_t most_listed = 30;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_nameless(const Names& names) {
  return names == default_column_names(std::ssize(names));
}

/// "column 'a'", "columns 'a', 'b'".
std::string quoted(const Names& names) {
  Names each;
  for (const std::string& name : names) each.push_back("'" + shown(name) + "'");
  if (each.size() > most_listed)
    each = {each.front(), "...", fmt::format("{} ({} in all)", each.back(), each.size())};
  return (names.size() == 1 ? "column " : "columns ") + join(each);
}

/// Without blanks, underscores and dashes, in lower case.
std::string bare(const std::string& name) {
  std::string text;
  for (const char c : name)
    if (c != ' ' && c != '\t' && c != '_' && c != '-' && c != '.')
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// " (its column 'B' differs ...)", where such a one is there.
std::string hint(const Names& names, const std::string& missing) {
  for (const std::string& name : names)
    if (bare(name) == bare(missing))
      return fmt::format(" (its '{}' differs in case, blanks or dashes only: rename it)", shown(name));
  return "";
}

Names difference(const Names& from, const Names& without) {
  Names rest;
  for (const std::string& name : from)
    if (!contains(without, name)) rest.push_back(name);
  return rest;
}

/// As many, of which one side has no names.
ColumnMatch by_place(const ColumnNames& found, const WantedColumns& wanted) {
  ColumnMatch match{.columns = found.names};
  const std::string none = (is_nameless(found.names) ? "it" : wanted.owner) + " has no names of columns";
  match.notes.push_back(fmt::format("{}: {} are taken in this order for {}", none, list_columns(found.names),
                                    list_columns(wanted.names)));
  return match;
}

}  // namespace

std::string list_columns(const std::vector<std::string>& names) {
  Names some;
  for (size_t i = 0; i < std::min(names.size(), most_listed); ++i)
    some.push_back(names[i].find(',') == std::string::npos ? shown(names[i]) : shown(quoted_cell(names[i])));
  return join(some) + (names.size() > most_listed ? fmt::format(", ... ({} in all)", names.size()) : "");
}

ColumnMatch match_columns(const std::string& file, const ColumnNames& found, const WantedColumns& wanted) {
  if (found.names == wanted.names) return {.columns = found.names};
  const Names missing = difference(wanted.names, found.names);
  const bool none_there = missing.size() == wanted.names.size();
  const bool nameless =
      found.named ? none_there && (is_nameless(found.names) || is_nameless(wanted.names)) : !missing.empty();
  // Of more columns without names, those wanted are known where they were chosen by their places in training.
  const bool chosen = wanted.chosen || contains(found.names, wanted.label) || !is_nameless(wanted.names);
  if (nameless && found.names.size() == wanted.names.size()) return by_place(found, wanted);
  check_input(!nameless && (found.named || chosen), "{}: expected {} columns, {}, as {} has but found {}, {}",
              file, wanted.names.size(), list_columns(wanted.names), wanted.owner, found.names.size(),
              list_columns(found.names));
  check_input(missing.empty(), "{}: no {}, which {} has: its columns are {}{}", file, quoted(missing),
              wanted.owner, list_columns(found.names), missing.empty() ? "" : hint(found.names, missing[0]));
  ColumnMatch match{.columns = wanted.names};
  Names rest = difference(found.names, wanted.names);
  if (contains(rest, wanted.label)) {
    match.label = wanted.label;
    rest = difference(rest, {wanted.label});
  } else if (!wanted.label.empty()) {
    const std::string close = hint(rest, wanted.label);
    check_input(close.empty(), "{}: no column '{}' of labels, which {} has: its columns are {}{}", file,
                shown(wanted.label), wanted.owner, list_columns(found.names), close);
  }
  if (!rest.empty())
    match.notes.push_back(fmt::format("{} left out, which {} has not", quoted(rest), wanted.owner));
  return match;
}

}  // namespace fokker
