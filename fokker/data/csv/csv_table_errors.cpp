// What is wrong in a table of delimited text, and where.
#include "fokker/core/check.h"
#include "fokker/data/csv/csv_header.h"
#include "fokker/data/csv/csv_table.h"

namespace fokker {

std::string CsvTable::text_of(std::string_view cell, std::string_view record) const {
  if (format_.encoding == TextEncoding::utf8) {
    if (first_invalid_utf8(cell) == std::string_view::npos) return std::string(cell);
    fail_text(record, first_invalid_utf8(record), "UTF-8 (Latin-1? give the encoding)");
  }
  const auto control = std::find_if(cell.begin(), cell.end(), [](char c) {
    return static_cast<uint8_t>(c) >= 0x80 && static_cast<uint8_t>(c) < 0xa0;
  });
  // Windows-1252 has letters there.
  if (control != cell.end()) fail_text(record, record.find(*control), "Latin-1, which has no letter there,");
  return utf8_from_latin1(cell);
}

void CsvTable::fail_text(std::string_view record, size_t at, const char* expected) const {
  fail(ErrorKind::input, "{}: line {}: byte {}: expected text in {} but found 0x{:02X} in '{}'", name(),
       line_, at + 1, expected, static_cast<uint8_t>(record[at]),
       shown(record.substr(at < 16 ? 0 : at - 16)));
}

void CsvTable::check_length(std::string_view record) const {
  const auto cells = split_cells(record, dialect_.separator);
  const size_t expected = slot_.size();
  check_input(cells.size() == expected, "{}: line {}: expected {} columns but found {}{}", name(), line_,
              expected, cells.size(),
              cells.size() == expected + 1 && cells.back().empty() ? " (the line ends in a separator)" : "");
}

void CsvTable::fail_cell(NumberError error, size_t column, std::string_view cell) const {
  switch (error) {
    case NumberError::empty:
      fail(ErrorKind::input, "{}: expected a number but the cell is empty{}", place(column), way_around());
    case NumberError::not_finite:
      fail(ErrorKind::input, "{}: expected a finite number but found '{}'", place(column), shown(cell));
    case NumberError::too_large:
      fail(ErrorKind::input, "{}: '{}' is too large for a 64-bit number", place(column), shown(cell));
    default:
      fail(ErrorKind::input, "{}: expected a number but found '{}'{}{}", place(column), shown(cell),
           what_it_may_be(cell, dialect_.decimal), way_around());
  }
}

const char* CsvTable::way_around() const {
  return all_ && width_ > 1 ? " (to leave the column out, choose the others by name: columns)" : "";
}

std::string CsvTable::place(size_t column) const {
  return fmt::format("{}: line {}: column '{}'", name(), line_, shown(names_[column]));
}

}  // namespace fokker
