#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fokker/core/tensor.h"
#include "fokker/table/dates.h"
#include "fokker/table/schema.h"

namespace fokker {

/// Without blanks, tabs and carriage returns at either end.
std::string_view without_blanks(std::string_view text);

/// Whether a text, without blanks around it, is one of the usual marks of a missing cell: nothing, ?, NA,
/// N/A, #N/A, NaN, nan, null, NULL.
bool is_missing_mark(std::string_view text);
/// Whether a text, without blanks around it, is a mark of a missing cell where all others are numbers or
/// dates: -, unknown, n.a., #DIV/0!, 0000-00-00 and the like.
bool is_stray_mark(std::string_view text);
/// None or none: a mark among numbers and dates, a level among texts.
bool is_word_none(std::string_view text);

/// Reads the cells of one column, which must outlive it. A column that has missing cells has them under any
/// of the usual marks; with `accept_missing` every column.
class CellParser {
 public:
  explicit CellParser(const Column& column, char decimal = '.', bool accept_missing = false);
  /// As parse_cell.
  std::optional<double> parse(std::string_view text) const;

 private:
  bool is_missing(std::string_view text) const;
  std::optional<double> level(std::string_view text) const;
  std::optional<double> number(std::string_view text) const;

  const Column& column_;
  char decimal_;
  bool accept_missing_;
  DateFormat date_;
  std::unordered_map<std::string_view, double> places_;  ///< of levels, without blanks
  std::unordered_map<double, double> values_;            ///< of levels that are all whole numbers
};

/// The numbers of cells (n) of a column, none of them missing: those themselves, or what their levels are as
/// numbers, (n) float64. Nothing where a level is no number.
std::optional<Tensor> numbers_of_cells(const Column& column, const Tensor& cells);

/// Writes the cells of one column, which must outlive it; numbers with that character before their decimals.
class CellWriter {
 public:
  explicit CellWriter(const Column& column, char decimal = '.');
  /// Appends what cell_text returns.
  void append(std::string& text, double cell) const;

 private:
  void append_number(std::string& text, double cell) const;

  const Column& column_;
  char decimal_;
  DateFormat date_;
};

}  // namespace fokker
