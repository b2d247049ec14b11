#include "fokker/data/csv/table_csv.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/columns.h"
#include "fokker/data/csv/csv_header.h"
#include "fokker/data/csv/csv_table.h"
#include "fokker/table/cells.h"
#include "fokker/table/describe.h"

namespace fokker {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether all columns are plain numbers, or no rounding shows in them: on a grid of more than 10^5 steps.
bool is_all_plain(Schema schema) {
  for (Column& column : schema.columns) {
    const double steps = (column.high - column.low) * std::pow(10.0, column.decimals);
    if (column.kind == ColumnKind::real && column.decimals >= 0 && steps > 1e5)
      column.decimals = column.digits = -1;
  }
  return schema.is_plain();
}

/// Reads a file whose columns are not known.
class InferringReader {
 public:
  InferringReader(const std::filesystem::path& path, const TableOptions& options)
      : path_(path), options_(options) {}

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
    while (table.take_row(take, labels_)) lines_.push_back(table.line());
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

  void describe_schema(Dataset& data, std::shared_ptr<Schema> schema) const {
    data.columns = schema->names();
    for (const DroppedColumn& column : schema->dropped)
      data.notes.push_back(fmt::format("column '{}' is left out: {}", shown(column.name), column.why));
    if (is_all_plain(*schema)) return;
    data.notes.push_back(schema_summary(*schema));
    data.schema = std::move(schema);
  }

  const std::filesystem::path& path_;
  const TableOptions& options_;
  std::vector<ColumnBuilder> builders_;
  std::vector<int64_t> lines_;  ///< of the rows
  LabelTexts labels_;
};

/// The columns of the schema that are read, and what they are called in the file.
struct KnownColumns {
  std::shared_ptr<const Schema> schema;
  std::vector<std::string> in_file;
};

KnownColumns known_columns(const TableOptions& options) {
  const Schema& schema = *options.schema;
  const auto names = schema.names();
  auto some = std::make_shared<Schema>();
  if (options.columns.empty() && holds(names, options.label_column)) {
    for (const Column& column : schema.columns)
      if (column.name != options.label_column) some->columns.push_back(column);
    return {some, some->names()};
  }
  if (options.columns.empty() || options.columns == names) return {options.schema, names};
  const bool by_name = std::all_of(options.columns.begin(), options.columns.end(),
                                   [&](const std::string& name) { return holds(names, name); });
  if (!by_name) {
    check(options.columns.size() == names.size(),
          "columns: expected {} columns, to stand for {}, but received {}", names.size(), list_columns(names),
          list_columns(options.columns));
    return {options.schema, options.columns};
  }
  for (const std::string& name : options.columns)
    some->columns.push_back(schema.columns[static_cast<size_t>(schema.find(name))]);
  return {some, options.columns};
}

/// Reads a file by a schema.
class KnownReader {
 public:
  KnownReader(const std::filesystem::path& path, const TableOptions& options)
      : options_(options), known_(known_columns(options)), table_(path, options.format) {
    check_there();
    table_.choose(known_.in_file, options.label_column);
    for (const Column& column : known_.schema->columns)
      parsers_.emplace_back(column, table_.decimal(), options.accept_missing);
  }

  TableFile read() {
    const auto width = table_.width();
    RowBlocks rows(width);
    LabelTexts labels;
    std::vector<int64_t> impossible(static_cast<size_t>(width), 0);
    double* row = nullptr;
    int64_t bad = -1;
    std::string text;
    const auto take = [&](int64_t place, std::string_view cell) {
      const auto value = parse(place, cell);
      row[place] = value.value_or(NAN);
      if (value) return;
      ++impossible[static_cast<size_t>(place)];
      if (bad < 0) bad = place, text = cell;
    };
    std::vector<double> buffer(static_cast<size_t>(width));
    row = buffer.data();
    while (table_.take_row(take, labels)) {
      if (bad >= 0 && !options_.count_impossible) fail_cell(bad, text);
      std::copy(buffer.begin(), buffer.end(), rows.add_row());
    }
    Dataset data = table_.described(rows.rows(), labels);
    data.values = rows.take(table_.name());
    data.columns = known_.schema->names();
    say_left_out(data);
    if (!is_all_plain(*known_.schema)) data.schema = known_.schema;
    return {std::move(data), std::move(impossible)};
  }

 private:
  std::optional<double> parse(int64_t place, std::string_view cell) const {
    const auto value = parsers_[static_cast<size_t>(place)].parse(cell);
    const Column& column = known_.schema->columns[static_cast<size_t>(place)];
    const bool beyond = options_.within_bounds && value && column.is_number() &&
                        (*value < column.low || *value > column.high);
    return beyond ? std::nullopt : value;
  }

  void check_there() const {
    std::vector<std::string> missing;
    for (const std::string& name : known_.in_file)
      if (!holds(table_.column_names(), name)) missing.push_back(name);
    check_input(missing.empty(), "{}: no column {}, which the schema has: its columns are {}", table_.name(),
                list_columns(missing), list_columns(table_.column_names()));
  }

  void say_left_out(Dataset& data) const {
    std::vector<std::string> others;
    for (const std::string& name : table_.column_names())
      if (!holds(known_.in_file, name) && name != options_.label_column) others.push_back(name);
    if (!others.empty())
      data.notes.push_back(fmt::format("left out, as the schema has not: {}", list_columns(others)));
  }

  [[noreturn]] void fail_cell(int64_t place, const std::string& text) const {
    const Column& column = known_.schema->columns[static_cast<size_t>(place)];
    std::string expected = "a number";
    if (column.kind == ColumnKind::integer) expected = "a whole number";
    if (column.kind == ColumnKind::datetime) expected = "a date as " + column.date_format;
    if (column.has_levels()) {
      std::vector<std::string> levels;
      for (const std::string& level : column.levels) levels.emplace_back(without_blanks(level));
      expected = "one of " + list_columns(levels);
    } else if (options_.within_bounds) {
      expected +=
          fmt::format(" from {} to {}", cell_text(column, column.low), cell_text(column, column.high));
    }
    fail(ErrorKind::input, "{}: expected {} but {}{}", table_.place(table_.column_at(place)), expected,
         without_blanks(text).empty() ? "the cell is empty" : "found '" + shown(without_blanks(text)) + "'",
         column.is_number() ? what_it_may_be(without_blanks(text), table_.decimal()) : "");
  }

  const TableOptions& options_;
  KnownColumns known_;
  CsvTable table_;
  std::vector<CellParser> parsers_;
};

}  // namespace

TableFile load_table(const std::filesystem::path& path, const TableOptions& options) try {
  if (!options.schema) return InferringReader(path, options).read();
  check(options.wishes.empty(), "load_table: expected a schema or kinds of single columns but received both");
  return KnownReader(path, options).read();
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
