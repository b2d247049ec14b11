#pragma once
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "fokker/data/columns.h"
#include "fokker/data/csv/csv_format.h"
#include "fokker/data/dataset.h"
#include "fokker/data/labels.h"

namespace fokker {

struct CsvOptions {
  CsvFormat format = {};
  /// Columns to read, in this order; empty means all (but the label column).
  std::vector<std::string> columns = {};
  /// Column of class labels; empty means none.
  std::string label_column = {};
};

/// Reads a table of numbers from delimited text, plain or gzipped: (n, d) float64.
///
/// What `format` does not say is decided from the first hundred records (csv_dialect.h) and told in the
/// dataset's notes; a guess that could lose a row in its doubts. Without a header the columns are x0, x1,
/// ...; a column without a name that only counts the rows, as pandas writes its index, is left out unless it
/// is asked for. Cells may be quoted as in RFC 4180. Blank lines, lines starting with # and a UTF-8
/// byte-order mark are skipped, and a separator at the end of every line. Columns that are not asked for are
/// not looked at.
///
/// Labels become their places in `label_names`, as sorted_labels orders them (labels.h).
///
/// Input error, naming file, line and column: a ragged row, text, an empty cell, NaN or infinity where a
/// number belongs, no rows, an unknown column (listing the known ones), a duplicate name.
Dataset load_csv(const std::filesystem::path& path, const CsvOptions& options = {});

/// Labels read from a file of one column. Where the number of `rows` is known it decides whether the first
/// line is a header, else the text below it does.
LabelColumn load_csv_labels(const std::filesystem::path& path, const CsvFormat& format = {},
                            int64_t rows = -1);

/// What the columns of a file are called, told by its first records.
ColumnNames csv_column_names(const std::filesystem::path& path, const CsvFormat& format = {});

/// Writes (n, d) or (n) values, with a header unless `format` says none, every number in the fewest digits
/// that read back to the same value. `columns` may be empty, for x0, x1, .... Atomic; resource error where
/// the disk is full. Argument error where a name has a character that the format's encoding has not.
void save_csv(const std::filesystem::path& path, const Tensor& values,
              const std::vector<std::string>& columns = {}, const CsvFormat& format = {});
void save_csv(std::ostream& out, const Tensor& values, const std::vector<std::string>& columns = {},
              const CsvFormat& format = {});

}  // namespace fokker
