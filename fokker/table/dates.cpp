#include "fokker/table/dates.h"

#include <array>
#include <chrono>
#include <cmath>

#include "fokker/core/check.h"

namespace fokker {
namespace {

using Field = DateFormat::Field;
using Letters = DateFormat::Letters;
using Piece = DateFormat::Piece;
using std::chrono::sys_days;

constexpr double day_length = 86400;
constexpr size_t short_name = 3;
constexpr std::array<std::string_view, 12> month_names = {"January",   "February", "March",    "April",
                                                          "May",       "June",     "July",     "August",
                                                          "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> weekday_names = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                           "Thursday", "Friday", "Saturday"};

std::string cased(std::string_view name, Letters letters) {
  std::string text(name);
  if (letters == Letters::usual) return text;
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    c = static_cast<char>(letters == Letters::upper ? std::toupper(byte) : std::tolower(byte));
  }
  return text;
}

std::string name_text(const Piece& piece, std::string_view name) {
  return cased(piece.full ? name : name.substr(0, short_name), piece.letters);
}

std::string half_text(const Piece& piece, bool afternoon) {
  return cased(afternoon ? "PM" : "AM", piece.letters);
}

/// What a written date says.
struct DateParts {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  double fraction = 0;
  int weekday = -1, offset = 0;
  bool has_half = false, afternoon = false;
};

/// Takes pieces from the front of a text.
class DateScanner {
 public:
  explicit DateScanner(std::string_view text) : rest_(text) {}
  bool ended() const { return rest_.empty(); }
  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  /// Exactly so many digits.
  bool digits(int count, int& value) {
    if (std::ssize(rest_) < count) return false;
    value = 0;
    for (int i = 0; i < count; ++i) {
      const char c = rest_[static_cast<size_t>(i)];
      if (c < '0' || c > '9') return false;
      value = 10 * value + (c - '0');
    }
    rest_.remove_prefix(static_cast<size_t>(count));
    return true;
  }
  /// Two digits, or one or two without a zero before them.
  bool number(bool padded, int least, int most, int& value) {
    const auto is_digit = [&](size_t i) { return i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9'; };
    const bool two = padded || (is_digit(0) && rest_[0] != '0' && is_digit(1));
    return digits(two ? 2 : 1, value) && value >= least && value <= most;
  }
  template <size_t N>
  bool name(const Piece& piece, const std::array<std::string_view, N>& names, int& place) {
    for (size_t i = 0; i < N; ++i)
      if (take(name_text(piece, names[i]))) return place = static_cast<int>(i), true;
    return false;
  }
  /// Minutes of an offset written like another one.
  bool offset(std::string_view like, int& minutes) {
    const bool minus = rest_.starts_with('-');
    int hour = 0, minute = 0;
    if (!take("+") && !take("-")) return false;
    if (!digits(2, hour) || (like.size() == 6 && !take(":"))) return false;
    if (like.size() > 3 && !digits(2, minute)) return false;
    minutes = (minus ? -1 : 1) * (60 * hour + minute);
    return hour < 16 && minute < 60;
  }

 private:
  std::string_view rest_;
};

int minutes_of(std::string_view offset) {
  int minutes = 0;
  DateScanner(offset).offset(offset, minutes);
  return minutes;
}

bool read_piece(const Piece& piece, DateScanner& scan, DateParts& parts) {
  int value = 0;
  switch (piece.field) {
    case Field::literal:
      return scan.take(piece.text);
    case Field::year:
      return scan.digits(4, parts.year) && parts.year > 0;
    case Field::short_year:
      if (!scan.digits(2, value)) return false;
      parts.year = value + (value < 69 ? 2000 : 1900);
      return true;
    case Field::month:
      return scan.number(piece.padded, 1, 12, parts.month);
    case Field::month_name:
      return scan.name(piece, month_names, value) && (parts.month = value + 1);
    case Field::day:
      return scan.number(piece.padded, 1, 31, parts.day);
    case Field::weekday:
      return scan.name(piece, weekday_names, parts.weekday);
    case Field::hour:
      return scan.number(piece.padded, 0, 23, parts.hour);
    case Field::half_day_hour:
      return scan.number(piece.padded, 1, 12, parts.hour);
    case Field::minute:
      return scan.number(true, 0, 59, parts.minute);
    case Field::second:
      return scan.number(true, 0, 59, parts.second);
    case Field::fraction:
      if (!scan.digits(piece.digits, value)) return false;
      parts.fraction = value / std::pow(10.0, piece.digits);
      return true;
    case Field::half:
      parts.has_half = true;
      parts.afternoon = scan.take(half_text(piece, true));
      return parts.afternoon || scan.take(half_text(piece, false));
    case Field::offset:
      if (!scan.offset(piece.text, value)) return false;
      parts.offset = value - minutes_of(piece.text);
      return true;
  }
  return false;
}

std::optional<double> seconds_of(DateParts parts) {
  const std::chrono::year_month_day date{std::chrono::year(parts.year),
                                         std::chrono::month(static_cast<unsigned>(parts.month)),
                                         std::chrono::day(static_cast<unsigned>(parts.day))};
  if (!date.ok()) return {};
  const sys_days days(date);
  const auto weekday = static_cast<int>(std::chrono::weekday(days).c_encoding());
  if (parts.weekday >= 0 && parts.weekday != weekday) return {};
  if (parts.has_half) parts.hour = parts.hour % 12 + (parts.afternoon ? 12 : 0);
  const int minutes = 60 * parts.hour + parts.minute - parts.offset;
  return static_cast<double>(days.time_since_epoch().count()) * day_length + 60.0 * minutes + parts.second +
         parts.fraction;
}

/// A date and the ticks of its day, 10^digits of them a second, for writing.
struct WrittenTime {
  std::chrono::year_month_day date;
  int64_t second = 0, ticks = 0;  ///< of the day; of the second
};

WrittenTime nearest(const DateFormat& format, double seconds) {
  const double step = format.step();
  // Whole steps of the day first: a fraction is exact in decimals, not in binary.
  double days = std::floor(seconds / day_length);
  double steps = std::round((seconds - days * day_length) / step);
  const double last = std::round(day_length / step);
  if (!format.has_date())
    days = 0, steps = std::min(steps, last - 1);
  else if (steps >= last)
    days += 1, steps = 0;
  check(days >= -719162 && days <= 2932896, "date: expected one of the years 1 to 9999 but received {} s",
        seconds);
  const auto per_second = static_cast<int64_t>(step < 1 ? std::round(1 / step) : 1);
  const auto ticks = static_cast<int64_t>(step < 1 ? steps : steps * step);
  return {.date = {sys_days(std::chrono::days(static_cast<int>(days)))},
          .second = ticks / per_second,
          .ticks = ticks % per_second};
}

void append_piece(std::string& text, const Piece& piece, const WrittenTime& time) {
  const auto two = [&](int64_t value) {
    text += piece.padded ? fmt::format("{:02}", value) : fmt::format("{}", value);
  };
  const int year = static_cast<int>(time.date.year());
  const unsigned month = static_cast<unsigned>(time.date.month());
  const int64_t hour = time.second / 3600;
  switch (piece.field) {
    case Field::literal:
    case Field::offset:
      return void(text += piece.text);
    case Field::year:
      return void(text += fmt::format("{:04}", year));
    case Field::short_year:
      return void(text += fmt::format("{:02}", year % 100));
    case Field::month:
      return two(month);
    case Field::month_name:
      return void(text += name_text(piece, month_names[month - 1]));
    case Field::day:
      return two(static_cast<unsigned>(time.date.day()));
    case Field::weekday:
      return void(text +=
                  name_text(piece, weekday_names[std::chrono::weekday(sys_days(time.date)).c_encoding()]));
    case Field::hour:
      return two(hour);
    case Field::half_day_hour:
      return two((hour + 11) % 12 + 1);
    case Field::minute:
      return two(time.second / 60 % 60);
    case Field::second:
      return two(time.second % 60);
    case Field::fraction:
      return void(text += fmt::format("{:0{}}", time.ticks, piece.digits));
    case Field::half:
      return void(text += half_text(piece, hour >= 12));
  }
}

}  // namespace

std::optional<double> parse_date(const DateFormat& format, std::string_view text) {
  DateScanner scan(text);
  DateParts parts;
  for (const Piece& piece : format.pieces)
    if (!read_piece(piece, scan, parts)) return {};
  return scan.ended() ? seconds_of(parts) : std::nullopt;
}

std::string date_text(const DateFormat& format, double seconds) {
  const WrittenTime time = nearest(format, seconds);
  std::string text;
  for (const Piece& piece : format.pieces) append_piece(text, piece, time);
  return text;
}

}  // namespace fokker
