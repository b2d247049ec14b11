#include "fokker/data/csv/csv_header.h"

#include <fmt/ranges.h>

#include <cmath>
#include <set>

#include "fokker/core/error.h"
#include "fokker/core/text/text.h"
#include "fokker/data/csv/csv_text.h"

namespace fokker {
namespace {

using Cells = std::vector<std::vector<std::string>>;

enum class CellKind { empty, missing, number, text };

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

CellKind kind_of_cell(const std::string& cell, char decimal, double& value) {
  if (cell.empty()) return CellKind::empty;
  static const std::set<std::string> absent = {"na",   "n/a", "#n/a", "nan", "null",
                                               "none", "nil", "?",    "-",   "."};
  const NumberError error = parse_number(cell, value, decimal);
  if (error == NumberError::none || error == NumberError::too_large) return CellKind::number;
  std::string lower = cell;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return error == NumberError::not_finite || absent.contains(lower) ? CellKind::missing : CellKind::text;
}

/// One column: its first cell, and what stands below.
struct ColumnLook {
  CellKind first = CellKind::empty;
  double first_value = 0;
  bool first_whole = false;  ///< written in digits only
  int64_t numbers = 0, texts = 0;
  bool repeats = false;      ///< the first text is found again
  bool repeating = false;    ///< texts below come again, mostly
  bool all_decimals = true;  ///< no number below is written in digits only
  bool counts_rows = true;   ///< 0, 1, ... or 1, 2, ...
  bool monotone = true;      ///< the first cell continues a sequence that only grows or only falls
  double low = INFINITY, high = -INFINITY;

  /// The first number lies further from all the others than these among themselves.
  bool far() const {
    const double width = high - low;
    return numbers > 1 && (first_value < low - width || first_value > high + width) &&
           (first_value < low || first_value > high);
  }
};

ColumnLook look_at(const Cells& cells, size_t column, char decimal) {
  ColumnLook look;
  look.first = kind_of_cell(cells[0][column], decimal, look.first_value);
  look.first_whole = is_digits(cells[0][column]);
  double before = look.first_value, direction = 0;
  std::set<std::string_view> below;
  for (size_t row = 1; row < cells.size(); ++row) {
    if (column >= cells[row].size()) continue;
    const std::string& cell = cells[row][column];
    double value = 0;
    const CellKind kind = kind_of_cell(cell, decimal, value);
    look.repeats = look.repeats || (look.first == CellKind::text && cell == cells[0][column]);
    look.texts += kind == CellKind::text;
    if (kind == CellKind::text) below.insert(cell);
    look.counts_rows = look.counts_rows && kind == CellKind::number && is_digits(cell) &&
                       (row == 1 ? value == 0 || value == 1 : value == before + 1);
    if (kind == CellKind::number) {
      const double step = value - before;
      if (row == 1) direction = step;
      look.monotone = look.monotone && step * direction > 0;
      ++look.numbers;
      look.all_decimals = look.all_decimals && !is_digits(cell[0] == '-' ? cell.substr(1) : cell);
      look.low = std::min(look.low, value);
      look.high = std::max(look.high, value);
      before = value;
    }
  }
  look.repeating = 2 * std::ssize(below) <= look.texts;
  return look;
}

/// The first cells that are numbers are whole and grow by one from 0 or 1, or otherwise by equal steps.
enum class Counting { no, columns, steps };

Counting counting_of(const std::vector<ColumnLook>& numbers) {
  for (const ColumnLook& look : numbers)
    if (!look.first_whole) return Counting::no;
  if (numbers.empty()) return Counting::no;
  const double start = numbers[0].first_value;
  const double step = numbers.size() > 1 ? numbers[1].first_value - start : 1;
  for (size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i].first_value != start + static_cast<double>(i) * step) return Counting::no;
  if (step == 1 && (start == 0 || start == 1)) return Counting::columns;
  return step > 0 && numbers.size() > 2 ? Counting::steps : Counting::no;
}

std::string line_text(const std::vector<std::string>& cells) {
  std::vector<std::string> some(cells.begin(), cells.begin() + std::min<int64_t>(3, std::ssize(cells)));
  if (cells.size() > 3) some.emplace_back("...");
  return shown(fmt::format("{}", fmt::join(some, ", ")));
}

HeaderGuess as_names(const Cells& cells, bool sure) {
  if (sure) return {true};
  return {true,
          fmt::format("the first line ({}) is taken for the names of the columns, not for a row; give header "
                      "no if it is a row",
                      line_text(cells[0]))};
}

HeaderGuess as_row(const Cells& cells, bool sure) {
  if (sure) return {false};
  return {false,
          fmt::format("the first line ({}) is taken for a row, not for the names of the columns; give header "
                      "yes if it holds names",
                      line_text(cells[0]))};
}

/// All first cells are numbers, or they are where there is no text below.
HeaderGuess guess_of_numbers(const Cells& cells, const std::vector<ColumnLook>& numbers) {
  const Counting counting = counting_of(numbers);
  if (counting == Counting::no) return as_row(cells, true);
  const auto all = [&](auto property) { return std::all_of(numbers.begin(), numbers.end(), property); };
  const bool far = all([](const ColumnLook& look) { return look.far(); });
  if (far) return as_names(cells, counting == Counting::columns);
  if (counting == Counting::steps || numbers.size() < 2 || cells.size() < 3) return as_row(cells, false);
  const bool continues =
      std::any_of(numbers.begin(), numbers.end(), [](const ColumnLook& look) { return look.monotone; });
  if (continues) return as_row(cells, false);
  if (all([](const ColumnLook& look) { return look.all_decimals; })) return as_names(cells, false);
  // Chance does not count to four, and a table of counting rows goes on.
  return numbers.size() > 3 ? as_names(cells, false) : as_row(cells, false);
}

/// No cell is a number. A name is not among the levels below it; where none of them comes again, nothing
/// shows that the first line is another kind of line.
HeaderGuess guess_of_texts(const Cells& cells, const std::vector<ColumnLook>& texts) {
  int64_t among = 0, apart = 0;
  for (const ColumnLook& look : texts) {
    among += look.repeats;
    apart += look.repeating && !look.repeats;
  }
  if (among > apart) return as_row(cells, apart == 0);
  return as_names(cells, apart > 0 && among == 0);
}

}  // namespace

HeaderGuess guess_header(const Cells& cells, char decimal) {
  std::vector<ColumnLook> numbers, texts;
  bool no_numbers = true;
  bool above_numbers = false, text = false, repeats = false, missing = false, index = false, nameless = false;
  for (size_t column = 0; column < cells[0].size(); ++column) {
    const ColumnLook look = look_at(cells, column, decimal);
    text = text || look.first == CellKind::text;
    repeats = repeats || look.repeats;
    missing = missing || look.first == CellKind::missing;
    above_numbers = above_numbers || (look.first == CellKind::text && look.numbers > look.texts);
    if (look.first == CellKind::empty) (look.counts_rows ? index : nameless) = true;
    if (look.first == CellKind::number) numbers.push_back(look);
    if (look.first == CellKind::text) texts.push_back(look);
    no_numbers = no_numbers && look.first != CellKind::number && look.numbers <= look.texts;
  }
  const bool decimals =
      std::any_of(numbers.begin(), numbers.end(), [](const ColumnLook& look) { return !look.first_whole; });
  if (above_numbers) return as_names(cells, !decimals);
  if (no_numbers && !texts.empty() && cells.size() > 2) return guess_of_texts(cells, texts);
  if (repeats) return as_row(cells, true);
  if (numbers.empty()) return missing && !text ? as_row(cells, true) : as_names(cells, true);
  if (missing || decimals || nameless) return as_row(cells, !text);
  // An empty cell above a count of rows, as pandas writes its index.
  if (index && counting_of(numbers) == Counting::columns) return as_names(cells, true);
  return guess_of_numbers(cells, numbers);
}

bool may_group_thousands(std::string_view cell) {
  if (cell.starts_with('-') || cell.starts_with('+')) cell.remove_prefix(1);
  const size_t head = cell.find_first_not_of("0123456789");
  if (head == 0 || head > 3 || head == std::string_view::npos || cell[0] == '0') return false;
  const char group = cell[head];
  while (!cell.empty()) {
    const size_t digits = std::min(cell.find(group), cell.size());
    if (!is_digits(cell.substr(0, digits))) return false;
    cell.remove_prefix(std::min(digits + 1, cell.size()));
    if (!cell.empty() && std::min(cell.find(group), cell.size()) != 3) return false;
  }
  return true;
}

std::string what_it_may_be(std::string_view cell, char decimal) {
  double value = 0;
  if (decimal != '.' && parse_number(cell, value, '.') == NumberError::none)
    return " (a point, where decimals have a comma: a thousands separator?)";
  if (decimal == '.' && parse_number(cell, value, ',') == NumberError::none)
    return may_group_thousands(cell)
               ? " (a thousands separator, which is not read, or a decimal comma: then give the decimal)"
               : " (a decimal comma? give the decimal)";
  // Digits at both ends, and not in quotes of another kind.
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (cell.empty() || !is_digit(cell.back()) || !(is_digit(cell[0]) || cell[0] == '-' || cell[0] == '+'))
    return "";
  for (const std::string_view group : {",", ".", "'", "_", " ", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x99"}) {
    std::string plain(cell);
    for (size_t at = 0; (at = plain.find(group, at)) != std::string::npos;) plain.erase(at, group.size());
    const bool number = parse_number(plain, value, '.') == NumberError::none ||
                        parse_number(plain, value, ',') == NumberError::none;
    if (number && plain.size() < cell.size()) return " (a thousands separator? these are not read)";
  }
  return "";
}

bool is_unnamed(std::string_view name) {
  return name.empty() || name.starts_with("Unnamed: ");
}

}  // namespace fokker
