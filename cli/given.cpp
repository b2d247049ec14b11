#include "cli/given.h"

#include "cli/text_table.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"

namespace fokker::cli {
namespace {

/// A cell as --given takes it; nothing where it is empty.
std::optional<double> read_cell(const TextTable& table, const CellPlace& cell) {
  const std::string_view text = table.cell(cell.row, cell.at);
  if (without_blanks(text).empty()) return {};
  const auto value = cell.parser.parse(text);
  if (!value) refuse_cell(table, cell);
  try {
    return parse_condition(cell.column, 0, cell_text(cell.column, *value), table.place(cell.row, cell.at))
        .values[0];
  } catch (const Error& error) {
    fail(ErrorKind::input, "{}", error.what());
  }
}

void say_others(const TextTable& table, const std::vector<int64_t>& places) {
  for (size_t j = 0; j < table.columns().size(); ++j)
    if (std::find(places.begin(), places.end(), static_cast<int64_t>(j)) == places.end())
      message(fmt::format("{}: column '{}' is none of the model's and takes no part", table.file(),
                          shown(table.columns()[j])));
}

/// The cells of a file, a row each; one that is empty is not known.
KnownCells read_given_file(const std::string& file, const LoadOptions& reading, const Schema& schema) {
  const TextTable table(file, reading.csv);
  say_others(table, table.places_of(schema));
  return read_known_cells(table, schema, false,
                          [&](const CellPlace& cell) { return read_cell(table, cell); });
}

}  // namespace

bool is_given(const SampleOptions& o) {
  return !o.given.empty() || !o.given_file.empty();
}

GivenRows read_given(const SampleOptions& o, const Model& model) {
  check(model.table != nullptr,
        "given: {} was trained on {}; expected the model of a table with a schema (a CSV file with a column "
        "that "
        "is not a plain number, or that --type gives a kind), which learns every column given others",
        o.run, model.is_image() ? "images" : "plain numbers");
  const Schema& schema = model.table->schema();
  GivenRows given{.copies = o.n, .conditions = parse_conditions(schema, o.given)};
  if (o.given_file.empty()) return given;
  given.known = read_given_file(o.given_file, o.reading.load_options(), schema);
  given.groups = given.known.cells.size(0);
  return given;
}

}  // namespace fokker::cli
