#include "fokker/train/known_rows.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/data/array_data.h"
#include "fokker/data/labels.h"
#include "fokker/denoise/regressed.h"

namespace fokker {
namespace {

constexpr int64_t fewest_fitted = 1 << 16, most_fitted_cells = 1 << 25;  // of rows that stay on disk

/// The rows with the conditions that are asked for, or that the model to go on from has.
Dataset conditioned(Dataset data, const Recipe& recipe) {
  const Model* model = recipe.warm_start.get();
  std::vector<std::string> names = recipe.condition;
  if (model) {
    check(names.empty() || names == model->condition.columns,
          "warm start: expected the conditions of the model, {}, but received {}",
          model->condition.any() ? join(model->condition.columns) : "none", join(names));
    if (!model->condition.places.empty()) names = model->condition.columns;
  }
  check(names.empty() || !data.conditions.defined() || names == data.condition_columns,
        "condition: expected {}, as the rows have, but received {}", join(data.condition_columns),
        join(names));
  if (!data.conditions.defined() && !data.schema && !names.empty()) {
    // Of rows that nobody may have read yet: an error names places among all columns.
    if (data.stored) check_finite(*data.stored, data.source);
    data = take_conditions(std::move(data), names);
  }
  check(
      !recipe.labels || !data.labels.defined() || !data.conditions.defined(),
      "condition: {} has labels too, and a row is conditioned on a class or on numbers: expected one of the "
      "two; a label column may be a condition itself",
      data.source.empty() ? "the data" : data.source);
  // Beside images they are the columns of an array without names.
  if (model && data.is_images() && data.conditions.defined() &&
      data.conditions.size(1) == model->condition.size())
    data.condition_columns = model->condition.columns;
  check(!model || data.condition_columns == model->condition.columns || model->table,
        "warm start: expected rows with conditions {} but received {}",
        model && model->condition.any() ? join(model->condition.columns) : "of no kind",
        data.condition_columns.empty() ? "none" : join(data.condition_columns));
  return data;
}

/// The columns of a table with a schema that are given in every row.
ConditionMap cells_given(const Dataset& training, const TableMap& table,
                         const std::vector<std::string>& names) {
  const Dataset taken = take_conditions(training, names);
  for (const int64_t j : taken.condition_places)
    check_input(table.schema().columns[static_cast<size_t>(j)].kind != ColumnKind::constant,
                "{}: condition '{}' is the same in all rows: nothing can be learned of it; leave it out",
                training.source, shown(table.schema().columns[static_cast<size_t>(j)].name));
  const auto given = table.with_sources(taken.condition_places);
  const auto& parts = table.layout().parts;
  check_input(std::any_of(parts.begin(), parts.end(),
                          [&](const TablePart& part) {
                            return std::find(given.begin(), given.end(), part.column) == given.end();
                          }),
              "{}: what is left of the columns follows from the conditions {}: nothing is to be learned",
              training.source, join(names));
  return {.columns = names, .places = taken.condition_places};
}

/// The rows with labels as the model will know them.
Dataset labelled(Dataset data, const Recipe& recipe) {
  if (!recipe.labels) {
    data.labels = Tensor();
    data.label_names.clear();
    data.label_column.clear();
  }
  if (!recipe.warm_start) {
    name_labels(data, data.source);
    return data;
  }
  const Model& model = *recipe.warm_start;
  check((data.schema != nullptr) == (model.table != nullptr) &&
            (!data.schema || data.schema->to_json() == model.schema()->to_json()),
        "warm start: expected rows read by the model's schema");
  check(data.event_shape() == model.row_shape() && (data.is_images() || data.columns == model.columns),
        "warm start: expected rows of shape {}{} but received shape {}{}", shape_string(model.row_shape()),
        model.columns.empty() ? "" : " with columns " + join(model.columns), shape_string(data.event_shape()),
        data.columns.empty() ? "" : " with columns " + join(data.columns));
  check(model.network->knows_no_label() || data.labels.defined() || data.conditions.defined(),
        "warm start: expected rows with labels, as the model's network knows none without, but {} has none",
        data.source.empty() ? "the data" : data.source);
  if (data.labels.defined() && !model.label_names.empty())
    data.labels = labels_among(data, model.label_names);
  if (model.label_names.empty()) data.labels = Tensor();
  data.label_names = model.label_names;
  data.label_column = model.label_column;
  return data;
}

/// What a linear regression says of rows wherever they are: sums over blocks of them.
Tensor regression_of(const Dataset& training, const Normalisation& normalisation, const Tensor& conditions) {
  constexpr int64_t most_rows = 65536;
  const int64_t rows_in_block = std::min(most_rows, 4 * rows_per_block(training.event_shape()[0]));
  Tensor square, product;
  for_row_blocks(*training.source_of_rows(), rows_in_block, [&](const Tensor& block, int64_t first) {
    const Tensor c = conditions.narrow(0, first, block.size(0)).t();
    const Tensor squares = at::matmul(c, c.t());
    const Tensor products = at::matmul(c, normalisation.apply(block, at::kDouble));
    square = square.defined() ? square + squares : squares;
    product = product.defined() ? product + products : products;
  });
  return regression_of_sums(square, product);
}

}  // namespace

Dataset known_rows(Dataset data, const Recipe& recipe) {
  return labelled(conditioned(std::move(data), recipe), recipe);
}

Tensor rows_to_fit(const Dataset& training, std::vector<std::string>& notes) {
  if (!training.stored) return training.values;
  const int64_t n = training.size();
  const int64_t most = std::max(fewest_fitted, most_fitted_cells / training.schema->size());
  if (n <= most) return training.loaded().values;
  notes.push_back(
      fmt::format("{}: the map of its columns is fitted to {} of the {} training rows, evenly chosen, as "
                  "they stay on disk",
                  training.source, most, n));
  return training.rows(at::floor_divide(at::arange(most, at::kLong) * n, at::scalar_tensor(most, at::kLong)));
}

ConditionMap choose_condition(const Dataset& training, const TableMap* table,
                              const Normalisation& normalisation, const Recipe& recipe) {
  if (recipe.warm_start) return recipe.warm_start->condition;
  if (table && !recipe.condition.empty()) return cells_given(training, *table, recipe.condition);
  if (!training.conditions.defined()) return {};
  ConditionMap condition = ConditionMap::fit(training);
  if (!training.is_images() && !recipe.energy)
    condition.regression = regression_of(
        training, normalisation, condition.to_model(training.conditions.to(at::kDouble), at::kDouble));
  return condition;
}

}  // namespace fokker
