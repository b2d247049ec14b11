#include "fokker/table/number_format.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

using Minus = NumberFormat::Minus;
using std::string_view;

constexpr size_t most_unit = 12;  // bytes of what stands beside a number
constexpr std::array<const char*, 3> minus_names = {"first", "digits", "parentheses"};
constexpr string_view no_break = "\xc2\xa0", narrow = "\xe2\x80\xaf", raised = "\xe2\x80\x99";
constexpr string_view blanks[] = {" ", no_break, narrow};
constexpr string_view groups[] = {",", ".", "'", " ", no_break, narrow, raised};
constexpr string_view signs[] = {"%",
                                 "\xe2\x80\xb0",
                                 "\xc2\xb0",
                                 "\xc2\xb0\x43",
                                 "\xc2\xb0\x46",
                                 "$",
                                 "\xe2\x82\xac" /* euro */,
                                 "\xc2\xa3" /* pound */,
                                 "\xc2\xa5" /* yen */,
                                 "\xe2\x82\xb9" /* rupee */,
                                 "\xe2\x82\xbd" /* rouble */,
                                 "\xe2\x82\xa9" /* won */,
                                 "\xe2\x82\xba" /* lira */,
                                 "\xe2\x82\xab" /* dong */,
                                 "\xe2\x82\xaa" /* shekel */,
                                 "\xe0\xb8\xbf" /* baht */,
                                 "US$",
                                 "A$",
                                 "C$",
                                 "HK$",
                                 "NZ$",
                                 "S$",
                                 "R$",
                                 "Rs",
                                 "Rs.",
                                 "kr",
                                 "kr.",
                                 "z\xc5\x82",
                                 "CHF",
                                 "USD",
                                 "EUR",
                                 "GBP",
                                 "JPY",
                                 "CNY",
                                 "INR",
                                 "AUD",
                                 "CAD",
                                 "SEK",
                                 "NOK",
                                 "DKK",
                                 "PLN",
                                 "CZK",
                                 "HUF",
                                 "BRL",
                                 "MXN",
                                 "ZAR",
                                 "KRW",
                                 "TRY",
                                 "RUB",
                                 "SGD",
                                 "HKD",
                                 "NZD"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

string_view without_blank(string_view text, bool at_end) {
  for (const string_view blank : blanks) {
    if (at_end && text.ends_with(blank)) return text.substr(0, text.size() - blank.size());
    if (!at_end && text.starts_with(blank)) return text.substr(blank.size());
  }
  return text;
}

bool is_sign(string_view text) {
  return std::find(std::begin(signs), std::end(signs), text) != std::end(signs);
}

/// Letters, "km/h", "m\u00b2": a single capital letter may as well be part of a code.
bool is_unit(string_view text) {
  const auto in_unit = [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80 ||
           c == '/' || c == ' ' || c == '.';
  };
  const bool one_capital = text.size() == 1 && text[0] >= 'A' && text[0] <= 'Z';
  return !text.empty() && text.size() <= most_unit && !one_capital && text.front() != '/' &&
         text.front() != '.' && std::all_of(text.begin(), text.end(), in_unit);
}

bool can_begin(string_view prefix) {
  return prefix.empty() || is_sign(without_blank(prefix, true));
}

bool can_end(string_view suffix) {
  const string_view bare = without_blank(suffix, false);
  return suffix.empty() || is_sign(bare) || is_unit(bare);
}

/// A text in parts: `minus` says where that of a negative number stands.
struct AmountParts {
  bool negative = false;
  Minus minus = Minus::first;
  string_view prefix, body, suffix;
};

std::optional<AmountParts> split_amount(string_view text) {
  AmountParts parts;
  if (text.size() > 2 && text.front() == '(' && text.back() == ')') {
    parts.negative = true;
    parts.minus = Minus::parentheses;
    text = text.substr(1, text.size() - 2);
  } else if (text.starts_with('-')) {
    parts.negative = true;
    text.remove_prefix(1);
  }
  const size_t first = text.find_first_of("0123456789"), last = text.find_last_of("0123456789");
  if (first == string_view::npos) return {};
  size_t begin = first;
  // The point of .50, unless it is one of Rs.50.
  const bool point = begin > 0 && (text[begin - 1] == '.' || text[begin - 1] == ',');
  if (point && can_begin(text.substr(0, begin - 1)) && !is_sign(text.substr(0, begin))) --begin;
  parts.prefix = text.substr(0, begin);
  parts.body = text.substr(begin, last + 1 - begin);
  parts.suffix = text.substr(last + 1);
  if (!parts.negative && parts.prefix.ends_with('-')) {
    parts.negative = true;
    parts.minus = Minus::digits;
    parts.prefix.remove_suffix(1);
  }
  return parts;
}

/// The separator of thousands in digits, "" where there is none; nothing where they are no number.
std::optional<string_view> group_of(string_view body, char decimal) {
  const size_t head = std::min(
      static_cast<size_t>(std::find_if_not(body.begin(), body.end(), is_digit) - body.begin()), body.size());
  const string_view rest = body.substr(head);
  if (rest.empty() || rest.front() == decimal || rest.front() == 'e' || rest.front() == 'E') return "";
  if (head < 1 || head > 3 || body.front() == '0') return {};
  for (const string_view group : groups)
    if (rest.starts_with(group)) return group;
  return {};
}

/// Without separators, which must stand at every third digit; nothing where they do not.
std::optional<std::string> without_groups(string_view body, string_view group, char decimal) {
  if (group.empty()) return std::string(body);
  const size_t point = std::min(body.find(decimal), body.size());
  std::string digits;
  string_view whole = body.substr(0, point);
  for (bool first = true;; first = false) {
    const size_t end = std::min(whole.find(group), whole.size());
    const bool fits = first ? end >= 1 && end <= 3 : end == 3;
    if (!fits || !std::all_of(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(end), is_digit))
      return {};
    digits += whole.substr(0, end);
    if (end == whole.size()) break;
    whole.remove_prefix(end + group.size());
  }
  return digits + std::string(body.substr(point));
}

std::optional<std::string> checked(std::string digits, bool negative, char decimal) {
  double value = 0;
  if (!is_digit(digits.empty() ? '\0' : digits.back()) ||
      parse_number(digits, value, decimal) != NumberError::none)
    return {};
  return (negative ? "-" : "") + digits;
}

}  // namespace

/// Another character where the usual one stands before decimals.
std::string NumberFormat::group_beside(char decimal) const {
  if (group != std::string(1, decimal)) return group;
  return decimal == '.' ? "," : ".";
}

std::string NumberFormat::dressed(string_view digits, char decimal) const {
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  std::string body(digits);
  const bool plain = digits.find_first_of("eE") == string_view::npos;
  const size_t whole = std::min(digits.find(decimal), digits.size());
  const std::string between = group_beside(decimal);
  if (!between.empty() && plain)
    for (size_t at = whole; at > 3; at -= 3) body.insert(at - 3, between);
  const char* first = negative && minus == Minus::first ? "-" : "";
  const char* before_digits = negative && minus == Minus::digits ? "-" : "";
  std::string text = first + prefix + before_digits + body + suffix;
  return negative && minus == Minus::parentheses ? "(" + text + ")" : text;
}

std::optional<std::string> NumberFormat::digits_of(string_view text, char decimal) const {
  const auto parts = split_amount(text);
  if (!parts) return {};
  const bool bare = parts->prefix.empty() && parts->suffix.empty();
  const bool same = parts->prefix == prefix && parts->suffix == suffix;
  if ((!bare && !same) || (parts->negative && parts->minus == Minus::parentheses && minus != parts->minus))
    return {};
  const auto found = group_of(parts->body, decimal);
  if (!found || (!found->empty() && *found != group_beside(decimal))) return {};
  auto digits = without_groups(parts->body, *found, decimal);
  return digits ? checked(std::move(*digits), parts->negative, decimal) : std::nullopt;
}

void NumberFormat::add_to(Json& json) const {
  if (!prefix.empty()) json["prefix"] = prefix;
  if (!suffix.empty()) json["suffix"] = suffix;
  if (!group.empty()) json["group"] = group;
  if (minus != Minus::first) json["minus"] = minus_names[static_cast<size_t>(minus)];
}

NumberFormat NumberFormat::from_json(const Json& json, const std::string& place) {
  const detail::JsonReader reader(json, place);
  NumberFormat format;
  std::string minus = minus_names[0];
  reader.read("prefix", format.prefix);
  reader.read("suffix", format.suffix);
  reader.read("group", format.group);
  reader.read("minus", minus);
  const auto* found = std::find(minus_names.begin(), minus_names.end(), minus);
  check_input(found != minus_names.end(),
              "{}: unknown minus '{}': expected one of first, digits, parentheses", place, shown(minus));
  format.minus = static_cast<Minus>(found - minus_names.begin());
  const bool no_digits =
      (format.prefix + format.suffix + format.group).find_first_of("0123456789") == std::string::npos;
  check_input(no_digits && format.prefix.size() <= most_unit && format.suffix.size() <= most_unit &&
                  format.group.size() <= narrow.size(),
              "{}: expected a prefix, suffix and group of a few characters, none a digit", place);
  return format;
}

std::optional<std::string> NumberFormatReader::add(string_view text, char decimal) {
  const auto parts = split_amount(text);
  if (!parts || !can_begin(parts->prefix) || !can_end(parts->suffix)) return {};
  if (started_ && (parts->prefix != format_.prefix || parts->suffix != format_.suffix)) return {};
  if (parts->negative && signed_ && parts->minus != format_.minus) return {};
  const auto group = group_of(parts->body, decimal);
  if (!group || (!group->empty() && !format_.group.empty() && *group != format_.group)) return {};
  auto digits = without_groups(parts->body, *group, decimal);
  if (digits) digits = checked(std::move(*digits), parts->negative, decimal);
  if (!digits) return {};
  started_ = true;
  format_.prefix = parts->prefix;
  format_.suffix = parts->suffix;
  if (parts->negative) signed_ = true, format_.minus = parts->minus;
  if (group->empty()) {
    double value = 0;
    parse_number(*digits, value, decimal);
    largest_open_ = std::max(largest_open_, std::abs(value));
  } else {
    format_.group = *group;
    const auto count = std::count(parts->body.begin(), parts->body.end(), group->back());
    sure_ = sure_ || count > 1 || parts->body.find(decimal) != string_view::npos ||
            (*group != "," && *group != ".");
  }
  return digits;
}

void NumberFormatReader::add_bare(double value) {
  largest_open_ = std::max(largest_open_, std::abs(value));
}

}  // namespace fokker
