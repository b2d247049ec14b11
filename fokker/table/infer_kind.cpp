// What the cells of a column are, once all are seen.
#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/table/cells.h"
#include "fokker/table/distribution.h"
#include "fokker/table/infer.h"
#include "fokker/table/lattice.h"

namespace fokker {
namespace {

constexpr int64_t fewest_counting = 10;    // rows that a column can be said to count
constexpr int64_t fewest_identified = 50;  // rows of which each may have a name of its own
constexpr int64_t most_codes = 10, rows_per_code = 20;
constexpr int64_t fewest_rounded = 20;
constexpr int64_t fewest_dates_in_numbers = 10;
constexpr int64_t most_told = 256;     // values whose number says something
constexpr int64_t fewest_of_two = 10;  // rows of a column of two values, which may be more

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

std::string spikes_note(const Column& column) {
  const Spike& most = *std::max_element(column.spikes.begin(), column.spikes.end(),
                                        [](const Spike& a, const Spike& b) { return a.share < b.share; });
  const std::string at = cell_text(column, most.value);
  if (column.spikes.size() == 1) return fmt::format("{:.3g} % are {}", 100 * most.share, at);
  return fmt::format("{} values stand out, such as {} ({:.3g} %)", column.spikes.size(), at,
                     100 * most.share);
}

/// Which whole numbers come, where that could be otherwise.
void note_between(Column& column, const ValueCounts& counts) {
  const auto distinct = std::ssize(counts.values);
  const double span = counts.values.back() - counts.values.front();
  if (column.kind != ColumnKind::integer || distinct > most_told || span < static_cast<double>(distinct))
    return;
  if (column.between == Between::none)
    column.add_note(fmt::format(
        "only the {} values seen come; a schema's \"between\": \"all\" lets others come", distinct));
  else
    column.add_note(fmt::format(
        "{} values seen, others between them may come; a schema's \"between\": \"none\" overrules it",
        distinct));
}

}  // namespace

/// What the values are like, of numbers and dates.
void ColumnBuilder::describe(Column& column, const ValueCounts& counts) const {
  column.low = counts.values.front();
  column.high = counts.values.back();
  column.spikes = find_spikes(counts);
  const ValueCounts rest = without(counts, column.spikes);
  column.heavy_tails = has_heavy_tails(rest);
  column.bounded = has_hard_bound(rest);
  const bool goes_on = goes_on_between(rest, lattice_width(column, rest.values));
  column.between = wish_.between.value_or(goes_on ? Between::sparse : Between::none);
  if (!column.spikes.empty()) column.add_note(spikes_note(column));
  if (column.heavy_tails) column.add_note("heavy tails");
  note_between(column, counts);
}

int64_t ColumnBuilder::missing_rows(bool texts) const {
  if (texts || !none_is_missing()) return count(CellClass::missing);
  return count(CellClass::missing) + count(CellClass::word_none) + (strays_ ? count(CellClass::text) : 0);
}

bool ColumnBuilder::is_absent(const DistinctText& each, bool texts) const {
  if (each.kind == CellClass::missing) return true;
  return !texts && (each.kind == CellClass::word_none || (strays_ && each.kind == CellClass::text));
}

/// Says which words are taken for missing cells.
void ColumnBuilder::end_strays(Column& column) const {
  if (!strays_) return;
  std::vector<std::string> words;
  for (const DistinctText& each : texts_)
    if (each.kind == CellClass::text) words.push_back("'" + shown(without_blanks(each.text)) + "'");
  column.add_note(fmt::format("{} taken as missing; a schema's \"missing\" says otherwise", join(words)));
}

void ColumnBuilder::note_missing(Column& column, bool texts) const {
  const int64_t missing = missing_rows(texts);
  if (missing == 0) return;
  std::vector<std::pair<int64_t, std::string_view>> marks;
  for (const DistinctText& each : texts_)
    if (is_absent(each, texts)) marks.emplace_back(-each.count, each.text);
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
  const bool whole = count(CellClass::number) + count(CellClass::amount) > 0 && !written_.has_fractions() &&
                     !written_.beyond_exact();
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
  if (end_compact_dates(result, distinct)) return;
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
  column.number_format = amounts_.format();
  if (column.kind == ColumnKind::integer) {
    column.decimals = 0;
    column.padding = std::min(written_.padding(), 6);
  } else {
    // Few numbers do not show that they are rounded; whole ones that are said to be real are not.
    const bool shows = !whole && counts.total() >= fewest_rounded;
    column.decimals = wish_.decimals.value_or(shows ? written_.decimals() : -1);
    column.digits = shows ? written_.digits() : -1;
    column.padding = std::min(written_.padding(), column.decimals >= 0 ? column.decimals : 1);
  }
  describe(column, counts);
  end_strays(column);
  if (amounts_.is_group_in_doubt())
    column.add_note(fmt::format("'{}' read as a separator of thousands; give the decimal {} if it is one",
                                column.number_format.group, column.number_format.group));
  result.cells = std::move(values_);
}

/// Dates written as whole numbers, 20240229 or 20240229103000; false where some is none.
bool ColumnBuilder::end_compact_dates(InferredColumn& result, int64_t distinct) {
  const bool asked = wish_.kind == ColumnKind::datetime;
  const int64_t found = count(CellClass::number);
  const bool may_be = !wish_.kind && found >= fewest_dates_in_numbers && distinct > 2;
  if (!asked && (!may_be || written_.has_fractions())) return false;
  bool with_time = false, compact = found > 0 && count(CellClass::amount) == 0;
  std::vector<double> seconds(values_.size(), NAN);
  for (size_t row = 0, seen = 0; compact && row < seconds.size(); ++row) {
    if (std::isnan(values_[row])) continue;
    if (seen++ == 0) with_time = values_[row] > 1e9;
    seconds[row] = parse_compact_date(values_[row], with_time).value_or(NAN);
    compact = !std::isnan(seconds[row]);
    if (!compact && asked) fail_cell(static_cast<int64_t>(row), "a date of a column that is datetime");
  }
  if (!compact) return false;
  values_ = std::move(seconds);
  if (!asked)
    result.column.add_note(
        fmt::format("whole numbers read as dates; the type {}=integer overrules it", shown(name_)));
  end_dates_as(result, *DateFormat::parse(with_time ? "%Y%m%d%H%M%S" : "%Y%m%d"));
  return true;
}

/// By the format that all dates have, where those before it showed were read by another.
void ColumnBuilder::reread_dates() {
  const DateFormat format = dates_.format();
  std::vector<double> seconds;
  for (const DistinctText& each : texts_)
    seconds.push_back(each.kind == CellClass::date ? *parse_date(format, without_blanks(each.text)) : NAN);
  for (size_t row = 0; row < values_.size(); ++row) values_[row] = seconds[static_cast<size_t>(codes_[row])];
}

void ColumnBuilder::end_dates(InferredColumn& result) {
  if (!wish_.date_format && dates_.has_changed()) reread_dates();
  const ValueCounts counts = ValueCounts::of(present(values_));
  if (as_levels(result, std::ssize(counts.values))) return;
  end_dates_as(result, wish_.date_format.value_or(dates_.format()));
  const std::string other = wish_.date_format ? "" : dates_.alternative();
  if (!other.empty())
    result.column.add_note(
        fmt::format("read as {}, where {} would do as well (no day is above 12); a schema's date_format "
                    "overrules it",
                    result.column.date_format, other));
}

void ColumnBuilder::end_dates_as(InferredColumn& result, const DateFormat& format) {
  Column& column = result.column;
  note_missing(column, false);
  column.kind = ColumnKind::datetime;
  column.date_format = format.text();
  describe(column, ValueCounts::of(present(values_)));
  end_strays(column);
  result.cells = std::move(values_);
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
