#include "cli/given.h"

#include "cli/matching.h"
#include "cli/text_table.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/numbers.h"
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

/// The columns of a file that are conditions, all but those that --given has.
void read_file_conditions(const SampleOptions& o, const ConditionMap& condition,
                          const std::vector<bool>& given, Tensor& rows) {
  WantedColumns wanted{.owner = "the model's condition", .names = {}};
  std::vector<int64_t> places;
  for (size_t j = 0; j < given.size(); ++j)
    if (!given[j]) {
      wanted.names.push_back(condition.columns[j]);
      places.push_back(static_cast<int64_t>(j));
    }
  check(!places.empty(),
        "given: all of the conditions are given by --given: expected one of {} in --given-file",
        list_columns(condition.columns));
  const Tensor values =
      load_columns(o.given_file, wanted, o.reading.load_options(), LabelUse::left_out).values;
  rows = rows.expand({values.size(0), -1}).contiguous();
  rows.index_copy_(1, at::tensor(places, at::kLong), values.to(at::kDouble));
}

}  // namespace

std::pair<size_t, double> given_number(const std::string& text, const ConditionMap& condition) {
  for (size_t j = 0; j < condition.columns.size(); ++j) {
    const std::string& name = condition.columns[j];
    if (!text.starts_with(name + "=")) continue;
    const std::string typed = text.substr(name.size() + 1);
    double value = 0;
    check(parse_number(typed, value) == NumberError::none,
          "given: expected {}=NUMBER, as the model is conditioned on numbers, but received '{}'", shown(name),
          shown(text));
    return {j, value};
  }
  fail(ErrorKind::argument, "given: expected COLUMN=NUMBER of the conditions {} but received '{}'",
       list_columns(condition.columns), shown(text));
}

void warn_of_far(const ConditionMap& condition, const Tensor& rows) {
  if (const auto far = condition.beyond(rows))
    warn(fmt::format(
        "given: {} = {:.6g} lies far outside of the training's, from {:.6g} to {:.6g}{}: nothing was learned "
        "there",
        shown(far->column), far->value, far->low, far->high,
        far->rows > 1 ? fmt::format(" (and so do {} rows)", far->rows) : ""));
}

GivenConditions read_conditions(const SampleOptions& o, const Model& model) {
  const ConditionMap& condition = model.condition;
  std::vector<bool> given(condition.columns.size(), false);
  Tensor rows = at::zeros({1, condition.size()}, at::kDouble);
  for (const std::string& text : o.given) {
    const auto [j, value] = given_number(text, condition);
    check(!given[j], "given: column '{}' is given twice", shown(condition.columns[j]));
    given[j] = true;
    rows[0][static_cast<int64_t>(j)] = value;
  }
  if (!o.given_file.empty()) {
    read_file_conditions(o, condition, given, rows);
  } else {
    std::vector<std::string> missing;
    for (size_t j = 0; j < given.size(); ++j)
      if (!given[j]) missing.push_back(condition.columns[j]);
    check(missing.empty(), "given: expected all of the model's conditions, or none, but {} {} not given",
          list_columns(missing), missing.size() == 1 ? "is" : "are");
  }
  warn_of_far(condition, rows);
  return {rows, o.n};
}

bool is_given(const SampleOptions& o) {
  return !o.given.empty() || !o.given_file.empty();
}

GivenRows read_given(const SampleOptions& o, const Model& model) {
  check(model.table != nullptr,
        "given: {} was trained on {}; expected the model of a table with a schema (a CSV file with a column "
        "that "
        "is not a plain number, or that --type gives a kind), which learns every column given others, or one "
        "trained with --condition",
        o.run, model.is_image() ? "images" : "plain numbers");
  const Schema& schema = model.table->schema();
  GivenRows given{.copies = o.n, .conditions = parse_conditions(schema, o.given)};
  if (o.given_file.empty()) return given;
  given.known = read_given_file(o.given_file, o.reading.load_options(), schema);
  given.groups = given.known.cells.size(0);
  return given;
}

}  // namespace fokker::cli
