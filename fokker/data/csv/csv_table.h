#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/data/bytes.h"
#include "fokker/data/csv/csv.h"
#include "fokker/data/csv/csv_dialect.h"
#include "fokker/data/csv/csv_rows.h"

namespace fokker {

/// A table of delimited text while it is read: what its first records say of it, then its rows.
class CsvTable {
 public:
  CsvTable(const std::filesystem::path& path, const CsvFormat& format);

  const std::string& name() const { return source_->name(); }
  /// Of all columns; x0, x1, ... where the file has no header.
  const std::vector<std::string>& column_names() const { return names_; }
  bool has_header() const { return dialect_.header; }

  /// Choose what is read: all columns, or these by name, and one of labels. Input errors list the names.
  void choose(const std::vector<std::string>& columns, const std::string& label_column);
  Dataset read();
  /// Receives the cells of a row, in the order of their places.
  using TakeRow = std::function<void(const double* row)>;
  /// The same without values: hands over each row. The place that counts the rows, and is to be left out, is
  /// in `left_out`, else -1.
  Dataset read_rows(const TakeRow& take, int64_t& left_out);
  /// Of the columns chosen: places in the result are numbered as they are in it.
  int64_t width() const { return width_; }
  /// The column of the file whose cells have that place.
  size_t column_at(int64_t place) const;
  /// Column of that name. Input error that lists the names.
  int64_t find(const std::string& column) const;
  bool is_nameless(size_t column) const { return nameless_[column]; }
  char decimal() const { return dialect_.decimal; }
  /// Bytes of a row on average, of the first records.
  double bytes_per_row() const;
  /// All that is known of it; no separator where there is one column.
  CsvFormat format() const;

  /// Receives a cell's place and its text in UTF-8: unquoted, with the blanks around it.
  using TakeCell = std::function<void(int64_t place, std::string_view text)>;
  /// The next row, cell by cell; false after the last. Input errors as read's, but for what cells hold.
  bool take_row(const TakeCell& take, LabelTexts& labels);
  /// Line of the row just taken.
  int64_t line() const { return line_; }
  /// "FILE: line 3: column 'a'", of the row just taken.
  std::string place(size_t column) const;

  /// What is known of the file once its rows are read, but for the values.
  Dataset described(int64_t rows, const LabelTexts& labels) const;
  /// Says which columns count the rows and are data all the same; the place of an unnamed one that does and
  /// is to be left out, or -1. `start_of`: what the first row of a column holds, 0 or 1, where it counts;
  /// else -1.
  int64_t place_that_counts(const std::function<int64_t(int64_t place)>& start_of, int64_t rows,
                            Dataset& dataset) const;
  /// Of a file with nothing else; `rows` of them where that is known, which tells a header from a label.
  LabelColumn read_labels(int64_t rows);

 private:
  void read_sample();
  void name_columns();
  /// The records kept for deciding first, then the others.
  std::optional<std::string_view> next_record();
  void read_row(std::string_view record, double* row, LabelTexts& labels);
  void read_other(int64_t slot, std::string_view cell, size_t column, std::string_view record,
                  LabelTexts& labels) const;
  /// A cell of text as UTF-8. Input error, naming the byte, where it is not what the encoding says.
  std::string text_of(std::string_view cell, std::string_view record) const;
  void check_length(std::string_view record) const;
  [[noreturn]] void fail_text(std::string_view record, size_t at, const char* expected) const;
  [[noreturn]] void fail_cell(NumberError error, size_t column, std::string_view cell) const;
  /// How to do without a column that was not asked for by name.
  const char* way_around() const;
  void tell_dialect(Dataset& dataset, int64_t rows) const;
  std::unique_ptr<ByteReader> source_;
  RecordReader records_;
  CsvFormat format_;
  CsvDialect dialect_;
  std::vector<std::string> sample_;  ///< the first records
  std::vector<int64_t> sample_lines_;
  size_t at_ = 0;     ///< in the sample
  int64_t line_ = 0;  ///< where the current record starts

  std::vector<std::string> names_;  ///< of all columns of the file
  std::vector<bool> nameless_;      ///< whose name was made up
  std::vector<int64_t> slot_;       ///< of each cell of a record: its place in the result, or why it has none
  int64_t width_ = 0;               ///< columns of the result
  bool all_ = false;                ///< every column is read, as none was asked for
};

}  // namespace fokker
