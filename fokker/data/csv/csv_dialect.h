#pragma once
#include <string>
#include <vector>

#include "fokker/data/csv/csv_format.h"
#include "fokker/data/csv/csv_text.h"

namespace fokker {

/// How a file of delimited text is written: what was given, and for the rest what its first records show.
struct CsvDialect {
  Separator separator;
  char decimal = '.';
  bool header = false;
  /// Every record ends in a separator with nothing after it: the last cell is no column.
  bool open_end = false;
  /// The first line names all columns but the first, whose cells are names of the rows, as R writes them.
  bool row_names = false;
  /// A guess that keeps every row, and what overrules it. Empty where there is none.
  std::string note = {};
  /// A guess that takes a line of numbers for names.
  std::string doubt = {};
};

/// Decides from the first records of a file, of which there is at least one. A separator is chosen by how
/// many records it divides into the same number of cells and how many of these are numbers; a header is a
/// line of text above numbers, or of whole numbers that count columns above what they are not like; commas
/// are decimal where a thousands separator cannot be.
CsvDialect decide_dialect(const std::vector<std::string>& records, const CsvFormat& given);

/// "comma", "tab", ...; empty where there is one column.
std::string separator_name(Separator separator);

}  // namespace fokker
