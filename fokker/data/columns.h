#pragma once
#include <memory>
#include <string>
#include <vector>

#include "fokker/table/schema.h"

namespace fokker {

/// What the columns of a file are called, all of them in their order.
struct ColumnNames {
  std::vector<std::string> names;
  bool named = true;  ///< otherwise they are x0, x1, ... by their place
};

/// The columns that something else has, a model or another file, and wants to find in a file.
struct WantedColumns {
  std::string owner;  ///< for messages: "the model", or the other file
  std::vector<std::string> names;
  std::string label = {};  ///< column of labels beside them; empty where there is none
  bool chosen = false;     ///< named one by one by the user: a file without names may have others too
  std::shared_ptr<const Schema> schema = nullptr;  ///< what they hold; null where all are plain numbers
};

/// Which columns of a file stand for those.
struct ColumnMatch {
  std::vector<std::string> columns;     ///< of the file, in the order wanted
  std::string label = {};               ///< of the file; empty where it has none
  std::vector<std::string> notes = {};  ///< what was guessed, and what is left out
};

/// The names for a message, shortened where they are many; a name that holds a comma is quoted as in CSV.
std::string list_columns(const std::vector<std::string>& names);

/// Finds wanted columns by their names; others are left out, with a note. Names x0, x1, ... in this order are
/// none: where one side has only those, as many columns are matched by their place, with a note. Input
/// error, naming the file: a column that is not there, listing what is, with a hint where a name differs in
/// case or blanks only; columns without names of another number.
ColumnMatch match_columns(const std::string& file, const ColumnNames& found, const WantedColumns& wanted);

}  // namespace fokker
