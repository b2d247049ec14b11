#include "fokker/core/text/numbers.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

#include "fokker/core/check.h"

namespace fokker {
namespace {

constexpr std::string_view unicode_minus = "\xe2\x88\x92";
constexpr double largest_exact = 9007199254740992.0;  // 2^53: every whole number up to it is a double

/// std::from_chars does not know a leading plus.
std::string_view without_plus(std::string_view text) {
  return text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
}

template <typename Number>
std::errc read_all(std::string_view text, Number& value) {
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  return end == last ? error : std::errc::invalid_argument;
}

/// "1e6": nothing where the text is no such number, or is beyond what a double counts exactly.
std::optional<double> whole_real(std::string_view text) {
  double value = 0;
  if (read_all(text, value) != std::errc() || !(std::abs(value) <= largest_exact) ||
      value != std::trunc(value))
    return {};
  return value;
}

template <typename Whole>
Whole parse_whole(std::string_view what, std::string_view text, Whole least, Whole most) {
  const std::string_view digits = without_plus(text);
  Whole value{};
  bool valid = read_all(digits, value) == std::errc();
  if (!valid) {
    const auto real = whole_real(digits);
    valid = real && *real >= static_cast<double>(least) && *real <= static_cast<double>(most);
    if (valid) value = static_cast<Whole>(*real);
  }
  double real = 0;
  const bool inexact = !valid && read_all(digits, real) == std::errc() && std::abs(real) > largest_exact &&
                       real > static_cast<double>(least) && real < static_cast<double>(most);
  check(!inexact, "{}: expected all the digits of a number beyond 2^53 but received '{}'", what, text);
  check(valid && value >= least && value <= most,
        "{}: expected a whole number from {} to {} but received '{}'", what, least, most, text);
  return value;
}

}  // namespace

int64_t parse_integer(std::string_view what, std::string_view text, int64_t least, int64_t most) {
  return parse_whole<int64_t>(what, text, least, most);
}

uint64_t parse_unsigned(std::string_view what, std::string_view text) {
  return parse_whole<uint64_t>(what, text, 0, std::numeric_limits<uint64_t>::max());
}

double parse_real(std::string_view what, std::string_view text) {
  double value = 0;
  const std::errc error = read_all(without_plus(text), value);
  check(error != std::errc::result_out_of_range,
        "{}: expected a number that a double holds, 1e-307 to 1e308 in size, but received '{}'", what, text);
  check(error == std::errc() && std::isfinite(value), "{}: expected a number but received '{}'", what, text);
  return value;
}

NumberError parse_number(std::string_view cell, double& value, char decimal) {
  if (cell.empty()) return NumberError::empty;
  if (cell.starts_with(unicode_minus))
    return parse_number("-" + std::string(cell.substr(unicode_minus.size())), value, decimal);
  if (decimal != '.') {
    if (cell.find('.') != std::string_view::npos) return NumberError::text;
    if (const size_t at = cell.find(decimal); at != std::string_view::npos) {
      std::string pointed(cell);
      pointed[at] = '.';
      return parse_number(pointed, value);
    }
  }
  // std::from_chars does not know a leading plus.
  if (cell.front() == '+' && cell.size() > 1 && cell[1] != '-') cell.remove_prefix(1);
  const char* last = cell.data() + cell.size();
  const auto [end, error] = std::from_chars(cell.data(), last, value);
  if (error == std::errc::invalid_argument || end != last) return NumberError::text;
  // Out of range is an error at the large end only: a number too small to hold is zero.
  if (error == std::errc::result_out_of_range) value = std::strtod(std::string(cell).c_str(), nullptr);
  if (std::isfinite(value)) return NumberError::none;
  return error == std::errc() ? NumberError::not_finite : NumberError::too_large;
}

}  // namespace fokker
