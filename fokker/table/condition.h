#pragma once
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/table/schema.h"

namespace fokker {

/// What is asked of the cells of one column of a table.
struct ColumnCondition {
  int64_t column = 0;               ///< of the schema
  std::vector<double> values = {};  ///< any of these cells (NaN: missing); where empty, one from low to high
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  /// Whether the cell is known.
  bool is_exact() const { return values.size() == 1; }
  /// Which cells (n) of `of`, the schema's column, it holds for as they are written: (n) bool.
  Tensor holds(const Column& of, const Tensor& cells) const;
};

/// "COLUMN=VALUE". VALUE is a cell as the column has them; some of them, "a|b"; or a range "LOW..HIGH", both
/// ends included and either left out for an open one, of numbers, dates and levels that have an order or are
/// all numbers. A text that is a cell as it stands is that cell. Numbers are rounded as the column is
/// written.
///
/// Argument errors: no such column, listing them; no such cell, with the levels or the bounds; a number or
/// date outside the bounds seen in training, where nothing was learned, unless it is the end of a range that
/// reaches into them; an empty range; several values of a number that is not rounded.
ColumnCondition parse_condition(const Schema& schema, std::string_view text);
/// The same of a VALUE. `place` begins its errors: "given: column 'age'".
ColumnCondition parse_condition(const Column& column, int64_t place_in_schema, std::string_view value,
                                const std::string& place);
/// Of different columns; argument error where two are on one.
std::vector<ColumnCondition> parse_conditions(const Schema& schema, const std::vector<std::string>& texts);

}  // namespace fokker
