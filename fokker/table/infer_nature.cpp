// Whether the cells of a column are numbers, dates or texts.
#include <cmath>

#include "fokker/table/cells.h"
#include "fokker/table/infer.h"

namespace fokker {
namespace {

constexpr double nearly_all = 0.9;
constexpr int64_t fewest_dates = 20;          // of which one that is none is a mistake
constexpr int64_t fewest_beside_strays = 20;  // different numbers or dates
constexpr size_t most_strays = 5;
constexpr int64_t fewest_again = 2;  // cells of a word that is no slip

/// Whether more numbers than not are too long for float64: they are names, not amounts.
bool mostly_beyond_exact(const DistinctTexts& texts) {
  int64_t numbers = 0, beyond = 0;
  for (const DistinctText& each : texts) {
    numbers += each.kind == CellClass::number;
    beyond += each.kind == CellClass::number && std::abs(each.value) > 0x1p53;
  }
  return 2 * beyond > numbers;
}

bool has_digits(std::string_view text) {
  return text.find_first_of("0123456789") != std::string_view::npos;
}

}  // namespace

ColumnBuilder::Nature ColumnBuilder::wished_nature(int64_t* first_odd) const {
  using enum CellClass;
  const int64_t present = rows() - count(missing) - count(word_none);
  switch (*wish_.kind) {
    case ColumnKind::real:
    case ColumnKind::integer:
      *first_odd = are_strays_missing() ? first_of({not_finite, too_large, date})
                                        : first_of({not_finite, too_large, date, text});
      if (*first_odd < 0 && are_amounts_mixed()) *first_odd = first_of({amount});
      return present > 0 ? Nature::numbers : Nature::empty;
    case ColumnKind::datetime:
      if (!wish_.date_format && present > 0 && count(number) == present) return Nature::numbers;
      *first_odd = are_strays_missing() ? first_of({number, amount, not_finite, too_large})
                                        : first_of({number, amount, not_finite, too_large, text});
      return present > 0 ? Nature::dates : Nature::empty;
    default:
      return present + count(word_none) > 0 ? Nature::texts : Nature::empty;
  }
}

ColumnBuilder::Nature ColumnBuilder::nature(int64_t* first_odd) const {
  using enum CellClass;
  int64_t ignored = -1;
  int64_t& odd = first_odd ? *first_odd : ignored;
  odd = -1;
  if (wish_.kind) return wished_nature(&odd);
  if (!wish_.levels.empty()) return Nature::texts;
  const bool open = are_amounts_mixed();
  const int64_t strays = are_strays_missing() ? count(text) : 0;
  const int64_t bad = count(not_finite) + count(too_large);
  const int64_t numbers = count(number) + bad + (open ? 0 : count(amount));
  const int64_t all = numbers + count(date) + count(text) - strays + (open ? count(amount) : 0);
  const auto most = nearly_all * static_cast<double>(all);
  if (all == 0) return count(word_none) + strays > 0 ? Nature::texts : Nature::empty;
  int64_t distinct = 0;
  if (strays == 0 && has_stray_words(distinct)) return Nature::texts;  // 2, 4, more
  if (static_cast<double>(numbers) >= most) {
    odd =
        strays > 0 ? first_of({not_finite, too_large, date}) : first_of({not_finite, too_large, date, text});
    if (odd < 0 && open) odd = first_of({amount});
    const bool whole = odd < 0 && !written_.has_fractions();
    const bool codes = written_.has_leading_zeros() || named_as_code_ ||
                       (written_.beyond_exact() && mostly_beyond_exact(texts_));
    return whole && codes ? Nature::texts : Nature::numbers;
  }
  if (count(date) == all) return Nature::dates;
  if (all >= fewest_dates && static_cast<double>(count(date)) >= most) {
    odd = first_of({number, amount, not_finite, too_large});
    if (odd < 0 && strays == 0) odd = first_of({text});
    return Nature::dates;
  }
  return Nature::texts;
}

/// Whether thousands stand with and without a separator, which may then be another character, or many numbers
/// have not what stands around others: 2, 3, 4, 5more.
bool ColumnBuilder::are_amounts_mixed() const {
  const NumberFormat& format = amounts_.format();
  const int64_t bare = count(CellClass::number), dressed = count(CellClass::amount);
  const bool beside = !format.prefix.empty() || !format.suffix.empty();
  return dressed > 0 && (amounts_.has_open_thousands() || (beside && 10 * bare > bare + dressed));
}

/// Whether all texts are few words that come again, or usual marks, among numbers or dates, of which there
/// are so many `distinct` ones.
bool ColumnBuilder::has_stray_words(int64_t& distinct) const {
  const int64_t found = count(CellClass::text);
  const int64_t values = count(CellClass::number) + count(CellClass::amount) + count(CellClass::date);
  distinct = lost_ ? fewest_beside_strays : 0;
  if (!none_is_missing() || found == 0 || found >= most_words_kept || values < found) return false;
  size_t words = 0;
  int64_t unusual = 0;  // cells of words that are no usual mark
  for (const DistinctText& each : texts_) {
    distinct +=
        each.kind == CellClass::number || each.kind == CellClass::amount || each.kind == CellClass::date;
    if (each.kind != CellClass::text) continue;
    const std::string_view word = without_blanks(each.text);
    const bool mark = is_stray_mark(word);
    if (++words > most_strays || (!mark && (has_digits(word) || each.count < fewest_again))) return false;
    unusual += mark ? 0 : each.count;
  }
  return static_cast<double>(unusual) <= (1 - nearly_all) * static_cast<double>(values + found);
}

bool ColumnBuilder::are_strays_missing() const {
  int64_t distinct = 0;
  if (!has_stray_words(distinct)) return false;
  const int64_t values = count(CellClass::number) + count(CellClass::amount) + count(CellClass::date);
  return distinct >= fewest_beside_strays || 2 * distinct > values;
}

}  // namespace fokker
