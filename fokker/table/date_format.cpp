// How formats of dates are written down themselves.
#include <algorithm>
#include <array>
#include <cmath>

#include "fokker/table/dates.h"

namespace fokker {
namespace {

using Field = DateFormat::Field;
using Letters = DateFormat::Letters;
using Piece = DateFormat::Piece;

constexpr double whole_day = 86400;

struct FieldLetter {
  char letter;
  Field field;
};
constexpr FieldLetter field_letters[] = {
    {'Y', Field::year},       {'y', Field::short_year}, {'m', Field::month}, {'b', Field::month_name},
    {'d', Field::day},        {'a', Field::weekday},    {'H', Field::hour},  {'I', Field::half_day_hour},
    {'M', Field::minute},     {'S', Field::second},     {'p', Field::half},  {'z', Field::offset},
    {'B', Field::month_name}, {'A', Field::weekday},    {'P', Field::half},  {'f', Field::fraction}};

std::string piece_name(const Piece& piece) {
  if (piece.field == Field::literal) return piece.text;
  std::string flags = piece.padded ? "" : "-";
  if (piece.field != Field::half && piece.letters != Letters::usual)
    flags = piece.letters == Letters::upper ? "^" : "#";
  if (piece.field == Field::fraction) flags = std::to_string(piece.digits);
  const bool second = piece.full || (piece.field == Field::half && piece.letters == Letters::lower);
  char letter = 0;
  for (const FieldLetter& each : field_letters)
    if (each.field == piece.field && (letter == 0 || second)) letter = each.letter;
  return "%" + flags + letter + piece.text;
}

/// "+01:00", "+0100" or "+01" at the front; empty where there is none.
std::string_view leading_offset(std::string_view text) {
  const auto are_digits = [&](size_t first) {
    return text.size() >= first + 2 && std::isdigit(static_cast<unsigned char>(text[first])) != 0 &&
           std::isdigit(static_cast<unsigned char>(text[first + 1])) != 0;
  };
  if (text.empty() || (text[0] != '+' && text[0] != '-') || !are_digits(1)) return {};
  if (text.size() > 3 && text[3] == ':' && are_digits(4)) return text.substr(0, 6);
  return text.substr(0, are_digits(3) ? 5 : 3);
}

/// The piece after a '%', which is taken from the front; nothing where it is none.
std::optional<Piece> take_piece(std::string_view& text) {
  Piece piece;
  char flag = 0;
  if (!text.empty() && std::string_view("-^#123456789").find(text[0]) != std::string_view::npos) {
    flag = text[0];
    text.remove_prefix(1);
  }
  if (text.empty()) return {};
  const char letter = text[0];
  text.remove_prefix(1);
  const auto* found = std::find_if(std::begin(field_letters), std::end(field_letters),
                                   [&](const FieldLetter& each) { return each.letter == letter; });
  if (found == std::end(field_letters)) return {};
  piece.field = found->field;
  piece.padded = flag != '-';
  piece.full = letter == 'B' || letter == 'A';
  piece.letters = flag == '^'                    ? Letters::upper
                  : flag == '#' || letter == 'P' ? Letters::lower
                                                 : Letters::usual;
  if (flag >= '1' && flag <= '9') piece.digits = flag - '0';
  if (piece.field == Field::offset) {
    piece.text = leading_offset(text);
    text.remove_prefix(piece.text.size());
    if (piece.text.empty()) return {};
  }
  const bool fits = (piece.field == Field::fraction) == (piece.digits > 0);
  return fits ? std::optional(piece) : std::nullopt;
}

/// Whether the pieces say a day, a month or a time, each once, and can be told apart.
bool is_complete(const std::vector<Piece>& pieces) {
  std::array<int, 14> seen = {};
  for (size_t i = 0; i < pieces.size(); ++i) {
    ++seen[static_cast<size_t>(pieces[i].field)];
    const bool more = i + 1 < pieces.size();
    if (!pieces[i].padded && more && pieces[i + 1].field != Field::literal &&
        pieces[i + 1].field != Field::month_name && pieces[i + 1].field != Field::half)
      return false;
  }
  const auto count = [&](Field field) { return seen[static_cast<size_t>(field)]; };
  for (size_t field = 1; field < seen.size(); ++field)
    if (seen[field] > 1) return false;
  const int years = count(Field::year) + count(Field::short_year),
            months = count(Field::month) + count(Field::month_name), hours = count(Field::hour),
            halves = count(Field::half_day_hour), minutes = count(Field::minute);
  if (years != months || years > 1 || (years == 0 && count(Field::day) + count(Field::weekday) > 0))
    return false;
  if (count(Field::day) == 0 && (count(Field::weekday) > 0 || (years > 0 && hours + halves > 0)))
    return false;
  const bool times = hours + halves == minutes && minutes <= 1 && halves == count(Field::half);
  return times && count(Field::second) <= minutes && count(Field::fraction) <= count(Field::second) &&
         count(Field::offset) <= minutes && years + minutes > 0;
}

}  // namespace

std::string DateFormat::text() const {
  std::string text;
  for (const Piece& piece : pieces) text += piece_name(piece);
  return text;
}

std::optional<DateFormat> DateFormat::parse(std::string_view text) {
  DateFormat format;
  while (!text.empty()) {
    if (text[0] == '%') {
      text.remove_prefix(1);
      const auto piece = take_piece(text);
      if (!piece) return {};
      format.pieces.push_back(*piece);
      continue;
    }
    const size_t end = std::min(text.find('%'), text.size());
    format.pieces.push_back({.text = std::string(text.substr(0, end))});
    text.remove_prefix(end);
  }
  return is_complete(format.pieces) ? std::optional(format) : std::nullopt;
}

bool DateFormat::has_date() const {
  return std::any_of(pieces.begin(), pieces.end(), [](const Piece& piece) {
    return piece.field == Field::year || piece.field == Field::short_year;
  });
}

double DateFormat::step() const {
  double step = whole_day;
  for (const Piece& piece : pieces) {
    if (piece.field == Field::minute) step = std::min(step, 60.0);
    if (piece.field == Field::second) step = std::min(step, 1.0);
    if (piece.field == Field::fraction) step = std::pow(10.0, -piece.digits);
  }
  return step;
}

}  // namespace fokker
