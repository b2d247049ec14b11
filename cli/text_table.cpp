#include "cli/text_table.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/data/csv/csv_table.h"
#include "fokker/table/condition.h"

namespace fokker::cli {
namespace {

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t most = 30;
  std::vector<std::string> some;
  for (size_t i = 0; i < std::min(names.size(), most); ++i) some.push_back(shown(names[i]));
  return join(some) + (names.size() > most ? fmt::format(", ... ({} in all)", names.size()) : "");
}

}  // namespace

TextTable::TextTable(const std::string& file, const CsvFormat& format) : file_(file) {
  CsvTable table(file, format);
  table.choose({}, "");
  columns_ = table.column_names();
  format_ = table.format();
  LabelTexts none;
  const auto take = [&](int64_t, std::string_view text) {
    text_ += text;
    ends_.push_back(text_.size());
  };
  while (table.take_row(take, none)) lines_.push_back(table.line());
  const Dataset described = table.described(rows(), none);
  for (const std::string& note : described.notes) message(fmt::format("{}: {}", file, note));
}

std::string_view TextTable::cell(int64_t row, int64_t column) const {
  const size_t at = static_cast<size_t>(row) * columns_.size() + static_cast<size_t>(column);
  const size_t begin = at == 0 ? 0 : ends_[at - 1];
  return std::string_view(text_).substr(begin, ends_[at] - begin);
}

std::string TextTable::place(int64_t row, int64_t column) const {
  return fmt::format("{}: line {}: column '{}'", file_, line(row),
                     shown(columns_[static_cast<size_t>(column)]));
}

std::vector<int64_t> TextTable::places_of(const Schema& schema) const {
  std::vector<int64_t> places;
  for (const Column& column : schema.columns) {
    const auto found = std::find(columns_.begin(), columns_.end(), column.name);
    places.push_back(found == columns_.end() ? -1 : found - columns_.begin());
  }
  check_input(std::any_of(places.begin(), places.end(), [](int64_t place) { return place >= 0; }),
              "{}: expected some of the model's columns {} but its columns are {}", file_,
              listed(schema.names()), listed(columns_));
  return places;
}

KnownCells read_known_cells(const TextTable& table, const Schema& schema, bool accept_missing,
                            const ReadCell& read) {
  const std::vector<int64_t> places = table.places_of(schema);
  KnownCells known{at::zeros({table.rows(), schema.size()}, at::TensorOptions(at::kDouble)),
                   at::zeros({table.rows(), schema.size()}, at::TensorOptions(at::kBool))};
  auto* cells = known.cells.data_ptr<double>();
  auto* is_known = known.known.data_ptr<bool>();
  for (int64_t j = 0; j < schema.size(); ++j) {
    const int64_t at = places[static_cast<size_t>(j)];
    if (at < 0) continue;
    const Column& column = schema.columns[static_cast<size_t>(j)];
    const CellParser parser(column, table.format().decimal.value_or('.'), accept_missing);
    for (int64_t row = 0; row < table.rows(); ++row) {
      const auto cell = read({row, at, column, parser});
      if (!cell) continue;
      cells[row * schema.size() + j] = *cell;
      is_known[row * schema.size() + j] = true;
    }
  }
  return known;
}

void refuse_cell(const TextTable& table, const CellPlace& cell) {
  const std::string place = table.place(cell.row, cell.at);
  const std::string_view text = table.cell(cell.row, cell.at);
  try {
    parse_condition(cell.column, 0, text, place);
  } catch (const Error& error) {
    fail(ErrorKind::input, "{}", error.what());
  }
  fail(ErrorKind::input, "{}: expected one cell but received '{}'", place, shown(text));
}

}  // namespace fokker::cli
