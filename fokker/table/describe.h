#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fokker/table/infer.h"

namespace fokker {

/// "15 columns: 5 integers, 9 categories (missing in 3), 1 dropped".
std::string schema_summary(const Schema& schema);

/// A line for each column, in three aligned fields: name, kind, and what was noticed.
std::vector<std::string> schema_lines(const Schema& schema);

/// As Schema::from_json. Input error, naming the file.
Schema load_schema(const std::filesystem::path& path);
/// Atomic.
void save_schema(const std::filesystem::path& path, const Schema& schema);

/// What a user's file says of a table.
struct GivenSchema {
  std::shared_ptr<const Schema> schema = nullptr;  ///< of all columns
  std::map<std::string, ColumnWish> wishes = {};   ///< or of some: {"columns": {"age": "integer", ...}}
};
/// A file of either form; {"columns": ...} may also be left out around the second. Input error, naming the
/// file.
GivenSchema load_given_schema(const std::filesystem::path& path);

}  // namespace fokker
