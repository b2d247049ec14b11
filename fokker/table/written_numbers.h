#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace fokker {

/// How the numbers of a column are written.
class WrittenNumbers {
 public:
  /// A text that parse_number accepts, and its value. One that comes again need not be added again.
  void add(std::string_view text, double value, char decimal);

  bool has_fractions() const { return fractions_; }
  /// Whole numbers such as 00123, which are codes.
  bool has_leading_zeros() const { return leading_zeros_; }
  /// Whole numbers that float64 does not hold exactly.
  bool beyond_exact() const { return beyond_exact_; }
  /// The most decimals that are written, where they are at most six and not what a fixed number of
  /// significant digits leaves; -1 otherwise.
  int decimals() const;
  /// The most significant digits, where they are at most 12 and leave some numbers fewer decimals than others
  /// have; -1 otherwise.
  int digits() const;
  /// The fewest decimals that are written, zeros at the end included: 1 where 4.0 stands beside 4.25.
  int padding() const { return std::min(least_decimals_, most_decimals_); }

 private:
  /// Of numbers with that many digits before the decimals.
  struct Group {
    int64_t count = 0;
    int decimals = 0;  ///< the most, but for zeros at the end
  };
  static constexpr int64_t fewest = 20;  ///< texts that show how those of a group are written
  bool is_cut(size_t whole) const;

  std::array<Group, 20> groups_ = {};
  int most_decimals_ = 0, least_decimals_ = 1000, most_digits_ = 0;
  bool fractions_ = false, leading_zeros_ = false, beyond_exact_ = false;
  bool beyond_digits_ = false;  ///< with an exponent that is more than float64 has digits
};

}  // namespace fokker
