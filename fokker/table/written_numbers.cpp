#include "fokker/table/written_numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fokker {
namespace {

constexpr int most_rounded = 6, most_significant = 12;

int length(std::string_view text) {
  return static_cast<int>(text.size());
}

std::string_view without_leading_zeros(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

std::string_view without_trailing_zeros(std::string_view digits) {
  return digits.substr(0, digits.find_last_not_of('0') + 1);
}

}  // namespace

void WrittenNumbers::add(std::string_view text, double value, char decimal) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  int exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    std::from_chars(power.data(), power.data() + power.size(), exponent);
    text = text.substr(0, e);
  }
  const size_t point = std::min(text.find(decimal), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point < text.size() ? text.substr(point + 1) : "";
  const std::string_view bare = without_trailing_zeros(fraction);
  const int decimals = std::clamp(length(fraction) - exponent, 0, 1000);
  const int shown_decimals = bare.empty() && exponent >= 0 ? 0 : std::clamp(length(bare) - exponent, 0, 1000);
  most_decimals_ = std::max(most_decimals_, decimals);
  least_decimals_ = std::min(least_decimals_, decimals);
  const std::string_view digits = without_leading_zeros(whole);
  const int significant = !bare.empty() ? length(digits.empty() ? without_leading_zeros(bare) : digits) +
                                              (digits.empty() ? 0 : length(bare))
                                        : length(without_trailing_zeros(digits));
  most_digits_ = std::max(most_digits_, significant);
  Group& group = groups_[static_cast<size_t>(std::clamp(length(digits) + exponent, 0, 19))];
  ++group.count;
  group.decimals = std::max(group.decimals, shown_decimals);
  const bool beyond = std::abs(value) > 0x1p53, plain = fraction.empty() && exponent == 0;
  fractions_ = fractions_ || value != std::floor(value) || (beyond && !plain);
  leading_zeros_ = leading_zeros_ || (plain && whole.size() > 1 && whole[0] == '0');
  beyond_exact_ = beyond_exact_ || (beyond && plain);
  beyond_digits_ = beyond_digits_ || (beyond && exponent > 0);
}

/// Whether the significant digits of a group are used up.
bool WrittenNumbers::is_cut(size_t whole) const {
  return static_cast<int>(whole) + groups_[whole].decimals == most_digits_;
}

int WrittenNumbers::decimals() const {
  if (most_decimals_ > most_rounded || beyond_digits_) return -1;
  size_t seen = 0;
  bool all_cut = true;
  for (size_t whole = 1; whole < groups_.size(); ++whole) {
    if (groups_[whole].count < fewest) continue;
    ++seen;
    all_cut = all_cut && is_cut(whole);
  }
  return seen > 1 && all_cut ? -1 : most_decimals_;
}

int WrittenNumbers::digits() const {
  if (most_digits_ > most_significant) return -1;
  if (decimals() < 0) return most_digits_;
  for (size_t whole = 1; whole < groups_.size(); ++whole)
    if (groups_[whole].count >= fewest && is_cut(whole) && groups_[whole].decimals < most_decimals_)
      return most_digits_;
  return -1;
}

}  // namespace fokker
