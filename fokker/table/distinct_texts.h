#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fokker {

/// What a cell's text is, taken alone.
enum class CellClass : uint8_t {
  missing,
  word_none,
  number,
  amount,  ///< a number with more around its digits (NumberFormat)
  not_finite,
  too_large,
  date,
  text
};
constexpr size_t cell_classes = 8;

/// A way in which cells are written.
struct DistinctText {
  std::string_view text;  ///< as written
  CellClass kind = CellClass::text;
  double value = 0;  ///< of a number; of a date by the likeliest format when it was read
  int64_t count = 0;
};

/// The distinct texts of a column, each stored once.
class DistinctTexts {
 public:
  /// The code of a text that is there, or -1.
  int32_t find(std::string_view text) const;
  int32_t add(std::string_view text, CellClass kind, double value);
  DistinctText& operator[](int32_t code) { return texts_[static_cast<size_t>(code)]; }
  const DistinctText& operator[](int32_t code) const { return texts_[static_cast<size_t>(code)]; }
  int64_t size() const { return static_cast<int64_t>(texts_.size()); }
  std::vector<DistinctText>::const_iterator begin() const { return texts_.begin(); }
  std::vector<DistinctText>::const_iterator end() const { return texts_.end(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> codes_;
  std::vector<DistinctText> texts_;  ///< their views are into the keys, which do not move
};

/// Levels made of texts: those that differ in blanks around them only are one, and where all are numbers
/// those of one value (unless zeros lead, which are kept apart), under the spelling that most cells have.
struct Levels {
  std::vector<std::string> names;  ///< numbers by value, others in the order of their bytes
  std::vector<double> place;       ///< of each code; NaN of those that are missing
  std::vector<int64_t> counts;     ///< cells of each level
  bool numbers = false;            ///< all are numbers
};
/// Of the texts that `is_level` accepts; the others are missing.
Levels levels_of(const DistinctTexts& texts, bool none_is_missing, bool by_value);

}  // namespace fokker
