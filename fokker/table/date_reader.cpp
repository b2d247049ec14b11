// How the dates of a column are written, from its cells.
#include <algorithm>
#include <cmath>

#include "fokker/table/dates.h"

namespace fokker {
namespace {

using Field = DateFormat::Field;
using Piece = DateFormat::Piece;
using Pieces = std::vector<Piece>;

constexpr size_t least_length = 4, most_length = 48;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// Days and months, the likelier order first.
std::vector<std::string> date_shapes() {
  std::vector<std::string> numbers, names, all;
  for (const std::string s : {"-", "/", "."}) {
    numbers.push_back(fmt::format("%Y{0}%m{0}%d", s));
    const bool month_first = s == "/";
    for (const bool swapped : {month_first, !month_first})
      numbers.push_back(fmt::format("%{1}{0}%{2}{0}%Y", s, swapped ? 'm' : 'd', swapped ? 'd' : 'm'));
    for (const bool swapped : {month_first, !month_first})
      numbers.push_back(fmt::format("%{1}{0}%{2}{0}%y", s, swapped ? 'm' : 'd', swapped ? 'd' : 'm'));
    if (s != ".") numbers.push_back(fmt::format("%y{0}%m{0}%d", s));  // 12.05.01 may be a version
  }
  for (const char* shape :
       {"%d %b %Y",    "%d-%b-%Y",    "%d/%b/%Y", "%d. %b %Y", "%d%b%Y",   "%d %b %y",     "%d-%b-%y",
        "%d%b%y",      "%b %d, %Y",   "%b %d %Y", "%Y %b %d",  "%Y-%b-%d", "%a, %d %b %Y", "%a, %b %d, %Y",
        "%a %b %d %Y", "%a %d %b %Y", "%b %Y",    "%b-%Y",     "%b-%y",    "%Y-%b",        "%Y %b"})
    for (const bool full : {false, true})
      for (const char* letters : {"%", "%^", "%#"}) {
        const auto name = [&](char short_one, char full_one) {
          return letters + std::string(1, full ? full_one : short_one);
        };
        names.push_back(replaced(replaced(shape, "%b", name('b', 'B')), "%a", name('a', 'A')));
      }
  for (const auto* shapes : {&numbers, &names})
    for (const std::string& shape : *shapes) {
      all.push_back(shape);
      const std::string bare = replaced(replaced(shape, "%m", "%-m"), "%d", "%-d");
      if (bare != shape && !shape.starts_with("%y")) all.push_back(bare);
    }
  for (const char* months : {"%Y-%m", "%Y/%m", "%m/%Y", "%-m/%Y", "%m-%Y"}) all.emplace_back(months);
  return all;
}

std::vector<std::string> time_shapes() {
  std::vector<std::string> all;
  for (const std::string hour : {"%H", "%-H"}) {
    all.push_back(hour + ":%M");
    all.push_back(hour + ":%M:%S");
    for (int digits = 1; digits <= 9; ++digits)
      all.push_back(hour + ":%M:%S.%" + std::to_string(digits) + "f");
  }
  for (const std::string hour : {"%I", "%-I"})
    for (const std::string seconds : {"", ":%S"})
      for (const std::string blank : {" ", ""})
        for (const std::string half : {"%p", "%P"})
          all.push_back(fmt::format("{}:%M{}{}{}", hour, seconds, blank, half));
  return all;
}

std::vector<DateFormat> formats_of(const std::vector<std::string>& shapes) {
  std::vector<DateFormat> formats;
  for (const std::string& shape : shapes)
    if (auto format = DateFormat::parse(shape)) formats.push_back(std::move(*format));
  return formats;
}

DateFormat joined(const DateFormat& date, const std::string& between, const DateFormat& time,
                  const std::string& zone) {
  DateFormat all = date;
  if (!between.empty()) all.pieces.push_back({.text = between});
  all.pieces.insert(all.pieces.end(), time.pieces.begin(), time.pieces.end());
  return DateFormat::parse(all.text() + zone).value_or(DateFormat{});
}

/// The places where the text could be cut so that a front of it is a date and the rest a time.
struct Cut {
  size_t date_end, time_begin;
};

std::vector<Cut> cuts_of(std::string_view text) {
  std::vector<Cut> cuts = {{text.size(), text.size()}, {0, 0}};
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return cuts;
  for (const std::string_view between : {", ", " ", "T", ":"}) {
    const size_t at = text.substr(0, colon + 1).rfind(between);
    if (at != std::string_view::npos && at > 0) cuts.push_back({at, at + between.size()});
  }
  return cuts;
}

/// What may stand behind a time: its zone, as it is or as one of several offsets.
std::vector<std::pair<size_t, std::string>> zones_of(std::string_view time) {
  std::vector<std::pair<size_t, std::string>> zones = {{time.size(), ""}};
  for (const std::string_view name : {"Z", " UTC", " GMT", " Z", "UTC"})
    if (time.ends_with(name)) zones.emplace_back(time.size() - name.size(), name);
  const size_t sign = time.find_last_of("+-");
  if (sign == std::string_view::npos || sign < least_length) return zones;
  const std::string offset(time.substr(sign));
  const bool blank = time[sign - 1] == ' ';
  const size_t end = sign - (blank ? 1 : 0);
  zones.emplace_back(end, (blank ? " " : "") + offset);
  zones.emplace_back(end, (blank ? " %z" : "%z") + offset);
  return zones;
}

std::vector<DateFormat> matching(const std::vector<DateFormat>& formats, std::string_view text) {
  std::vector<DateFormat> some;
  for (const DateFormat& format : formats)
    if (parse_date(format, text)) some.push_back(format);
  return some;
}

/// All formats of which the text is a date, the likeliest first.
std::vector<DateFormat> candidates_of(std::string_view text) {
  static const std::vector<DateFormat> dates = formats_of(date_shapes()), times = formats_of(time_shapes());
  std::vector<DateFormat> found;
  if (text.size() < least_length || text.size() > most_length) return found;
  if (text.find_first_of("0123456789") == std::string_view::npos) return found;
  for (const Cut& cut : cuts_of(text)) {
    const auto some_dates = cut.date_end > 0 ? matching(dates, text.substr(0, cut.date_end))
                                             : std::vector<DateFormat>{DateFormat{}};
    if (some_dates.empty()) continue;
    if (cut.time_begin == text.size()) {
      found.insert(found.end(), some_dates.begin(), some_dates.end());
      continue;
    }
    const std::string between(text.substr(cut.date_end, cut.time_begin - cut.date_end));
    const std::string_view rest = text.substr(cut.time_begin);
    for (const auto& [end, zone] : zones_of(rest))
      for (const DateFormat& time : matching(times, rest.substr(0, end)))
        for (const DateFormat& date : some_dates)
          if (DateFormat all = joined(date, between, time, zone); parse_date(all, text))
            found.push_back(std::move(all));
  }
  return found;
}

/// The fields that say a day, in their order.
std::vector<Field> order_of(const DateFormat& format) {
  std::vector<Field> order;
  for (const Piece& piece : format.pieces)
    if (piece.field == Field::year || piece.field == Field::short_year || piece.field == Field::month ||
        piece.field == Field::day)
      order.push_back(piece.field);
  return order;
}

}  // namespace

std::optional<double> DateReader::add(std::string_view text) {
  if (candidates_.empty()) {
    candidates_ = candidates_of(text);
    return candidates_.empty() ? std::nullopt : parse_date(candidates_.front(), text);
  }
  std::optional<double> first;
  std::vector<bool> fits;
  for (const DateFormat& format : candidates_) {
    const auto seconds = parse_date(format, text);
    fits.push_back(seconds.has_value());
    if (!first) first = seconds;
  }
  if (!first) return {};
  const auto order = order_of(candidates_.front());
  size_t kept = 0;
  for (size_t i = 0; i < fits.size(); ++i)
    if (fits[i]) {
      if (kept != i) candidates_[kept] = std::move(candidates_[i]);
      ++kept;
    }
  candidates_.resize(kept);
  changed_ = changed_ || order_of(candidates_.front()) != order;
  return first;
}

std::string DateReader::alternative() const {
  if (candidates_.empty()) return "";
  const auto order = order_of(candidates_.front());
  if (candidates_.front().text().find("d.") != std::string::npos) return "";
  for (const DateFormat& other : candidates_)
    if (order_of(other) != order) return other.text();
  return "";
}

std::optional<double> parse_compact_date(double number, bool with_time) {
  const double least = with_time ? 19000101000000.0 : 19000101.0,
               most = with_time ? 20991231235959.0 : 20991231.0;
  if (number < least || number > most || number != std::floor(number)) return {};
  static const DateFormat date = *DateFormat::parse("%Y%m%d"), time = *DateFormat::parse("%Y%m%d%H%M%S");
  return parse_date(with_time ? time : date, std::to_string(static_cast<int64_t>(number)));
}

}  // namespace fokker
