#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"
#include "fokker/data/bytes.h"
#include "fokker/data/csv/csv_format.h"

namespace fokker {

/// Records of delimited text, one at a time, from a buffer that moves along the file. Lines end in \n, \r\n
/// or \r, in any mixture; a UTF-8 byte-order mark is skipped. Input error, naming the line: UTF-16, a NUL
/// byte, a quote that is not closed.
class RecordReader {
 public:
  explicit RecordReader(ByteReader& source) : source_(source) {}

  /// The next record that is neither blank nor a comment, without its line end; valid until the next call. A
  /// line end inside quotes belongs to the record.
  std::optional<std::string_view> next();
  /// Number of the line where that record starts, from 1.
  int64_t line() const { return line_; }

  /// Lines that were passed over between records.
  struct Skipped {
    int64_t blank = 0, comments = 0;
  };
  Skipped skipped() const { return skipped_; }

 private:
  std::optional<std::string_view> next_raw();
  void check_mark();
  bool refill();
  ByteReader& source_;
  std::string buffer_;
  size_t begin_ = 0;  ///< of the unread part of the buffer
  size_t end_ = 0;
  bool ended_ = false;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
  Skipped skipped_;
};

/// A cell as it is written, in quotes where it needs them.
std::string quoted_cell(const std::string& cell);

/// How the cells of a record are told apart: a character, or runs of blanks.
struct Separator {
  char character = ',';
  bool blanks = false;
};

/// Walks over the cells of one record.
class CellReader {
 public:
  CellReader(std::string_view record, Separator separator);
  /// The next cell, unquoted and trimmed; valid until the next call. Nothing after the last.
  std::optional<std::string_view> next();
  /// The same cell with the blanks around it, valid as long. Between runs of blanks there are none.
  std::string_view written() const { return written_; }

 private:
  std::string_view quoted();
  std::string_view text_, written_;
  Separator separator_;
  size_t at_ = 0;
  bool ended_ = false;
  std::string scratch_;
};

/// All the cells of a record.
std::vector<std::string> split_cells(std::string_view record, Separator separator);

}  // namespace fokker
