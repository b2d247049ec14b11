#pragma once
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "fokker/data/dataset.h"

namespace fokker {

struct CsvOptions {
  /// Columns to read, in this order; empty means all (but the label column).
  std::vector<std::string> columns = {};
  /// Column of class labels; empty means none.
  std::string label_column = {};
};

/// Reads a table of numbers from delimited text, plain or gzipped: (n, d) float64.
///
/// The first line decides the separator (tab, semicolon, comma, or else runs of blanks); it is a header where
/// any of its cells is not a number, and otherwise the columns are x0, x1, .... Cells may be quoted as in RFC
/// 4180. Blank lines, lines starting with # and a UTF-8 byte-order mark are skipped. Columns that are not
/// asked for are not looked at.
///
/// Labels that are whole numbers are kept; other text becomes the index of its place in sorted order, and
/// `label_names` holds the names.
///
/// Input error, naming file, line and column: a ragged row, text, an empty cell, NaN or infinity where a
/// number belongs, no rows, an unknown column (listing the known ones), a duplicate name.
Dataset load_csv(const std::filesystem::path& path, const CsvOptions& options = {});

/// Labels read from a file of one column.
struct LabelColumn {
  Tensor labels;  ///< (n) int64
  std::vector<std::string> names;
};
LabelColumn load_csv_labels(const std::filesystem::path& path);

/// Writes (n, d) or (n) values with a header, every number in the fewest digits that read back to the same
/// value. `columns` may be empty, for x0, x1, .... Atomic; resource error where the disk is full.
void save_csv(const std::filesystem::path& path, const Tensor& values,
              const std::vector<std::string>& columns = {});
void save_csv(std::ostream& out, const Tensor& values, const std::vector<std::string>& columns = {});

}  // namespace fokker
