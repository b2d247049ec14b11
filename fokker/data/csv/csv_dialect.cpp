#include "fokker/data/csv/csv_dialect.h"

#include <algorithm>
#include <map>

#include "fokker/data/csv/csv_header.h"

namespace fokker {
namespace {

/// How well a separator divides the records.
struct Division {
  size_t width = 0;  ///< cells of most records
  double score = -1;
};

/// The digits of an amount, "18,95" of "18,95 kg" or "EUR 18,95"; a cell without a sign, a code or a unit
/// around them as it is.
std::string_view amount_of(std::string_view cell) {
  const size_t first = cell.find_first_of("0123456789"), last = cell.find_last_of("0123456789");
  if (first == std::string_view::npos) return cell;
  const std::string_view before = cell.substr(0, first), after = cell.substr(last + 1);
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_letter = [&](char c) { return is_small(c) || (c >= 'A' && c <= 'Z'); };
  const auto letters = [&](std::string_view text) {
    return std::count_if(text.begin(), text.end(), is_letter);
  };
  const bool amount = before.size() <= 5 && after.size() <= 5 && letters(before) <= 3 &&
                      letters(after) <= 3 && std::none_of(before.begin(), before.end(), is_small);
  return amount ? cell.substr(first, last + 1 - first) : cell;
}

/// A number, or an amount, with either character before its decimals.
bool is_any_number(std::string_view whole) {
  const std::string_view cell = whole.ends_with(',') ? whole : amount_of(whole);
  double value = 0;
  if (parse_number(cell, value, '.') == NumberError::none) return true;
  return !whole.ends_with(',') && parse_number(cell, value, ',') == NumberError::none;
}

Division divide(const std::vector<std::string>& records, Separator separator) {
  std::map<size_t, size_t> widths;
  double cells = 0, numbers = 0;
  size_t first = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const auto row = split_cells(records[i], separator);
    ++widths[row.size()];
    if (i == 0) first = row.size();
    if (i == 0 && records.size() > 1) continue;  // it may be a header
    for (const std::string& cell : row) {
      cells += cell.empty() ? 0 : 1;
      numbers += is_any_number(cell) ? 1 : 0;
    }
  }
  size_t width = 0, count = 0;
  for (const auto& [w, n] : widths)
    if (n >= count) width = w, count = n;
  const double agreement = static_cast<double>(count) / static_cast<double>(records.size());
  const double numeric = cells > 0 ? numbers / cells : 0;
  // Words are not columns.
  if (width < 2 || (separator.blanks && numeric < 0.5)) return {};
  return {width, agreement * (numeric + 0.05) * (first == width ? 1 : 0.5)};
}

Separator choose_separator(const std::vector<std::string>& records) {
  // No text holds the NUL byte: one column.
  Separator best{'\0', false};
  double score = 0;
  for (const Separator candidate :
       {Separator{'\t'}, Separator{';'}, Separator{','}, Separator{'|'}, Separator{' ', true}}) {
    const Division division = divide(records, candidate);
    // A tab between blanks may be an empty cell, which runs of blanks would swallow.
    if (candidate.blanks && best.character == '\t' && !best.blanks && score > 1) continue;
    if (division.score > score) best = candidate, score = division.score;
  }
  return best;
}

/// "1.234,50": commas stand before decimals.
bool has_both(const std::string& cell, char group, char decimal) {
  const size_t at = cell.rfind(decimal);
  const size_t last = cell.find_last_of("0123456789");
  return at != std::string::npos && last != std::string::npos && at < last &&
         cell.find_first_not_of("0123456789", at + 1) > last && cell.find(group) < at &&
         cell.rfind(group) + 4 == at && cell.find(decimal) == at;
}

/// Whether commas stand before decimals: some number could not have them for its thousands, and none has a
/// point that separates none.
char choose_decimal(const std::vector<std::vector<std::string>>& cells, Separator separator) {
  bool sure = false;
  for (const auto& row : cells)
    for (const std::string& cell : row) {
      double value = 0;
      const size_t comma = cell.find(',');
      if (has_both(cell, ',', '.')) return '.';
      if (has_both(cell, '.', ',')) {
        sure = true;
      } else if (comma == std::string::npos) {
        const bool group = separator.character != ',' && may_group_thousands(cell);
        const bool point = cell.find('.') != std::string::npos && !group;
        if (point && parse_number(cell, value) == NumberError::none) return '.';
      } else if (const std::string_view amount = amount_of(cell);
                 parse_number(amount, value, ',') == NumberError::none) {
        sure = sure || !may_group_thousands(amount);
      }
    }
  return sure && separator.character != '\0' ? ',' : '.';
}

bool all_end_open(const std::vector<std::vector<std::string>>& cells) {
  return std::all_of(cells.begin(), cells.end(), [&](const auto& row) {
    return row.size() == cells.front().size() && row.size() > 1 && row.back().empty();
  });
}

/// Whether the first line has one cell fewer than all others, which do not just end in a separator.
bool first_is_one_short(const std::vector<std::vector<std::string>>& cells) {
  const auto longer = [&](const auto& row) { return row.size() == cells.front().size() + 1; };
  const auto ends = [](const auto& row) { return !row.back().empty(); };
  return cells.size() > 1 && std::all_of(cells.begin() + 1, cells.end(), longer) &&
         std::any_of(cells.begin() + 1, cells.end(), ends);
}

}  // namespace

CsvDialect decide_dialect(const std::vector<std::string>& records, const CsvFormat& given) {
  CsvDialect dialect;
  dialect.separator =
      given.separator ? Separator{*given.separator, *given.separator == ' '} : choose_separator(records);
  std::vector<std::vector<std::string>> cells;
  cells.reserve(records.size());
  for (const std::string& record : records) cells.push_back(split_cells(record, dialect.separator));
  dialect.decimal = given.decimal.value_or(choose_decimal(cells, dialect.separator));
  dialect.open_end = !dialect.separator.blanks && all_end_open(cells);
  if (dialect.open_end)
    for (auto& row : cells) row.pop_back();
  const bool one_short = first_is_one_short(cells);
  if (one_short) cells.front().emplace(cells.front().begin());
  const HeaderGuess guess = guess_header(cells, dialect.decimal);
  dialect.header = given.header.value_or(guess.header);
  dialect.row_names = one_short && dialect.header;
  if (!given.header) (guess.header ? dialect.doubt : dialect.note) = guess.why_not_sure;
  return dialect;
}

std::string separator_name(Separator separator) {
  if (separator.blanks) return "blanks";
  static const std::map<char, std::string> names = {{'\0', ""},    {',', "comma"}, {';', "semicolon"},
                                                    {'\t', "tab"}, {'|', "bar"},   {' ', "blanks"}};
  const auto found = names.find(separator.character);
  return found != names.end() ? found->second : fmt::format("'{}'", separator.character);
}

}  // namespace fokker
