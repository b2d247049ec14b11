#pragma once
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
  /// Of a file with nothing else; `rows` of them where that is known, which tells a header from a label.
  LabelColumn read_labels(int64_t rows);

 private:
  void read_sample();
  void name_columns();
  int64_t find(const std::string& column) const;
  /// The records kept for deciding first, then the others.
  std::optional<std::string_view> next_record();
  void read_row(std::string_view record, double* row, LabelTexts& labels);
  /// A cell of text as UTF-8. Input error, naming the byte, where it is not what the encoding says.
  std::string text_of(std::string_view cell, std::string_view record) const;
  void check_length(std::string_view record) const;
  [[noreturn]] void fail_text(std::string_view record, size_t at, const char* expected) const;
  [[noreturn]] void fail_cell(NumberError error, size_t column, std::string_view cell) const;
  std::string place(size_t column) const;
  /// How to do without a column that was not asked for by name.
  const char* way_around() const;
  void tell_dialect(Dataset& dataset, int64_t rows) const;
  /// The column to leave out, an unnamed one that counts the rows, or -1. Nothing that was asked for by name.
  int64_t column_that_counts(const RowCounters& counters, int64_t rows, Dataset& dataset) const;

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
