#include "fokker/data/csv/known_table.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/data/columns.h"
#include "fokker/data/csv/csv_header.h"
#include "fokker/data/csv/csv_rows.h"

namespace fokker {
namespace {

bool holds_name(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_all_plain(Schema schema) {
  for (Column& column : schema.columns) {
    const double steps = (column.high - column.low) * std::pow(10.0, column.decimals);
    if (column.kind == ColumnKind::real && column.decimals >= 0 && steps > 1e5)
      column.decimals = column.digits = -1;
  }
  return schema.is_plain();
}

KnownTable::Columns KnownTable::columns_of(const TableOptions& options) {
  const Schema& schema = *options.schema;
  const auto names = schema.names();
  auto some = std::make_shared<Schema>();
  if (options.columns.empty() && holds_name(names, options.label_column)) {
    for (const Column& column : schema.columns)
      if (column.name != options.label_column) some->columns.push_back(column);
    return {some, some->names()};
  }
  if (options.columns.empty() || options.columns == names) return {options.schema, names};
  const bool by_name = std::all_of(options.columns.begin(), options.columns.end(),
                                   [&](const std::string& name) { return holds_name(names, name); });
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

KnownTable::KnownTable(const std::filesystem::path& path, const TableOptions& options)
    : options_(options), known_(columns_of(options)), table_(path, options.format) {
  check_there();
  table_.choose(known_.in_file, options.label_column);
  for (const Column& column : known_.schema->columns)
    parsers_.emplace_back(column, table_.decimal(), options.accept_missing);
}

TableFile KnownTable::read() {
  RowBlocks rows(table_.width());
  TableFile file =
      read_rows([&](const std::vector<double>& row) { std::copy(row.begin(), row.end(), rows.add_row()); });
  file.data.values = rows.take(table_.name());
  return file;
}

TableFile KnownTable::read_rows(const TakeCells& take_cells) {
  const auto width = static_cast<size_t>(table_.width());
  LabelTexts labels;
  std::vector<int64_t> impossible(width, 0);
  std::vector<double> row(width);
  int64_t bad = -1, rows = 0;
  std::string text;
  const auto take = [&](int64_t place, std::string_view cell) {
    const auto value = parse(place, cell);
    row[static_cast<size_t>(place)] = value.value_or(NAN);
    if (value) return;
    ++impossible[static_cast<size_t>(place)];
    if (bad < 0) bad = place, text = cell;
  };
  for (; table_.take_row(take, labels); ++rows) {
    if (bad >= 0 && !options_.count_impossible) fail_cell(bad, text);
    take_cells(row);
  }
  Dataset data = table_.described(rows, labels);
  data.columns = known_.schema->names();
  say_left_out(data);
  if (!is_all_plain(*known_.schema)) data.schema = known_.schema;
  return {std::move(data), std::move(impossible)};
}

std::optional<double> KnownTable::parse(int64_t place, std::string_view cell) const {
  const auto value = parsers_[static_cast<size_t>(place)].parse(cell);
  const Column& column = known_.schema->columns[static_cast<size_t>(place)];
  const bool beyond =
      options_.within_bounds && value && column.is_number() && (*value < column.low || *value > column.high);
  return beyond ? std::nullopt : value;
}

void KnownTable::check_there() const {
  std::vector<std::string> missing;
  for (const std::string& name : known_.in_file)
    if (!holds_name(table_.column_names(), name)) missing.push_back(name);
  check_input(missing.empty(), "{}: no column {}, which the schema has: its columns are {}", table_.name(),
              list_columns(missing), list_columns(table_.column_names()));
}

void KnownTable::say_left_out(Dataset& data) const {
  std::vector<std::string> others;
  for (const std::string& name : table_.column_names())
    if (!holds_name(known_.in_file, name) && name != options_.label_column) others.push_back(name);
  if (!others.empty())
    data.notes.push_back(fmt::format("left out, as the schema has not: {}", list_columns(others)));
}

void KnownTable::fail_cell(int64_t place, const std::string& text) const {
  const Column& column = known_.schema->columns[static_cast<size_t>(place)];
  std::string expected = "a number";
  if (column.kind == ColumnKind::integer) expected = "a whole number";
  if (column.kind == ColumnKind::datetime) expected = "a date as " + column.date_format;
  if (column.has_levels()) {
    std::vector<std::string> levels;
    for (const std::string& level : column.levels) levels.emplace_back(without_blanks(level));
    expected = "one of " + list_columns(levels);
  } else if (options_.within_bounds) {
    expected += fmt::format(" from {} to {}", cell_text(column, column.low), cell_text(column, column.high));
  }
  fail(ErrorKind::input, "{}: expected {} but {}{}", table_.place(table_.column_at(place)), expected,
       without_blanks(text).empty() ? "the cell is empty" : "found '" + shown(without_blanks(text)) + "'",
       column.is_number() ? what_it_may_be(without_blanks(text), table_.decimal()) : "");
}

}  // namespace fokker
