#include "fokker/table/condition.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

constexpr size_t most_levels = 20;  // that a message lists

std::string list_levels_of(const Column& column) {
  std::vector<std::string> some;
  for (size_t i = 0; i < std::min(column.levels.size(), most_levels); ++i)
    some.push_back(shown(without_blanks(column.levels[i])));
  return join(some) +
         (column.levels.size() > most_levels ? fmt::format(", ... ({} in all)", column.levels.size()) : "");
}

/// Reads the VALUE of one column.
class ValueReader {
 public:
  ValueReader(const Column& column, std::string place)
      : column_(column), place_(std::move(place)), parser_(column) {
    for (const std::string& level : column.levels) {
      double value = 0;
      if (parse_number(without_blanks(level), value) == NumberError::none) numbers_.push_back(value);
    }
    if (numbers_.size() != column.levels.size()) numbers_.clear();
  }

  ColumnCondition read(std::string_view text) const {
    if (const auto cell = parser_.parse(text)) return {.values = {exact(*cell)}};
    if (text.find('|') != std::string_view::npos) return some_values(text);
    if (const size_t dots = text.find(".."); dots != std::string_view::npos)
      return range(without_blanks(text.substr(0, dots)), without_blanks(text.substr(dots + 2)));
    refuse(text);
  }

 private:
  bool has_order() const {
    return column_.is_number() || column_.kind == ColumnKind::ordinal || !numbers_.empty();
  }
  std::string bounds() const {
    return fmt::format("from {} to {}", cell_text(column_, column_.low), cell_text(column_, column_.high));
  }
  std::string expected() const {
    std::string text = "a whole number ";
    if (column_.kind == ColumnKind::real) text = "a number ";
    if (column_.kind == ColumnKind::datetime) text = fmt::format("a date as {} ", column_.date_format);
    text = column_.is_number() ? text + bounds() : "one of " + list_levels_of(column_);
    if (has_order()) text += ", or a range LOW..HIGH,";
    return text;
  }
  [[noreturn]] void refuse(std::string_view text) const {
    const bool missing = is_missing_mark(without_blanks(text));
    fail(ErrorKind::argument, "{}: expected {} but received '{}'{}", place_, expected(), shown(text),
         missing ? ": none of its cells was missing in training" : "");
  }

  /// As it is written, and within what was seen.
  double exact(double cell) const {
    if (!column_.is_number() || std::isnan(cell)) return cell;
    cell = parser_.parse(cell_text(column_, cell)).value_or(cell);
    check(
        cell >= column_.low && cell <= column_.high,
        "{}: {} lies outside the values of the training, {}, and of rows there nothing was learned; a range "
        "LOW..HIGH may reach beyond them",
        place_, cell_text(column_, cell), bounds());
    return cell;
  }

  ColumnCondition some_values(std::string_view text) const {
    ColumnCondition condition;
    const bool rounded = column_.kind != ColumnKind::real || column_.decimals >= 0 || column_.digits > 0;
    for (size_t first = 0; first <= text.size();) {
      const size_t end = std::min(text.find('|', first), text.size());
      const std::string_view each = text.substr(first, end - first);
      const auto cell = parser_.parse(each);
      if (!cell) refuse(each);
      const bool spike = std::any_of(column_.spikes.begin(), column_.spikes.end(),
                                     [&](Spike s) { return s.value == *cell; });
      check(rounded || spike || std::isnan(*cell),
            "{}: expected one value or a range LOW..HIGH of numbers that are not rounded, but received '{}'",
            place_, shown(text));
      condition.values.push_back(exact(*cell));
      first = end + 1;
    }
    return condition;
  }

  /// An end of a range; the infinite one where it is open.
  double end_of(std::string_view text, double open) const {
    if (text.empty()) return open;
    double number = 0;
    if (column_.kind != ColumnKind::datetime && (column_.is_number() || !numbers_.empty())) {
      if (parse_number(text, number) == NumberError::none) return number;
      const auto dressed = parser_.parse(text);
      if (!dressed || !column_.is_number() || std::isnan(*dressed)) refuse(text);
      return *dressed;
    }
    const auto cell = parser_.parse(text);
    if (!cell || std::isnan(*cell)) refuse(text);
    return *cell;
  }

  ColumnCondition range(std::string_view from, std::string_view to) const {
    check(has_order(),
          "{}: its levels have no order, so it has no range {}..{}; expected some of them, a|b, of {}",
          place_, shown(from), shown(to), list_levels_of(column_));
    constexpr double infinity = std::numeric_limits<double>::infinity();
    ColumnCondition condition{.low = end_of(from, -infinity), .high = end_of(to, infinity)};
    check(condition.low <= condition.high, "{}: expected LOW <= HIGH but received {}..{}", place_,
          shown(from), shown(to));
    if (column_.is_number()) {
      check(condition.low <= column_.high && condition.high >= column_.low,
            "{}: the range {}..{} has none of the values of the training, {}", place_, shown(from), shown(to),
            bounds());
      return condition;
    }
    for (size_t i = 0; i < column_.levels.size(); ++i) {
      const double at = numbers_.empty() ? static_cast<double>(i) : numbers_[i];
      if (at >= condition.low && at <= condition.high) condition.values.push_back(static_cast<double>(i));
    }
    check(!condition.values.empty(), "{}: the range {}..{} has none of its levels {}", place_, shown(from),
          shown(to), list_levels_of(column_));
    return condition;
  }

  const Column& column_;
  std::string place_;
  CellParser parser_;
  std::vector<double> numbers_;  ///< that all levels are; else empty
};

/// Numbers of a few significant digits are cells of all their digits: as they are written.
Tensor as_written(const Column& column, const Tensor& cells) {
  Tensor values = cells.to(at::kDouble).contiguous();
  if (column.kind != ColumnKind::real || column.digits <= 0) return values;
  values = values.clone();
  const CellWriter writer(column);
  const CellParser parser(column);
  std::string text;
  double* value = values.data_ptr<double>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    if (std::isnan(value[i])) continue;
    text.clear();
    writer.append(text, value[i]);
    value[i] = parser.parse(text).value_or(value[i]);
  }
  return values;
}

}  // namespace

Tensor ColumnCondition::holds(const Column& of, const Tensor& cells) const {
  const Tensor written = as_written(of, cells);
  if (values.empty()) return (written >= low) & (written <= high);
  Tensor any = at::zeros(written.sizes(), at::TensorOptions(at::kBool));
  for (const double value : values) any |= std::isnan(value) ? written.isnan() : written == value;
  return any;
}

ColumnCondition parse_condition(const Column& column, int64_t place_in_schema, std::string_view value,
                                const std::string& place) {
  ColumnCondition condition = ValueReader(column, place).read(value);
  condition.column = place_in_schema;
  return condition;
}

ColumnCondition parse_condition(const Schema& schema, std::string_view text) try {
  check(text.find('=') != std::string_view::npos, "given: expected COLUMN=VALUE but received '{}'",
        shown(text));
  // A column's name may hold a '=' itself.
  for (size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    const std::string_view name = without_blanks(text.substr(0, at));
    for (int64_t j = 0; j < schema.size(); ++j) {
      const Column& column = schema.columns[static_cast<size_t>(j)];
      if (column.name == name || without_blanks(column.name) == name)
        return parse_condition(column, j, text.substr(at + 1),
                               fmt::format("given: column '{}'", shown(column.name)));
    }
  }
  try {
    schema.find(without_blanks(text.substr(0, text.find('='))));
  } catch (const Error& error) {
    fail(ErrorKind::argument, "given: {}", error.what());
  }
  fail(ErrorKind::argument, "given: no column in '{}'", shown(text));
} catch (...) {
  detail::throw_as_error();
}

std::vector<ColumnCondition> parse_conditions(const Schema& schema, const std::vector<std::string>& texts) {
  std::vector<ColumnCondition> all;
  for (const std::string& text : texts) {
    ColumnCondition condition = parse_condition(schema, text);
    for (const ColumnCondition& other : all)
      check(other.column != condition.column,
            "given: column '{}' is given twice: expected one condition on it",
            shown(schema.columns[static_cast<size_t>(condition.column)].name));
    all.push_back(std::move(condition));
  }
  return all;
}

}  // namespace fokker
