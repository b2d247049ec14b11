#include "fokker/train/plain_table.h"

#include "fokker/core/check.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

bool is_constant(const Schema& schema) {
  return std::all_of(schema.columns.begin(), schema.columns.end(), [](const Column& c) {
    return c.has_levels() && c.levels.size() + c.missing.size() < 2;
  });
}

/// Whether the recipe asks for what a table with a schema has of its own, or cannot be: all is constant.
bool asks_for_plain_numbers(const Dataset& data, const Recipe& recipe) {
  const auto* objective = std::get_if<std::string>(&recipe.objective);
  const bool usual = !recipe.energy && !recipe.prediction && !recipe.network && recipe.weighting == "auto" &&
                     objective && *objective == "denoising" &&
                     recipe.normalisation == NormalisationKind::standardise;
  return !usual || is_constant(*data.schema);
}

/// The numbers of cells (n, d); nothing where a column's levels are none.
std::optional<Tensor> numbers_of(const Schema& schema, const Tensor& cells) {
  std::vector<Tensor> columns;
  for (int64_t j = 0; j < schema.size(); ++j) {
    std::optional<Tensor> numbers =
        numbers_of_cells(schema.columns[static_cast<size_t>(j)], cells.select(1, j));
    if (!numbers) return {};
    columns.push_back(*std::move(numbers));
  }
  return at::stack(columns, 1);
}

}  // namespace

std::optional<Dataset> as_plain_numbers(const Dataset& table) {
  if (!table.schema) return table;
  const Rows cells = table.source_of_rows();
  bool missing = false;
  for_row_blocks(*cells, rows_per_block(table.schema->size()), [&](const Tensor& block, int64_t) {
    missing = missing || block.isnan().any().item<bool>();
  });
  if (missing || !numbers_of(*table.schema, cells->block(0, 0))) return {};
  Dataset plain = table;
  plain.schema = nullptr;
  if (table.stored)
    plain.stored =
        mapped_rows(cells, cells->event_shape(), at::kDouble,
                    [schema = table.schema](const Tensor& block) { return *numbers_of(*schema, block); });
  else
    plain.values = *numbers_of(*table.schema, table.values);
  return plain;
}

Dataset typed_or_plain(const Dataset& data, const Recipe& recipe, std::vector<std::string>& notes) {
  if (!data.schema || recipe.warm_start || !asks_for_plain_numbers(data, recipe)) return data;
  std::optional<Dataset> plain = as_plain_numbers(data);
  check_input(plain.has_value() || !is_constant(*data.schema),
              "{}: every column is constant, and some hold texts: there is nothing to learn", data.source);
  check(
      plain.has_value(),
      "{}: it has texts or missing cells, and such a table has a prediction, an objective, weights and a map "
      "of its own; leave these out, or choose other columns",
      data.source);
  notes.push_back(
      fmt::format("{}: its columns are taken as plain numbers: what was asked for is for such, or all "
                  "are constant",
                  data.source));
  return *std::move(plain);
}

}  // namespace fokker
