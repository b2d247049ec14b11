#include "fokker/train/plain_table.h"

#include "fokker/core/check.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

/// Whether the recipe asks for what a table with a schema has of its own, or cannot be: all is constant.
bool asks_for_plain_numbers(const Dataset& data, const Recipe& recipe) {
  const auto* objective = std::get_if<std::string>(&recipe.objective);
  const bool usual = !recipe.energy && !recipe.prediction && !recipe.network && recipe.weighting == "auto" &&
                     objective && *objective == "denoising" &&
                     recipe.normalisation == NormalisationKind::standardise;
  const auto& columns = data.schema->columns;
  return !usual || std::all_of(columns.begin(), columns.end(), [](const Column& c) {
    return c.has_levels() && c.levels.size() + c.missing.size() < 2;
  });
}

}  // namespace

std::optional<Dataset> as_plain_numbers(const Dataset& table) {
  if (!table.schema) return table;
  if (table.values.isnan().any().item<bool>()) return {};
  Dataset plain = table;
  plain.schema = nullptr;
  std::vector<Tensor> columns;
  for (int64_t j = 0; j < table.schema->size(); ++j) {
    const Column& column = table.schema->columns[static_cast<size_t>(j)];
    std::optional<Tensor> numbers = numbers_of_cells(column, table.values.select(1, j));
    if (!numbers) return {};
    columns.push_back(*std::move(numbers));
  }
  plain.values = at::stack(columns, 1);
  return plain;
}

Dataset typed_or_plain(const Dataset& data, const Recipe& recipe, std::vector<std::string>& notes) {
  if (!data.schema || recipe.warm_start || !asks_for_plain_numbers(data, recipe)) return data;
  std::optional<Dataset> plain = as_plain_numbers(data);
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
