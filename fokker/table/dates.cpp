#include "fokker/table/dates.h"

#include <chrono>
#include <cmath>

#include "fokker/core/check.h"

namespace fokker {
namespace {

using Order = DateFormat::Order;
using std::chrono::sys_days;

constexpr double day_length = 86400;

/// The parts of a written date before it is said which is the day.
struct DateParts {
  DateFormat format;
  int year = 0, first = 0, second = 0;  ///< those beside the year, in the order written
  double time = 0;                      ///< seconds of the day
};

/// Takes digits and characters from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  /// Up to `most` digits; how many there were.
  int digits(int most, int& value) {
    int count = 0;
    for (value = 0; count < most && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++count)
      value = 10 * value + (text_[at_++] - '0');
    return count;
  }
  bool take(char c) {
    const bool found = at_ < text_.size() && text_[at_] == c;
    at_ += found ? 1 : 0;
    return found;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool ended() const { return at_ == text_.size(); }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

bool scan_time(Scanner& scan, DateParts& parts) {
  DateFormat& format = parts.format;
  if (scan.ended()) return true;
  format.between = scan.peek();
  if (!scan.take(' ') && !scan.take('T')) return false;
  int hour = 0, minute = 0, second = 0, fraction = 0;
  if (scan.digits(2, hour) != 2 || !scan.take(':') || scan.digits(2, minute) != 2) return false;
  format.seconds = scan.take(':');
  if (format.seconds && scan.digits(2, second) != 2) return false;
  if (format.seconds && scan.take('.') && (format.fraction = scan.digits(6, fraction)) == 0) return false;
  format.zulu = scan.take('Z');
  parts.time = 3600 * hour + 60 * minute + second + fraction / std::pow(10.0, format.fraction);
  return scan.ended() && hour < 24 && minute < 60 && second < 60;
}

/// One or two digits; whether zeros pad them where that shows.
bool scan_part(Scanner& scan, int& value, bool& bare) {
  const int count = scan.digits(2, value);
  bare = bare || count == 1;
  return count > 0 && value > 0;
}

std::optional<DateParts> split_date(std::string_view text) {
  DateParts parts;
  Scanner scan(text);
  bool bare = false;
  int start = 0;
  const int digits = scan.digits(4, start);
  const bool year_first = digits == 4;
  const char separator = scan.peek();
  if (digits == 0 || digits == 3 || (separator != '-' && separator != '/' && separator != '.')) return {};
  parts.format.separator = separator;
  scan.take(separator);
  if (year_first) {
    parts.year = start;
    if (!scan_part(scan, parts.first, bare) || !scan.take(separator) || !scan_part(scan, parts.second, bare))
      return {};
  } else {
    parts.first = start;
    bare = digits == 1;
    if (!scan_part(scan, parts.second, bare) || !scan.take(separator) || scan.digits(4, parts.year) != 4)
      return {};
    parts.format.order = Order::day_month_year;
  }
  parts.format.padded = !bare;
  const bool valid = parts.year > 0 && parts.first > 0 && parts.first < 32 && parts.second < 32;
  if (!valid || !scan_time(scan, parts) || (!year_first && parts.format.fraction > 3)) return {};
  return parts;
}

std::optional<double> seconds_of(int year, int month, int day, double time) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return {};
  return static_cast<double>(sys_days(date).time_since_epoch().count()) * day_length + time;
}

/// Up to which of the other parts is the day, and to zeros: 10/12/2024 shows neither.
bool agrees(const DateFormat& a, DateFormat b) {
  const bool same_end = (a.order == Order::year_month_day) == (b.order == Order::year_month_day);
  b.padded = a.padded;
  b.order = a.order;
  return same_end && a == b;
}

bool shows_padding(std::string_view text, bool year_first) {
  return year_first ? text[5] == '0' || text[8] == '0' : text[0] == '0' || text[3] == '0';
}

}  // namespace

std::string DateFormat::text() const {
  const std::string month = padded ? "%m" : "%-m", day = padded ? "%d" : "%-d";
  const auto joined = [&](const std::string& a, const std::string& b, const std::string& c) {
    return a + separator + b + separator + c;
  };
  std::string text = order == Order::year_month_day   ? joined("%Y", month, day)
                     : order == Order::day_month_year ? joined(day, month, "%Y")
                                                      : joined(month, day, "%Y");
  if (between != 0) text += std::string(1, between) + (seconds ? "%H:%M:%S" : "%H:%M");
  if (fraction > 0) text += fmt::format(".%{}f", fraction);
  return text + (zulu ? "Z" : "");
}

std::optional<DateFormat> DateFormat::parse(std::string_view text) {
  for (const Order order : {Order::year_month_day, Order::day_month_year, Order::month_day_year})
    for (const char separator : {'-', '/', '.'})
      for (const bool padded : {true, false}) {
        DateFormat format{.order = order, .separator = separator, .padded = padded};
        if (text == format.text()) return format;
        for (const char between : {' ', 'T'})
          for (const bool zulu : {false, true})
            for (int fraction = -1; fraction <= (order == Order::year_month_day ? 6 : 3); ++fraction) {
              format.between = between;
              format.zulu = zulu;
              format.seconds = fraction >= 0;
              format.fraction = std::max(fraction, 0);
              if (text == format.text()) return format;
            }
      }
  return {};
}

double DateFormat::step() const {
  if (between == 0) return day_length;
  return seconds ? std::pow(10.0, -fraction) : 60;
}

std::optional<double> parse_date(const DateFormat& format, std::string_view text) {
  const auto parts = split_date(text);
  if (!parts || !agrees(format, parts->format)) return {};
  if (format.order == Order::day_month_year)
    return seconds_of(parts->year, parts->second, parts->first, parts->time);
  return seconds_of(parts->year, parts->first, parts->second, parts->time);
}

std::string date_text(const DateFormat& format, double seconds) {
  const double scale = std::pow(10.0, format.fraction);
  const double step = format.step();
  // Whole steps of the day first: a fraction is exact in decimals, not in binary.
  double days = std::floor(seconds / day_length);
  double steps = std::round((seconds - days * day_length) / step);
  if (steps * step >= day_length) days += 1, steps = 0;
  check(days >= -719162 && days <= 2932896, "date: expected one of the years 1 to 9999 but received {} s",
        seconds);
  const std::chrono::year_month_day date{sys_days(std::chrono::days(static_cast<int>(days)))};
  const int year = static_cast<int>(date.year());
  const unsigned month = static_cast<unsigned>(date.month()), day = static_cast<unsigned>(date.day());
  const auto part = [&](unsigned value) {
    return format.padded ? fmt::format("{:02}", value) : fmt::format("{}", value);
  };
  const char s = format.separator;
  std::string text = format.order == Order::year_month_day
                         ? fmt::format("{:04}{}{}{}{}", year, s, part(month), s, part(day))
                     : format.order == Order::day_month_year
                         ? fmt::format("{}{}{}{}{:04}", part(day), s, part(month), s, year)
                         : fmt::format("{}{}{}{}{:04}", part(month), s, part(day), s, year);
  if (format.between == 0) return text;
  const auto ticks = static_cast<int64_t>(format.seconds ? steps : steps * 60);
  const int64_t per_second = format.seconds ? static_cast<int64_t>(scale) : 1;
  const int64_t whole = ticks / per_second;
  text += fmt::format("{}{:02}:{:02}", format.between, whole / 3600, whole / 60 % 60);
  if (format.seconds) text += fmt::format(":{:02}", whole % 60);
  if (format.fraction > 0) text += fmt::format(".{:0{}}", ticks % per_second, format.fraction);
  return text + (format.zulu ? "Z" : "");
}

std::optional<double> DateReader::add(std::string_view text) {
  const auto parts = split_date(text);
  if (!parts || (format_ && !agrees(*format_, parts->format))) return {};
  const bool year_first = parts->format.order == Order::year_month_day;
  const bool padding_seen = parts->format.padded && shows_padding(text, year_first);
  const auto a = seconds_of(parts->year, parts->first, parts->second, parts->time);
  if (year_first && !a) return {};
  const bool month_first = month_first_ && a;
  const bool day_first =
      !year_first && day_first_ && seconds_of(parts->year, parts->second, parts->first, parts->time);
  if (!month_first && !day_first) return {};
  // Without zeros where there is room for one, and with them: two formats.
  if (!parts->format.padded && padded_seen_) return {};
  if (padding_seen && bare_seen_) return {};
  padded_seen_ = padded_seen_ || padding_seen;
  bare_seen_ = bare_seen_ || !parts->format.padded;
  if (!format_) format_ = parts->format;
  has_parts_ = !year_first;
  day_first_ = day_first;
  month_first_ = month_first;
  if (year_first) return a;
  return ((parts->year * 1024.0 + parts->first * 32.0) + parts->second) * day_length + parts->time;
}

DateFormat DateReader::format() const {
  DateFormat format = format_.value_or(DateFormat{});
  format.padded = !bare_seen_;
  if (has_parts_ && month_first_ && (!day_first_ || format.separator == '/'))
    format.order = Order::month_day_year;
  return format;
}

double DateReader::seconds(double packed) const {
  if (!has_parts_) return packed;
  const double days = std::floor(packed / day_length);
  const double time = std::round((packed - days * day_length) * 1000) / 1000;
  const int code = static_cast<int>(days);
  const int year = code / 1024, first = code / 32 % 32, second = code % 32;
  const bool month_first = format().order == Order::month_day_year;
  return *seconds_of(year, month_first ? first : second, month_first ? second : first, time);
}

}  // namespace fokker
