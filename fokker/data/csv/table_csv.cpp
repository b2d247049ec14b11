#include "fokker/data/csv/table_csv.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/columns.h"
#include "fokker/data/csv/csv_header.h"
#include "fokker/data/csv/csv_table.h"
#include "fokker/data/csv/known_table.h"
#include "fokker/table/cells.h"
#include "fokker/table/describe.h"

namespace fokker {
namespace {

/// Reads a file whose columns are not known.
class InferringReader {
 public:
  /// Of the first rows alone, at most so many.
  InferringReader(const std::filesystem::path& path, const TableOptions& options,
                  int64_t most_rows = std::numeric_limits<int64_t>::max())
      : path_(path), options_(options), most_rows_(most_rows) {}
  /// Whether there were no more rows than that.
  bool whole() const { return whole_; }
  /// Of what was read, where it is not nulled as plain.
  std::shared_ptr<const Schema> schema() const { return schema_; }

  TableFile read() {
    std::vector<bool> keep;
    for (;;) {
      CsvTable table(path_, options_.format);
      table.choose(options_.columns, options_.label_column);
      for (const auto& [name, wish] : options_.wishes) table.find(name);
      keep.resize(static_cast<size_t>(table.width()), false);
      read_cells(table, keep);
      const auto again = needed();
      if (again.empty()) return finish(table);
      for (const size_t place : again) keep[place] = true;
    }
  }

 private:
  /// Places of columns whose texts turned out to be needed.
  std::vector<size_t> needed() const {
    std::vector<size_t> places;
    for (size_t place = 0; place < builders_.size(); ++place)
      if (builders_[place].needs_texts()) places.push_back(place);
    return places;
  }

  const ColumnWish* wish_of(const std::string& name) const {
    const auto found = options_.wishes.find(name);
    return found != options_.wishes.end() ? &found->second : nullptr;
  }

  void read_cells(CsvTable& table, const std::vector<bool>& keep) {
    builders_.clear();
    lines_.clear();
    labels_ = {};
    for (size_t place = 0; place < keep.size(); ++place) {
      const std::string& name = table.column_names()[table.column_at(static_cast<int64_t>(place))];
      const ColumnWish* wish = wish_of(name);
      builders_.emplace_back(name, wish ? *wish : ColumnWish{.kept = !options_.columns.empty()},
                             table.decimal(), keep[place]);
    }
    const auto take = [&](int64_t place, std::string_view text) {
      builders_[static_cast<size_t>(place)].add(text);
    };
    while (std::ssize(lines_) < most_rows_ && table.take_row(take, labels_)) lines_.push_back(table.line());
    LabelTexts others;
    whole_ = std::ssize(lines_) < most_rows_ || !table.take_row([](int64_t, std::string_view) {}, others);
  }

  TableFile finish(const CsvTable& table) {
    const auto rows = std::ssize(lines_);
    Dataset data = table.described(rows, labels_);
    const auto start_of = [&](int64_t place) -> int64_t {
      const size_t column = table.column_at(place);
      const bool asked = wish_of(table.column_names()[column]) != nullptr;
      if (asked || !table.is_nameless(column)) return -1;
      return builders_[static_cast<size_t>(place)].counts_from();
    };
    const int64_t index = table.place_that_counts(start_of, rows, data);
    auto schema = std::make_shared<Schema>();
    std::vector<std::vector<double>> cells;
    for (size_t place = 0; place < builders_.size(); ++place) {
      if (static_cast<int64_t>(place) == index) continue;
      InferredColumn column = builders_[place].finish(table.name(), lines_);
      if (column.dropped.empty()) {
        schema->columns.push_back(std::move(column.column));
        cells.push_back(std::move(column.cells));
      } else {
        schema->dropped.push_back({column.column.name, column.dropped});
      }
    }
    data.values = joined(table.name(), cells, rows, *schema);
    describe_schema(data, std::move(schema));
    TableFile file{.data = std::move(data), .impossible = {}};
    file.impossible.assign(file.data.columns.size(), 0);
    return file;
  }

  /// (n, d) of columns, each of which is freed as soon as it is copied.
  static Tensor joined(const std::string& name, std::vector<std::vector<double>>& cells, int64_t rows,
                       const Schema& schema) {
    if (cells.empty())
      fail(ErrorKind::input,
           "{}: every column is left out: '{}' is {} (the type {}=integer, or another kind, keeps it{})",
           name, shown(schema.dropped[0].name), schema.dropped[0].why, shown(schema.dropped[0].name),
           schema.dropped.size() == 1 ? "; where this is several columns, give the separator" : "");
    const auto width = std::ssize(cells);
    Tensor values = allocate(name, {rows, width}, at::kDouble);
    for (int64_t j = 0; j < width; ++j) {
      double* out = values.data_ptr<double>() + j;
      for (const double cell : cells[static_cast<size_t>(j)]) {
        *out = cell;
        out += width;
      }
      cells[static_cast<size_t>(j)] = {};
    }
    return values;
  }

  void describe_schema(Dataset& data, std::shared_ptr<Schema> schema) {
    data.columns = schema->names();
    schema_ = schema;
    for (const DroppedColumn& column : schema->dropped)
      data.notes.push_back(fmt::format("column '{}' is left out: {}", shown(column.name), column.why));
    if (is_all_plain(*schema)) return;
    data.notes.push_back(schema_summary(*schema));
    data.schema = std::move(schema);
  }

  const std::filesystem::path& path_;
  const TableOptions& options_;
  int64_t most_rows_;
  bool whole_ = true;
  std::shared_ptr<const Schema> schema_;
  std::vector<ColumnBuilder> builders_;
  std::vector<int64_t> lines_;  ///< of the rows
  LabelTexts labels_;
};

/// Hands over the rows of a table that is in memory.
Dataset take_rows_of(Dataset data, const TakeCells& take) {
  const Tensor values = std::exchange(data.values, Tensor()).contiguous();
  std::vector<double> row(static_cast<size_t>(values.size(1)));
  const double* cell = values.data_ptr<double>();
  for (int64_t i = 0; i < values.size(0); ++i, cell += values.size(1)) {
    std::copy(cell, cell + values.size(1), row.begin());
    take(row);
  }
  return data;
}

}  // namespace

TableFile load_table(const std::filesystem::path& path, const TableOptions& options) try {
  if (!options.schema) return InferringReader(path, options).read();
  check(options.wishes.empty(), "load_table: expected a schema or kinds of single columns but received both");
  return KnownTable(path, options).read();
} catch (...) {
  detail::throw_as_error();
}

Dataset stream_table(const std::filesystem::path& path, const TableOptions& options, int64_t most_inferred,
                     const TakeCells& take) try {
  if (options.schema) return KnownTable(path, options).read_rows(take).data;
  InferringReader first(path, options, most_inferred);
  Dataset found = first.read().data;
  if (first.whole()) return take_rows_of(std::move(found), take);
  const int64_t rows = found.size();
  TableOptions known{
      .format = options.format, .label_column = options.label_column, .schema = first.schema()};
  try {
    Dataset data = KnownTable(path, known).read_rows(take).data;
    data.notes.push_back(fmt::format("what its columns hold is told by its first {} rows", rows));
    if (data.schema) data.notes.push_back(schema_summary(*data.schema));
    return data;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    fail(ErrorKind::input,
         "{}; the columns' kinds are those of the first {} rows: give the kind (type) or schema, or have all "
         "rows "
         "read into memory (stream no)",
         error.what(), rows);
  }
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
