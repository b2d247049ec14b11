#include "fokker/data/csv/csv.h"

#include "fokker/data/csv/csv_table.h"

namespace fokker {

Dataset load_csv(const std::filesystem::path& path, const CsvOptions& options) {
  CsvTable table(path, options.format);
  table.choose(options.columns, options.label_column);
  return table.read();
}

LabelColumn load_csv_labels(const std::filesystem::path& path, const CsvFormat& format, int64_t rows) {
  return CsvTable(path, format).read_labels(rows);
}

ColumnNames csv_column_names(const std::filesystem::path& path, const CsvFormat& format) {
  const CsvTable table(path, format);
  return {table.column_names(), table.has_header()};
}

}  // namespace fokker
