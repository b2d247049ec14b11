// Columns of texts, and those without a cell.
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/table/cells.h"
#include "fokker/table/infer.h"

namespace fokker {
namespace {

constexpr int64_t fewest_told_apart = 50;  // rows of which each may have a name of its own
constexpr int64_t fewest_free = 10;        // rows of long texts that each was written for itself
constexpr double length_of_free = 20;      // bytes of these, on average

}  // namespace

/// Why levels of so many cells are none; empty where they are.
std::string ColumnBuilder::free_text(const std::vector<std::string>& names, int64_t found, bool texts) const {
  const auto distinct = std::ssize(names);
  if (found >= fewest_told_apart && (2 * distinct > found || mostly_distinct_))
    return distinct == found && !mostly_distinct_
               ? "an identifier: different in every row"
               : "free text or an identifier: different in more than half the rows";
  double length = 0;
  for (const std::string& name : names) length += static_cast<double>(name.size());
  const bool is_long = length >= length_of_free * static_cast<double>(distinct);
  return texts && found >= fewest_free && distinct == found && is_long ? "free text: different in every row"
                                                                       : "";
}

void ColumnBuilder::end_texts(InferredColumn& result, bool by_value) {
  Column& column = result.column;
  const int64_t amounts = count(CellClass::number) + count(CellClass::amount);
  const bool numbers = amounts > 0 && count(CellClass::text) + count(CellClass::date) == 0;
  const bool dates = count(CellClass::date) > 0 && count(CellClass::text) + amounts == 0;
  const bool texts = !numbers && !dates;
  const int64_t found = rows() - missing_rows(texts);
  const Levels levels = levels_of(texts_, !texts && none_is_missing(), by_value);
  const auto distinct = std::ssize(levels.names);
  const bool free = !wish_.kind && wish_.levels.empty();
  if (free) result.dropped = free_text(levels.names, found, texts);
  if (!result.dropped.empty()) return;
  note_missing(column, texts);
  column.kind = wish_.kind.value_or(distinct == 1 && column.missing.empty() ? ColumnKind::constant
                                                                            : ColumnKind::categorical);
  if (column.kind == ColumnKind::constant && distinct > 1)
    fail(ErrorKind::input, "{}: column '{}': expected one value of a constant but found '{}' and '{}'", file_,
         shown(name_), shown(levels.names[0]), shown(levels.names[1]));
  if (column.kind == ColumnKind::ordinal && wish_.levels.empty() && !levels.numbers)
    column.add_note("in the order of the alphabet; a schema's levels give another");
  if (free && numbers && written_.has_leading_zeros())
    column.add_note("codes with leading zeros");
  else if (free && numbers && named_as_code_ && distinct > 2)
    column.add_note(
        fmt::format("codes by their name; the type {}=integer takes them as numbers", shown(name_)));
  if (free && texts && count(CellClass::number) > 0)
    column.add_note(fmt::format("{} of {} cells are numbers", count(CellClass::number), found));
  column.levels = levels.names;
  result.cells.resize(codes_.size());
  for (size_t row = 0; row < codes_.size(); ++row)
    result.cells[row] = levels.place[static_cast<size_t>(codes_[row])];
  if (wish_.levels.empty()) return;
  column.levels = wish_.levels;
  const CellParser parser(column);
  std::vector<double> place(levels.names.size(), NAN);
  for (size_t i = 0; i < place.size(); ++i) place[i] = parser.parse(levels.names[i]).value_or(NAN);
  for (size_t row = 0; row < codes_.size(); ++row) {
    double& cell = result.cells[row];
    if (std::isnan(cell)) continue;
    cell = place[static_cast<size_t>(cell)];
    if (std::isnan(cell)) fail_cell(static_cast<int64_t>(row), "one of the levels given");
  }
}

void ColumnBuilder::end_empty(InferredColumn& result) {
  Column& column = result.column;
  note_missing(column, false);
  if (column.missing.size() != 1 || wish_.kind) {
    result.dropped = "every cell is missing";
    return;
  }
  column.kind = ColumnKind::constant;
  column.levels = {column.missing.front()};
  column.missing.clear();
  column.missing_share = 0;
  column.add_note("every cell is missing");
  result.cells.assign(values_.size(), 0.0);
}

}  // namespace fokker
