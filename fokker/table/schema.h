#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/table/number_format.h"

namespace fokker {

enum class ColumnKind {
  real,
  integer,
  categorical,  ///< text or codes without an order
  ordinal,      ///< levels with an order
  datetime,
  constant,  ///< one level
};
std::string_view to_string(ColumnKind kind);
/// Argument error listing the kinds where the name is not one of them.
ColumnKind parse_column_kind(std::string_view name);

/// A value that far more rows have exactly than those around it: a zero, a bound.
struct Spike {
  double value = 0;
  double share = 0;  ///< of the rows that are not missing
};

/// Whether numbers between those seen, rounded like them, may come.
enum class Between {
  none,
  sparse,  ///< where rows are too few for all that there are to be seen (open_gaps, lattice.h)
  all,
};
std::string_view to_string(Between between);
/// Argument error listing them where the name is none of them.
Between parse_between(std::string_view name);

/// What a column of a table holds. A cell is one number: of a real, an integer and a date the value (a date's
/// in seconds since 1970-01-01, of a time of the day since midnight), of the other kinds the place among
/// `levels`; NaN where it is missing.
struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::real;
  /// Of a categorical, ordinal or constant column: the cells as they are written, in the order of their
  /// places.
  std::vector<std::string> levels = {};
  double low = 0, high = 0;  ///< of numbers and dates: the least and the greatest seen
  int decimals =
      -1;           ///< of a real: the most that are written, 0 of an integer; -1 where they are not rounded
  int digits = -1;  ///< of a real: the most significant digits that are written; -1 where they are not few
  int padding = 0;  ///< of numbers: decimals that are always written: 2 of 1.50, 1 of a count written 3.0
  NumberFormat number_format = {};  ///< of numbers: what stands around their digits
  std::string date_format = {};     ///< as strptime reads it (DateFormat, dates.h)
  std::vector<Spike> spikes = {};   ///< of numbers and dates, by value
  bool heavy_tails = false;         ///< of numbers
  bool bounded = false;             ///< of numbers: many rows are next to `low` or `high`, none beyond
  Between between = Between::none;  ///< of rounded numbers and dates
  /// What stands for a missing cell, as written; the first is written for one. Empty: none is missing.
  std::vector<std::string> missing = {};
  double missing_share = 0;
  std::string note = {};  ///< what was noticed or guessed, for the reader

  bool is_number() const {
    return kind == ColumnKind::real || kind == ColumnKind::integer || kind == ColumnKind::datetime;
  }
  bool has_levels() const { return !is_number(); }
  void add_note(const std::string& text) { note += (note.empty() ? "" : "; ") + text; }
  /// A real column with nothing of all this: its cells may be any number.
  bool is_plain() const {
    return kind == ColumnKind::real && decimals < 0 && (digits < 0 || digits > 6) && spikes.empty() &&
           !heavy_tails && !bounded && missing.empty() && number_format.is_bare();
  }
};

/// A column of a file that is no part of the table, such as an identifier.
struct DroppedColumn {
  std::string name, why;
};

/// The columns of a table, in the file's order.
struct Schema {
  std::vector<Column> columns;
  std::vector<DroppedColumn> dropped = {};

  int64_t size() const { return static_cast<int64_t>(columns.size()); }
  std::vector<std::string> names() const;
  /// Place of the column of that name. Argument error that lists the names.
  int64_t find(std::string_view name) const;
  /// Whether every column is plain: rows are points of R^d.
  bool is_plain() const;
  Json to_json() const;
  /// Input error, naming `file` and the column, where it is not one that `to_json` writes. What a column of
  /// it does not say is as in an untouched Column.
  static Schema from_json(const Json& json, const std::string& file = "schema");
};

/// A cell as it is written: a number in the column's decimals, a date in its format, a level's text, or what
/// stands for a missing one. Argument error for a value that the column cannot hold.
std::string cell_text(const Column& column, double cell);
/// The inverse: NaN where the text stands for a missing cell; nothing where the column has no such cell (text
/// where a number belongs, a level that it does not have). Blanks around the text do not matter. Of many
/// cells use CellParser (cells.h).
std::optional<double> parse_cell(const Column& column, std::string_view text);

}  // namespace fokker
