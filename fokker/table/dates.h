#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace fokker {

/// How the dates of a column are written: 2024-02-29, 29.02.2024, 2/29/2024 10:30, 2024-02-29T10:30:00.125Z.
struct DateFormat {
  enum class Order { year_month_day, day_month_year, month_day_year };
  Order order = Order::year_month_day;
  char separator = '-';  ///< '-', '/' or '.'
  char between = 0;      ///< of date and time: ' ' or 'T'; 0 where there is no time
  bool seconds = false;  ///< hours, minutes and seconds; otherwise hours and minutes
  int fraction = 0;   ///< digits of a second's fraction: 0 to 6, of dates that begin with a day or month to 3
  bool zulu = false;  ///< ends in Z
  bool padded = true;  ///< 02 for the second month; otherwise 2

  /// As strptime reads it, where "%3f" stands for three digits of a fraction: "%Y-%m-%d %H:%M".
  std::string text() const;
  /// The inverse; nothing where it is no format of these.
  static std::optional<DateFormat> parse(std::string_view text);
  /// Seconds between dates that can be told apart: 86400 without a time.
  double step() const;
  bool operator==(const DateFormat&) const = default;
};

/// Seconds since 1970-01-01 UTC; nothing where the text is not of this format or the calendar has no such day
/// (30 February; the Gregorian calendar of the years 1 to 9999).
std::optional<double> parse_date(const DateFormat& format, std::string_view text);

/// The date nearest to `seconds` that the format can write. Argument error outside the years 1 to 9999.
std::string date_text(const DateFormat& format, double seconds);

/// Finds how a column of dates is written, cell by cell.
class DateReader {
 public:
  /// A number that stands for the date until all are seen; nothing where the text is no date, or is written
  /// in another way than those before it.
  std::optional<double> add(std::string_view text);
  /// The format of all the dates added. Where the day cannot be told from the month, the month comes first
  /// with '/', the day with '.' and '-'.
  DateFormat format() const;
  /// Whether day and month could be exchanged in every date.
  bool is_ambiguous() const { return has_parts_ && day_first_ && month_first_ && format_->separator != '.'; }
  /// Seconds since 1970-01-01 UTC of what `add` returned.
  double seconds(double packed) const;

 private:
  std::optional<DateFormat> format_;
  bool has_parts_ = false;  ///< day and month stand before the year
  bool day_first_ = true, month_first_ = true;
  bool padded_seen_ = false, bare_seen_ = false;  ///< zeros before a digit, and a digit without one
};

}  // namespace fokker
