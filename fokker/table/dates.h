#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fokker {

/// How the dates or times of a column are written, piece after piece: 2024-02-29, 29.02.2024, 2/29/24 2:05
/// PM, 29-FEB-2024, 2024-02-29T10:30:00.125+01:00, 14:05.
struct DateFormat {
  enum class Field {
    literal,
    year,
    short_year,  ///< 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068
    month,
    month_name,
    day,
    weekday,
    hour,
    half_day_hour,  ///< 1 to 12
    minute,
    second,
    fraction,
    half,    ///< AM or PM
    offset,  ///< from UTC: any is read, `text` is written
  };
  enum class Letters { usual, upper, lower };  ///< Feb, FEB, feb
  struct Piece {
    Field field = Field::literal;
    bool padded = true;  ///< 02 for the second month; otherwise 2
    bool full = false;   ///< February; otherwise Feb
    Letters letters = Letters::usual;
    int digits = 0;  ///< of a second's fraction: 1 to 9
    std::string text = {};
    bool operator==(const Piece&) const = default;
  };
  std::vector<Piece> pieces;

  /// As strptime reads it, where "%3f" stands for three digits of a fraction, "%^b" and "%#b" for a month's
  /// name in capital and in small letters, and "%z+01:00" for any offset from UTC, written as +01:00:
  /// "%Y-%m-%d %H:%M".
  std::string text() const;
  /// The inverse; nothing where it is none, or does not say a date, a month or a time of the day.
  static std::optional<DateFormat> parse(std::string_view text);
  bool has_date() const;
  /// Seconds between what can be told apart: 86400 without a time (also of months).
  double step() const;
  bool operator==(const DateFormat&) const = default;
};

/// Seconds since 1970-01-01 on the format's own clock (of offsets that vary, that of the one written), of a
/// month its first day, of a time of the day since midnight; nothing where the text is not of this format or
/// the calendar has no such day (30 February, a Monday that is none; the Gregorian calendar of the years 1 to
/// 9999).
std::optional<double> parse_date(const DateFormat& format, std::string_view text);

/// The date nearest to `seconds` that the format can write. Argument error outside the years 1 to 9999.
std::string date_text(const DateFormat& format, double seconds);

/// Finds how a column of dates is written, cell by cell.
class DateReader {
 public:
  /// Seconds by the likeliest format so far; nothing where the text is no date, or is written in another way
  /// than those before it.
  std::optional<double> add(std::string_view text);
  /// The likeliest format of all the dates added. Where the day cannot be told from the month, the month
  /// comes first with '/', the day with '.' and '-'.
  DateFormat format() const { return candidates_.empty() ? DateFormat{} : candidates_.front(); }
  /// Another order of day, month and year in which every date could be read, where the separator leaves it
  /// open; empty where there is none.
  std::string alternative() const;
  /// Whether seconds were returned that are those of another format than the likeliest of all.
  bool has_changed() const { return changed_; }

 private:
  std::vector<DateFormat> candidates_;  ///< of which every date is, the likeliest first
  bool changed_ = false;
};

/// Seconds of a whole number written as 20240229 or 20240229103000; nothing where it is none of the years
/// 1900 to 2099. `with_time` chooses which.
std::optional<double> parse_compact_date(double number, bool with_time);

}  // namespace fokker
