#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/data/bytes.h"

namespace fokker {

/// Records of delimited text, one at a time, from a buffer that moves along the file.
class RecordReader {
 public:
  explicit RecordReader(ByteReader& source) : source_(source) {}

  /// The next record that is neither blank nor a comment, without its line end; valid until the next call. A
  /// line end inside quotes belongs to the record.
  std::optional<std::string_view> next();
  /// Number of the line where that record starts, from 1.
  int64_t line() const { return line_; }

 private:
  std::optional<std::string_view> next_raw();
  bool refill();
  ByteReader& source_;
  std::string buffer_;
  size_t begin_ = 0;  ///< of the unread part of the buffer
  size_t end_ = 0;
  bool ended_ = false;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
};

/// How the cells of a record are told apart: a character, or runs of blanks.
struct Separator {
  char character = ',';
  bool blanks = false;
};
Separator detect_separator(std::string_view record);

/// Walks over the cells of one record.
class CellReader {
 public:
  CellReader(std::string_view record, Separator separator);
  /// The next cell, unquoted and trimmed; valid until the next call. Nothing after the last.
  std::optional<std::string_view> next();

 private:
  std::string_view quoted();
  std::string_view text_;
  Separator separator_;
  size_t at_ = 0;
  bool ended_ = false;
  std::string scratch_;
};

/// All the cells of a record.
std::vector<std::string> split_cells(std::string_view record, Separator separator);

enum class NumberError { none, empty, text, not_finite, too_large };

/// Parses a whole cell as a finite decimal number.
NumberError parse_number(std::string_view cell, double& value);

/// A cell as it may stand in a message: one line, not too long.
std::string shown(std::string_view cell);

}  // namespace fokker
