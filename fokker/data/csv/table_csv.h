#pragma once
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fokker/data/csv/csv_format.h"
#include "fokker/data/dataset.h"
#include "fokker/table/infer.h"

namespace fokker {

struct TableOptions {
  CsvFormat format = {};
  /// Columns to read, in this order; empty: all but the label column, or those of the schema.
  std::vector<std::string> columns = {};
  /// Column of class labels; empty: none.
  std::string label_column = {};
  /// What the columns hold, where it is known. Its columns are found by name in any order, others are left
  /// out. Where `columns` has other names than it, they stand for its columns in its order.
  std::shared_ptr<const Schema> schema = nullptr;
  /// Where there is no schema: what is known of single columns, by name.
  std::map<std::string, ColumnWish> wishes = {};
  /// Of a known schema: numbers and dates beyond those seen for it are refused.
  bool within_bounds = false;
  /// Of a known schema: an empty cell, or another of the usual marks, is missing in any column.
  bool accept_missing = false;
  /// Of a known schema: cells that it cannot hold become NaN and are counted, instead of being refused.
  bool count_impossible = false;
};

struct TableFile {
  /// `values` (n, d) float64 are the cells (schema.h); `schema` is null where all columns are plain numbers,
  /// or rounded so finely (a grid of more than 10^5 steps) that it does not matter.
  Dataset data;
  /// Of each column, how many cells the schema could not hold.
  std::vector<int64_t> impossible;
};

/// Reads a table of any kinds of columns from delimited text, as load_csv reads one of numbers; without a
/// schema it is inferred (ColumnBuilder). The dataset's notes say what the columns are and which are left
/// out.
///
/// Input error, naming file, line and column: as load_csv's and ColumnBuilder's; a cell that a known schema
/// does not hold; a column of it, or one that something is said of, that the file has not; no column left.
TableFile load_table(const std::filesystem::path& path, const TableOptions& options = {});

/// The cells of the next row, one for each column.
using TakeCells = std::function<void(const std::vector<double>& row)>;

/// Reads such a table a row at a time: hands over the cells of each and returns what load_table does, without
/// values. Where there is no schema it is that of the first `most_inferred` rows (a note says so where there
/// are more), and a later cell that it does not hold is an input error, naming the line.
Dataset stream_table(const std::filesystem::path& path, const TableOptions& options, int64_t most_inferred,
                     const TakeCells& take);

/// Writes a dataset as delimited text in its format, which is that of the file that it was read from, its
/// cells as its schema says, quoted where RFC 4180 asks for it; as save_csv where it has no schema. Atomic.
/// Argument error, naming row and column, for a cell that the schema cannot hold.
void save_table(const std::filesystem::path& path, const Dataset& data);
void save_table(std::ostream& out, const Dataset& data);

}  // namespace fokker
