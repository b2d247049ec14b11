#include "fokker/data/csv/csv.h"

#include "fokker/core/boundary.h"
#include "fokker/data/csv/csv_table.h"

namespace fokker {

Dataset load_csv(const std::filesystem::path& path, const CsvOptions& options) try {
  CsvTable table(path, options.format);
  table.choose(options.columns, options.label_column);
  return table.read();
} catch (...) {
  detail::throw_as_error();
}

LabelColumn load_csv_labels(const std::filesystem::path& path, const CsvFormat& format, int64_t rows) try {
  return CsvTable(path, format).read_labels(rows);
} catch (...) {
  detail::throw_as_error();
}

ColumnNames csv_column_names(const std::filesystem::path& path, const CsvFormat& format) try {
  const CsvTable table(path, format);
  return {table.column_names(), table.has_header()};
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
