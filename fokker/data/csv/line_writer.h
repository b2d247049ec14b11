#pragma once
#include <string>
#include <string_view>

#include "fokker/data/csv/csv_format.h"

namespace fokker {

/// Composes lines of delimited text, in UTF-8, from which a RecordReader and a CellReader take the same cells
/// byte for byte: a cell is quoted where RFC 4180 asks for it, and where its line would be taken for a
/// comment or for a blank one.
class LineWriter {
 public:
  /// A comma where the format has no separator.
  explicit LineWriter(const CsvFormat& format) : separator_(format.separator.value_or(',')) {}

  void add(std::string_view cell);
  /// The same of the name of a table's only column, quoted also where it could be taken for several: no
  /// separator tells that it is one.
  void add_lone_name(std::string_view name);
  void end_line();

  const std::string& text() const { return text_; }
  void clear() { text_.clear(), begin_ = 0, cells_ = 0; }

 private:
  void add(std::string_view cell, bool quoted);

  char separator_;
  std::string text_;
  size_t begin_ = 0, cells_ = 0;  ///< of the line that is not ended
};

/// UTF-8 text in the bytes of that encoding. Argument error where it has a character that the encoding has
/// not.
std::string encoded(std::string text, TextEncoding encoding);

}  // namespace fokker
