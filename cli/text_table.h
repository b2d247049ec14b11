#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/data/csv/csv_format.h"
#include "fokker/table/cells.h"
#include "fokker/train/sample_model.h"

namespace fokker::cli {

/// A file of delimited text as it is written, cell by cell.
class TextTable {
 public:
  /// Input errors as load_csv's, but for what cells hold.
  TextTable(const std::string& file, const CsvFormat& format);

  const std::string& file() const { return file_; }
  const std::vector<std::string>& columns() const { return columns_; }
  int64_t rows() const { return static_cast<int64_t>(lines_.size()); }
  /// Unquoted, with the blanks around it.
  std::string_view cell(int64_t row, int64_t column) const;
  /// "FILE: line 3: column 'a'"
  std::string place(int64_t row, int64_t column) const;
  int64_t line(int64_t row) const { return lines_[static_cast<size_t>(row)]; }
  const CsvFormat& format() const { return format_; }
  /// Where the columns of a schema stand among those of the file; -1 where it has them not. Input error where
  /// it has none of them, listing both.
  std::vector<int64_t> places_of(const Schema& schema) const;

 private:
  std::string file_;
  std::vector<std::string> columns_;
  std::string text_;            ///< of all cells
  std::vector<size_t> ends_;    ///< of the cells in it
  std::vector<int64_t> lines_;  ///< of the rows in the file
  CsvFormat format_;
};

/// What a cell says, or nothing where it is not known.
struct CellPlace {
  int64_t row, at;  ///< its place in the file
  const Column& column;
  const CellParser& parser;
};
using ReadCell = std::function<std::optional<double>(const CellPlace& cell)>;

/// The cells of a file (rows, columns of the schema) that are known; none of columns that it has not.
/// `accept_missing` as CellParser's.
KnownCells read_known_cells(const TextTable& table, const Schema& schema, bool accept_missing,
                            const ReadCell& read);

/// Throws an input error for a cell that its column cannot hold, saying what it can.
[[noreturn]] void refuse_cell(const TextTable& table, const CellPlace& cell);

}  // namespace fokker::cli
