#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "fokker/core/text/json.h"

namespace fokker {

/// What stands around and between the digits of a column's numbers: $1,234.50, 12 %, (5.00), 3.5 kg.
struct NumberFormat {
  enum class Minus {
    first,        ///< -$5
    digits,       ///< $-5
    parentheses,  ///< ($5)
  };
  std::string prefix = {}, suffix = {};
  std::string group = {};  ///< between thousands
  Minus minus = Minus::first;

  bool is_bare() const { return *this == NumberFormat{}; }
  bool operator==(const NumberFormat&) const = default;
  /// A number in digits, such as -1234.50, in this format.
  std::string dressed(std::string_view digits, char decimal) const;
  /// The inverse; nothing where the text is written in another way, or in this but for its thousands. Numbers
  /// without what stands around them are taken too.
  std::optional<std::string> digits_of(std::string_view text, char decimal) const;
  std::string group_beside(char decimal) const;
  void add_to(Json& json) const;
  /// Input error, naming `place`, where a member is not one that `add_to` writes.
  static NumberFormat from_json(const Json& json, const std::string& place);
};

/// Finds the format of a column's numbers, cell by cell.
class NumberFormatReader {
 public:
  /// The digits of a text that has more than a number; nothing where it is none of a currency, a unit, a
  /// per cent sign, thousands or parentheses, or is written in another way than those before it.
  std::optional<std::string> add(std::string_view text, char decimal);
  /// A number in digits alone.
  void add_bare(double value);
  const NumberFormat& format() const { return format_; }
  /// Whether thousands are separated in some numbers and in others not, so that the separator may be another.
  bool has_open_thousands() const { return !format_.group.empty() && largest_open_ >= 1000; }
  /// Whether every separator of thousands could as well stand before three decimals.
  bool is_group_in_doubt() const { return !format_.group.empty() && !sure_; }

 private:
  NumberFormat format_;
  bool started_ = false, signed_ = false, sure_ = false;
  double largest_open_ = 0;
};

}  // namespace fokker
