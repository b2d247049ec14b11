// What the cells of a column are, once all are seen.
#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"
#include "fokker/table/cells.h"
#include "fokker/table/distribution.h"
#include "fokker/table/infer.h"

namespace fokker {
namespace {

constexpr int64_t fewest_counting = 10;    // rows that a column can be said to count
constexpr int64_t fewest_identified = 50;  // rows of which each may have a name of its own
constexpr int64_t most_codes = 10, rows_per_code = 20;
constexpr int64_t fewest_rounded = 20;
constexpr int64_t fewest_of_two = 10;  // rows of a column of two values, which may be more

void add_note(Column& column, const std::string& note) {
  column.note += (column.note.empty() ? "" : "; ") + note;
}

/// id, user_id, userId, row index, ....
bool is_name_of_identifier(const std::string& name) {
  if (name.size() > 2 && (name.ends_with("Id") || name.ends_with("ID"))) return true;
  std::string lower;
  for (const char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.find("uuid") != std::string::npos || lower.find("guid") != std::string::npos) return true;
  for (const std::string word : {"id", "index", "key", "identifier", "rowid"}) {
    if (lower == word) return true;
    for (const char* blank : {"_", " ", "-", "."})
      if (lower.ends_with(blank + word)) return true;
  }
  return lower.starts_with("id_");
}

std::vector<double> present(const std::vector<double>& values) {
  std::vector<double> result;
  result.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(result),
               [](double value) { return !std::isnan(value); });
  return result;
}

ValueCounts counts_of(const DistinctTexts& texts, const std::vector<double>& values, bool complete) {
  if (!complete) return ValueCounts::of(present(values));
  std::vector<std::pair<double, int64_t>> pairs;
  for (const DistinctText& each : texts)
    if (!std::isnan(each.value)) pairs.emplace_back(each.value, each.count);
  std::sort(pairs.begin(), pairs.end());
  ValueCounts result;
  for (const auto& [value, count] : pairs) {
    if (result.values.empty() || result.values.back() != value) {
      result.values.push_back(value);
      result.counts.push_back(0);
    }
    result.counts.back() += count;
  }
  return result;
}

/// What the values are like, of numbers and dates.
void describe(Column& column, const ValueCounts& counts) {
  column.low = counts.values.front();
  column.high = counts.values.back();
  column.spikes = find_spikes(counts);
  const ValueCounts rest = without(counts, column.spikes);
  column.heavy_tails = has_heavy_tails(rest);
  column.bounded = has_hard_bound(rest);
}

std::string spikes_note(const Column& column) {
  const Spike& most = *std::max_element(column.spikes.begin(), column.spikes.end(),
                                        [](const Spike& a, const Spike& b) { return a.share < b.share; });
  const std::string at = cell_text(column, most.value);
  if (column.spikes.size() == 1) return fmt::format("{:.3g} % are {}", 100 * most.share, at);
  return fmt::format("{} values stand out, such as {} ({:.3g} %)", column.spikes.size(), at,
                     100 * most.share);
}

void note_numbers(Column& column) {
  if (!column.spikes.empty()) add_note(column, spikes_note(column));
  if (column.heavy_tails) add_note(column, "heavy tails");
}

}  // namespace

int64_t ColumnBuilder::missing_rows(bool texts) const {
  return count(CellClass::missing) + (texts || !none_is_missing() ? 0 : count(CellClass::word_none));
}

void ColumnBuilder::note_missing(Column& column, bool texts) const {
  const int64_t missing = missing_rows(texts);
  if (missing == 0) return;
  std::vector<std::pair<int64_t, std::string_view>> marks;
  for (const DistinctText& each : texts_)
    if (each.kind == CellClass::missing || (!texts && each.kind == CellClass::word_none))
      marks.emplace_back(-each.count, each.text);
  std::sort(marks.begin(), marks.end());
  for (const auto& [count, mark] : marks) column.missing.emplace_back(mark);
  column.missing_share = static_cast<double>(missing) / static_cast<double>(rows());
}

std::string ColumnBuilder::identifier(int64_t distinct) const {
  if (wish_.kind || !wish_.levels.empty() || distinct < rows()) return "";
  if (std::abs(step_) == 1 && rows() >= fewest_counting)
    return fmt::format("an identifier: it counts the rows {} from {:.0f}", step_ > 0 ? "up" : "down", start_);
  if (rows() >= fewest_identified && is_name_of_identifier(name_))
    return "an identifier: different in every row";
  return "";
}

/// Whether numbers or dates with so many values are better told by their levels; then they are.
bool ColumnBuilder::as_levels(InferredColumn& result, int64_t distinct) {
  if (wish_.kind) return false;
  const bool whole = count(CellClass::number) > 0 && !written_.has_fractions() && !written_.beyond_exact();
  const int64_t found = rows() - missing_rows(false);
  const bool codes = whole && distinct <= most_codes && found >= rows_per_code * distinct;
  const bool one = distinct == 1 && found > 1, two = distinct == 2 && found >= fewest_of_two;
  if (!one && !two && !(codes && distinct > 2)) return false;
  end_texts(result, true);
  if (distinct > 2)
    result.column.note = fmt::format(
        "{} whole-number codes: taken as categories; the type {}=integer keeps their order", distinct, name_);
  return true;
}

void ColumnBuilder::end_numbers(InferredColumn& result) {
  Column& column = result.column;
  const ValueCounts counts = counts_of(texts_, values_, !lost_);
  const auto distinct = std::ssize(counts.values);
  const bool whole = !written_.has_fractions() && !written_.beyond_exact();
  if (wish_.kind == ColumnKind::integer && !whole)
    for (int64_t row = 0; row < rows(); ++row)
      if (const double value = values_[static_cast<size_t>(row)];
          (value != std::floor(value) || std::abs(value) > 0x1p53) && !std::isnan(value))
        fail_cell(row, "a whole number up to 2^53 of a column that is integer");
  if (whole && !wish_.kept) result.dropped = identifier(distinct);
  if (!result.dropped.empty() || as_levels(result, distinct)) return;
  note_missing(column, false);
  column.kind = wish_.kind.value_or(whole ? ColumnKind::integer : ColumnKind::real);
  const bool rounded = column.kind == ColumnKind::integer;
  if (rounded) {
    column.decimals = 0;
    column.padding = std::min(written_.padding(), 6);
  } else {
    // Few numbers do not show that they are rounded; whole ones that are said to be real are not.
    const bool shows = !whole && counts.total() >= fewest_rounded;
    column.decimals = wish_.decimals.value_or(shows ? written_.decimals() : -1);
    column.digits = shows ? written_.digits() : -1;
    column.padding = column.decimals >= 0 ? std::min(written_.padding(), column.decimals) : 0;
  }
  describe(column, counts);
  note_numbers(column);
  result.cells = std::move(values_);
}

void ColumnBuilder::end_dates(InferredColumn& result) {
  Column& column = result.column;
  if (!wish_.date_format)
    for (double& value : values_)
      if (!std::isnan(value)) value = dates_.seconds(value);
  const ValueCounts counts = ValueCounts::of(present(values_));
  if (as_levels(result, std::ssize(counts.values))) return;
  note_missing(column, false);
  column.kind = ColumnKind::datetime;
  column.date_format = wish_.date_format.value_or(dates_.format()).text();
  if (!wish_.date_format && dates_.is_ambiguous())
    add_note(column, fmt::format("read as {}, as no day is above 12; a schema's date_format overrules it",
                                 column.date_format));
  describe(column, counts);
  note_numbers(column);
  result.cells = std::move(values_);
}

/// A column that would be numbers but for what stands beside them is not texts.
void ColumnBuilder::refuse_marked_numbers() const {
  int64_t marked = 0, all = 0;
  int32_t first = -1;
  std::string_view mark;
  for (int32_t code = 0; code < static_cast<int32_t>(texts_.size()); ++code) {
    const DistinctText& each = texts_[code];
    if (each.kind != CellClass::text && each.kind != CellClass::number) continue;
    const bool number = each.kind == CellClass::number;
    const std::string_view found = number ? "" : mark_of_number(without_blanks(each.text));
    all += each.count;
    if (number || !found.empty()) marked += each.count;
    if (first < 0 && !found.empty()) mark = found, first = code;
  }
  if (first < 0 || static_cast<double>(marked) < nearly_all * static_cast<double>(all)) return;
  fail_cell(std::find(codes_.begin(), codes_.end(), first) - codes_.begin(),
            fmt::format(
                "a number without {}, as nearly all rows have (the type {}=categorical takes them as texts, "
                "{}=drop leaves the column out),",
                mark, shown(name_), shown(name_)));
}

void ColumnBuilder::end_texts(InferredColumn& result, bool by_value) {
  Column& column = result.column;
  const bool numbers = count(CellClass::number) > 0 && count(CellClass::text) + count(CellClass::date) == 0;
  const bool dates = count(CellClass::date) > 0 && count(CellClass::text) + count(CellClass::number) == 0;
  const bool texts = !numbers && !dates;
  const int64_t found = rows() - missing_rows(texts);
  const Levels levels = levels_of(texts_, !texts && none_is_missing(), by_value);
  const auto distinct = std::ssize(levels.names);
  const bool free = !wish_.kind && wish_.levels.empty();
  if (free && texts && distinct > most_codes) refuse_marked_numbers();
  if (free && found >= fewest_identified && (2 * distinct > found || mostly_distinct_)) {
    result.dropped = distinct == found && !mostly_distinct_
                         ? "an identifier: different in every row"
                         : "free text or an identifier: different in more than half the rows";
    return;
  }
  note_missing(column, texts);
  column.kind = wish_.kind.value_or(distinct == 1 && column.missing.empty() ? ColumnKind::constant
                                                                            : ColumnKind::categorical);
  if (column.kind == ColumnKind::constant && distinct > 1)
    fail(ErrorKind::input, "{}: column '{}': expected one value of a constant but found '{}' and '{}'", file_,
         shown(name_), shown(levels.names[0]), shown(levels.names[1]));
  if (column.kind == ColumnKind::ordinal && wish_.levels.empty() && !levels.numbers)
    add_note(column, "in the order of the alphabet; a schema's levels give another");
  if (free && numbers && written_.has_leading_zeros()) add_note(column, "codes with leading zeros");
  if (free && texts && count(CellClass::number) > 0)
    add_note(column, fmt::format("{} of {} cells are numbers", count(CellClass::number), found));
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
  add_note(column, "every cell is missing");
  result.cells.assign(values_.size(), 0.0);
}

void ColumnBuilder::check_wish(const InferredColumn& result) const {
  if (!result.dropped.empty() || !result.column.is_number()) return;
  for (size_t row = 0; row < result.cells.size(); ++row) {
    const double cell = result.cells[row];
    if (wish_.low && cell < *wish_.low)
      fail_cell(static_cast<int64_t>(row), fmt::format("at least {}", cell_text(result.column, *wish_.low)));
    if (wish_.high && cell > *wish_.high)
      fail_cell(static_cast<int64_t>(row), fmt::format("at most {}", cell_text(result.column, *wish_.high)));
  }
}

}  // namespace fokker
