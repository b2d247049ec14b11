#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/data/load.h"
#include "fokker/distributed/ranks.h"

namespace fokker::cli {

/// Tables that `evaluate` compares, of the same columns.
struct TableSets {
  Dataset samples, reference;
  std::optional<Dataset> held_out = {};
  /// Of each column, how many cells of the samples, and of the held-out rows, the schema could not hold.
  std::vector<int64_t> unreadable = {}, unreadable_held_out = {};
};

/// No sets where a file is no CSV file or all columns are plain numbers.
struct TypedTables {
  std::optional<TableSets> sets = {};
  std::vector<std::string> plain_columns = {};  ///< that are compared where all are plain numbers
};

/// CSV files, where the reference's columns are not all plain numbers: it, or what `reading` knows of them
/// (choose_kinds), says what they hold, and the others are read as it says, their cells that it cannot hold
/// as missing ones. Where the samples have fewer columns, all of which the reference has, these are compared.
/// `held_out` may be empty.
TypedTables load_typed_tables(const std::string& samples, const std::string& reference,
                              const std::string& held_out, const LoadOptions& reading);

struct TableEvaluation {
  Json json;
  std::string text;
};
/// Typed tables: the measures of tables (table_comparison.h), and the two-sample tests of all columns, levels
/// as their places and missing cells below all others; distances and moments of the columns of numbers alone,
/// over rows that have them all. `target` may be empty.
TableEvaluation evaluate_typed_tables(const TableSets& sets, const std::string& target, uint64_t seed,
                                      const Ranks& ranks);
/// Plain numbers, any of which is possible: the measures of tables that two-sample tests do not have.
TableEvaluation evaluate_plain_tables(const TableSets& sets, const std::string& target, uint64_t seed,
                                      const Ranks& ranks);

}  // namespace fokker::cli
