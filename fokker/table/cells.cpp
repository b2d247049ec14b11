#include "fokker/table/cells.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"

namespace fokker {
namespace {

constexpr double most_fixed = 1e21;    // beyond it numbers are written with an exponent
constexpr double most_exact = 0x1p53;  // up to here float64 holds every whole number

std::string_view rounded(char (&buffer)[512], double value, std::chars_format format, int precision) {
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format, precision).ptr};
}

double to_digits(double value, int digits) {
  char buffer[512];
  double result = value;
  parse_number(rounded(buffer, value, std::chars_format::scientific, digits - 1), result);
  return result;
}

/// "1.50" as "1.5", "-0" as "0", with at least `padding` decimals.
void append_decimals(std::string& text, std::string_view number, int padding) {
  if (number.find('e') != std::string_view::npos) return void(text += number);
  const size_t point = number.find('.');
  size_t least = point == std::string_view::npos
                     ? number.size()
                     : point + (padding > 0 ? 1 + static_cast<size_t>(padding) : 0);
  if (point != std::string_view::npos)
    while (number.size() > least && (number.back() == '0' || number.size() == point + 1))
      number.remove_suffix(1);
  if (number.starts_with('-') && number.find_first_not_of("-0.") == std::string_view::npos)
    number.remove_prefix(1);
  text += number;
  if (padding == 0) return;
  const size_t at = number.find('.');
  const size_t found = at == std::string_view::npos ? 0 : number.size() - at - 1;
  if (at == std::string_view::npos) text += '.';
  for (size_t i = found; i < static_cast<size_t>(padding); ++i) text += '0';
}

DateFormat date_format_of(const Column& column) {
  if (column.kind != ColumnKind::datetime) return {};
  const auto format = DateFormat::parse(column.date_format);
  check(format.has_value(), "column '{}': unknown format of dates '{}'", shown(column.name),
        shown(column.date_format));
  return *format;
}

}  // namespace

std::string_view without_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_missing_mark(std::string_view text) {
  if (text.size() > 4) return false;
  constexpr std::string_view marks[] = {"", "?", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL"};
  return std::find(std::begin(marks), std::end(marks), text) != std::end(marks);
}

bool is_stray_mark(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::string_view marks[] = {"-",
                                        "--",
                                        "---",
                                        ".",
                                        "..",
                                        "...",
                                        "n/a",
                                        "n.a.",
                                        "na",
                                        "nd",
                                        "n.d.",
                                        "<na>",
                                        "#na",
                                        "unknown",
                                        "missing",
                                        "unavailable",
                                        "nil",
                                        "void",
                                        "#null!",
                                        "#div/0!",
                                        "#value!",
                                        "#ref!",
                                        "#num!",
                                        "#name?",
                                        "0000-00-00",
                                        "0000-00-00 00:00:00",
                                        "not available",
                                        "blank"};
  return std::find(std::begin(marks), std::end(marks), lower) != std::end(marks);
}

bool is_word_none(std::string_view text) {
  return text == "None" || text == "none" || text == ".";  // the last is SAS's and Stata's
}

CellParser::CellParser(const Column& column, char decimal, bool accept_missing)
    : column_(column),
      decimal_(decimal),
      accept_missing_(accept_missing || !column.missing.empty()),
      date_(date_format_of(column)) {
  bool whole = true;
  for (size_t i = 0; i < column.levels.size(); ++i) {
    const std::string_view text = without_blanks(column.levels[i]);
    places_.emplace(text, static_cast<double>(i));
    double value = 0;
    whole = whole && parse_number(text, value) == NumberError::none && value == std::floor(value) &&
            std::abs(value) < most_exact && values_.emplace(value, static_cast<double>(i)).second;
  }
  if (!whole) values_.clear();
}

std::optional<double> CellParser::parse(std::string_view text) const {
  text = without_blanks(text);
  if (column_.has_levels())
    if (const auto place = level(text)) return place;
  if (is_missing(text)) return NAN;
  if (column_.has_levels()) return {};
  return column_.kind == ColumnKind::datetime ? parse_date(date_, text) : number(text);
}

bool CellParser::is_missing(std::string_view text) const {
  for (const std::string& mark : column_.missing)
    if (text == without_blanks(mark)) return true;
  return accept_missing_ && (is_missing_mark(text) || (!column_.has_levels() && is_word_none(text)));
}

std::optional<double> CellParser::level(std::string_view text) const {
  if (const auto found = places_.find(text); found != places_.end()) return found->second;
  double value = 0;
  if (values_.empty() || parse_number(text, value, decimal_) != NumberError::none) return {};
  const auto found = values_.find(value);
  return found != values_.end() ? std::optional(found->second) : std::nullopt;
}

std::optional<double> CellParser::number(std::string_view text) const {
  double value = 0;
  if (parse_number(text, value, decimal_) != NumberError::none) {
    const auto digits = column_.number_format.digits_of(text, decimal_);
    if (!digits || parse_number(*digits, value, decimal_) != NumberError::none) return {};
  }
  const bool whole = value == std::floor(value) && std::abs(value) <= most_exact;
  return column_.kind == ColumnKind::real || whole ? std::optional(value) : std::nullopt;
}

CellWriter::CellWriter(const Column& column, char decimal)
    : column_(column), decimal_(decimal), date_(date_format_of(column)) {}

void CellWriter::append(std::string& text, double cell) const {
  if (std::isnan(cell)) {
    check(!column_.missing.empty(), "column '{}': no cell of it is missing, but NaN is to be written",
          shown(column_.name));
    text += column_.missing.front();
    return;
  }
  if (column_.has_levels()) {
    check(cell >= 0 && cell < static_cast<double>(column_.levels.size()) && cell == std::floor(cell),
          "column '{}': expected a place among {} levels but received {}", shown(column_.name),
          column_.levels.size(), cell);
    text += column_.levels[static_cast<size_t>(cell)];
    return;
  }
  check(std::isfinite(cell), "column '{}': expected a finite number but received {}", shown(column_.name),
        cell);
  if (column_.kind == ColumnKind::datetime) return void(text += date_text(date_, cell));
  const size_t begin = text.size();
  append_number(text, cell);
  if (decimal_ != '.')
    if (const size_t point = text.find('.', begin); point != std::string::npos) text[point] = decimal_;
  if (!column_.number_format.is_bare())
    text.replace(begin, std::string::npos, column_.number_format.dressed(text.substr(begin), decimal_));
}

void CellWriter::append_number(std::string& text, double cell) const {
  char buffer[512];
  if (column_.kind == ColumnKind::integer) {
    check(cell == std::floor(cell) && std::abs(cell) <= most_exact,
          "column '{}': expected a whole number but received {}", shown(column_.name), cell);
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<int64_t>(cell)).ptr;
    return append_decimals(text, {buffer, end}, column_.padding);
  }
  if (column_.digits > 0) cell = to_digits(cell, column_.digits);
  if (column_.decimals >= 0 && std::abs(cell) < most_fixed)
    append_decimals(text, rounded(buffer, cell, std::chars_format::fixed, column_.decimals), column_.padding);
  else
    append_decimals(text, {buffer, std::to_chars(buffer, buffer + sizeof buffer, cell).ptr}, column_.padding);
}

std::string cell_text(const Column& column, double cell) {
  std::string text;
  CellWriter(column).append(text, cell);
  return text;
}

std::optional<double> parse_cell(const Column& column, std::string_view text) {
  return CellParser(column).parse(text);
}

std::optional<Tensor> numbers_of_cells(const Column& column, const Tensor& cells) try {
  if (!column.has_levels()) return cells.to(at::kDouble);
  std::vector<double> values;
  for (const std::string& level : column.levels) {
    double value = 0;
    if (parse_number(level, value) != NumberError::none) return {};
    values.push_back(value);
  }
  return at::tensor(values, at::TensorOptions(at::kDouble)).index_select(0, cells.to(at::kLong));
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
