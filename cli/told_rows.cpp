#include "cli/told_rows.h"

#include "cli/given.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"
#include "fokker/data/columns.h"
#include "fokker/data/labels.h"

namespace fokker::cli {
namespace {

/// -1 where it has it not.
int64_t place_in(const TextTable& table, const std::string& column) {
  const auto& columns = table.columns();
  const auto found = std::find(columns.begin(), columns.end(), column);
  return found == columns.end() ? -1 : found - columns.begin();
}

void read_condition_column(const TextTable& table, int64_t at, Tensor column) {
  for (int64_t row = 0; row < table.rows(); ++row) {
    const std::string_view text = without_blanks(table.cell(row, at));
    double value = 0;
    check_input(
        parse_number(text, value, table.format().decimal.value_or('.')) == NumberError::none,
        "{}: expected a number, as the model is conditioned on it and conditions are not imputed, but "
        "received '{}'",
        table.place(row, at), shown(text));
    column[row] = value;
  }
}

}  // namespace

std::vector<std::string> told_labels(const TextTable& table, const Model& model) {
  if (model.label_names.empty()) return {};
  const int64_t at = model.label_column.empty() ? -1 : place_in(table, model.label_column);
  if (at < 0) {
    message(fmt::format("{}: it has no labels: without regard to class", table.file()));
    return {};
  }
  std::vector<std::string> labels;
  for (int64_t row = 0; row < table.rows(); ++row) {
    const std::string_view text = without_blanks(table.cell(row, at));
    check_input(find_label(model.label_names, std::string(text)).has_value(),
                "{}: expected a label of the training, {}, as classes are not imputed, but received '{}'",
                table.place(row, at), list_labels(model.label_names), shown(text));
    labels.emplace_back(text);
  }
  return labels;
}

Tensor told_conditions(const TextTable& table, const Model& model, const std::vector<std::string>& given) {
  const ConditionMap& condition = model.condition;
  check(
      given.empty() || condition.scale,
      "given: expected a model of plain numbers that was trained with --condition; of others the file holds "
      "all that is known");
  if (!condition.scale) return {};
  Tensor rows = at::zeros({table.rows(), condition.size()}, at::kDouble);
  std::vector<bool> known(condition.columns.size(), false);
  for (const std::string& text : given) {
    const auto [j, value] = given_number(text, condition);
    const std::string& name = condition.columns[j];
    check(!known[j], "given: column '{}' is given twice", shown(name));
    check(place_in(table, name) < 0, "given: {} has a column '{}' of its own", table.file(), shown(name));
    known[j] = true;
    rows.select(1, static_cast<int64_t>(j)).fill_(value);
  }
  std::vector<std::string> missing;
  for (size_t j = 0; j < known.size(); ++j) {
    const int64_t at = place_in(table, condition.columns[j]);
    if (at >= 0) read_condition_column(table, at, rows.select(1, static_cast<int64_t>(j)));
    if (at < 0 && !known[j]) missing.push_back(condition.columns[j]);
  }
  if (missing.size() == known.size()) {
    message(fmt::format("{}: it has none of the conditions {}: without regard to them", table.file(),
                        list_columns(condition.columns)));
    return {};
  }
  check_input(missing.empty(),
              "{}: expected all of the model's conditions, or none, but it has no column {}; "
              "--given COLUMN=NUMBER says one of all rows",
              table.file(), list_columns(missing));
  warn_of_far(condition, rows);
  return rows;
}

void check_conditions_known(const TextTable& table, const Model& model, const KnownCells& known) {
  if (!model.table || !model.condition.any()) return;
  const Tensor given = known.known.index_select(1, at::tensor(model.condition.places, at::kLong));
  const Tensor bad = (given.all(1) | known.known.all(1)).logical_not();
  if (!bad.any().item<bool>()) return;
  const int64_t row = bad.nonzero()[0].item<int64_t>();
  for (size_t j = 0; j < model.condition.columns.size(); ++j)
    if (!given[row][static_cast<int64_t>(j)].item<bool>())
      fail(ErrorKind::input,
           "{}: line {}: column '{}': expected a cell, as the model is conditioned on it and "
           "conditions are not imputed",
           table.file(), table.line(row), shown(model.condition.columns[j]));
}

}  // namespace fokker::cli
