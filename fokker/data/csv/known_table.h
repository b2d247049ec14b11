#pragma once
#include "fokker/data/csv/csv_table.h"
#include "fokker/data/csv/table_csv.h"
#include "fokker/table/cells.h"

namespace fokker {

/// Whether all columns are plain numbers, or no rounding shows in them: on a grid of more than 10^5 steps.
bool is_all_plain(Schema schema);

/// Reads a table of delimited text by a schema that is known; `options` must outlive it.
class KnownTable {
 public:
  /// Input errors as load_table's.
  KnownTable(const std::filesystem::path& path, const TableOptions& options);
  TableFile read();
  /// Without values: hands over the cells of each row.
  TableFile read_rows(const TakeCells& take_cells);

 private:
  /// The columns of the schema that are read, and what they are called in the file.
  struct Columns {
    std::shared_ptr<const Schema> schema;
    std::vector<std::string> in_file;
  };
  static Columns columns_of(const TableOptions& options);
  std::optional<double> parse(int64_t place, std::string_view cell) const;
  void check_there() const;
  void say_left_out(Dataset& data) const;
  [[noreturn]] void fail_cell(int64_t place, const std::string& text) const;

  const TableOptions& options_;
  Columns known_;
  CsvTable table_;
  std::vector<CellParser> parsers_;
};

}  // namespace fokker
