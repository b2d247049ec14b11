#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/table/dates.h"
#include "fokker/table/distinct_texts.h"
#include "fokker/table/distribution.h"
#include "fokker/table/number_format.h"
#include "fokker/table/schema.h"
#include "fokker/table/written_numbers.h"

namespace fokker {

/// What is said of a column before its cells are read. What is not said is inferred.
struct ColumnWish {
  std::optional<ColumnKind> kind = {};
  bool dropped = false;
  bool kept = false;                                     ///< asked for by name: numbers are no identifier
  std::vector<std::string> levels = {};                  ///< the only ones, in this order
  std::optional<std::vector<std::string>> missing = {};  ///< the only texts that stand for a missing cell
  std::optional<double> low = {}, high = {};             ///< that no cell lies beyond
  std::optional<int> decimals = {};
  std::optional<Between> between = {};
  std::optional<DateFormat> date_format = {};

  /// {"kind": "integer", "low": 0}, or the kind alone: "integer", "drop". Input error, naming `place`, with
  /// what was expected.
  static ColumnWish from_json(const Json& json, const std::string& place);
  static ColumnWish of_kind(const std::string& kind, const std::string& place);
};

struct InferredColumn {
  Column column;
  std::string dropped = {};  ///< why the column is no part of the table; empty where it is one
  std::vector<double> cells = {};
};

/// Infers one column from the texts of its cells, which are seen once.
///
/// Numbers where every cell that is not missing is one, whole ones integers; dates likewise. Words that come
/// again among many numbers or dates (unknown, -) are missing cells. Whole numbers of at most ten values,
/// each of twenty rows on average, or under a name such as zip, and any column of two values, are categories;
/// numbers that count the rows or are all different under a name such as id, and texts that are different in
/// more than half the rows, are identifiers and dropped. Whole numbers such as 20240229 are dates. Memory: a
/// number and a code per cell, and distinct texts: of numbers and dates the first 65,536, of others as long
/// as they repeat.
class ColumnBuilder {
 public:
  /// `keep_texts`: all distinct texts, however many.
  ColumnBuilder(std::string name, ColumnWish wish, char decimal = '.', bool keep_texts = false);

  /// A cell as it is written, blanks included.
  void add(std::string_view text);
  /// Texts are needed that were not kept: add all cells to a builder that keeps them.
  bool needs_texts() const;
  /// Where the cells are 0, 1, ... or 1, 2, ...: the first; otherwise -1.
  int64_t counts_from() const {
    return step_ == 1 && (start_ == 0 || start_ == 1) ? static_cast<int64_t>(start_) : -1;
  }
  /// Ends the column: its cells are handed over. `lines` are the lines of the rows in `file`, for messages.
  /// Input error, naming file, line, column and cell: a cell that is no number where nine in ten are, or that
  /// a wish does not allow.
  InferredColumn finish(const std::string& file, const std::vector<int64_t>& lines);

 private:
  static constexpr int64_t most_words_kept = 1000;  ///< beside numbers that are not
  enum class Nature { numbers, dates, texts, empty };
  CellClass classify(std::string_view text, double& value);
  bool may_keep(CellClass kind) const;
  void follow(CellClass kind, double value);
  int64_t count(CellClass kind) const { return counts_[static_cast<size_t>(kind)]; }
  int64_t rows() const { return static_cast<int64_t>(values_.size()); }
  int64_t missing_rows(bool texts) const;
  bool is_absent(const DistinctText& each, bool texts) const;
  bool has_stray_words(int64_t& distinct) const;
  bool are_strays_missing() const;
  bool are_amounts_mixed() const;
  void end_strays(Column& column) const;
  bool none_is_missing() const { return !wish_.missing; }
  /// Nothing where cells do not agree; then `first_odd` is one to blame.
  Nature nature(int64_t* first_odd = nullptr) const;
  Nature wished_nature(int64_t* first_odd) const;
  int64_t first_of(std::initializer_list<CellClass> kinds) const;

  void end_numbers(InferredColumn& result);
  bool end_compact_dates(InferredColumn& result, int64_t distinct);
  void end_dates(InferredColumn& result);
  void end_dates_as(InferredColumn& result, const DateFormat& format);
  void reread_dates();
  void end_texts(InferredColumn& result, bool by_value);
  std::string free_text(const std::vector<std::string>& names, int64_t found, bool texts) const;
  void end_empty(InferredColumn& result);
  void describe(Column& column, const ValueCounts& counts) const;
  bool as_levels(InferredColumn& result, int64_t distinct);
  std::string identifier(int64_t distinct) const;
  void note_missing(Column& column, bool texts) const;
  void check_wish(const InferredColumn& result) const;
  [[noreturn]] void fail_cell(int64_t row, const std::string& expected) const;
  std::string cell_at(int64_t row) const;

  std::string name_;
  ColumnWish wish_;
  char decimal_;
  bool keep_texts_;
  bool named_as_code_;  ///< zip, phone, ...
  DistinctTexts texts_;
  WrittenNumbers written_;
  DateReader dates_;
  NumberFormatReader amounts_;
  std::vector<double> values_;
  std::vector<int32_t> codes_;
  std::array<int64_t, cell_classes> counts_ = {};
  std::array<int64_t, cell_classes> first_row_;  ///< of each class; -1 where there is none
  std::array<std::string, cell_classes> first_text_ = {};
  int64_t undated_ = 0;           ///< different texts that are neither numbers nor dates
  bool strays_ = false;           ///< words among the numbers or dates are missing cells
  bool lost_ = false;             ///< a text was not kept
  bool mostly_distinct_ = false;  ///< and it was one of too many
  double start_ = 0, step_ = 0;   ///< of numbers that count up or down by one; NaN where they do not
  double last_ = 0;
  std::string file_;  ///< while the column is ended
  const std::vector<int64_t>* lines_ = nullptr;
};

}  // namespace fokker
