#include "fokker/train/plain_table.h"

#include "fokker/core/text/numbers.h"

namespace fokker {
namespace {

/// What the levels of a column are as numbers; nothing where one is none.
std::optional<std::vector<double>> numbers_of(const std::vector<std::string>& levels) {
  std::vector<double> values;
  for (const std::string& level : levels) {
    double value = 0;
    if (parse_number(level, value) != NumberError::none) return {};
    values.push_back(value);
  }
  return values;
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
    const Tensor cells = table.values.select(1, j);
    if (column.is_number()) {
      columns.push_back(cells);
      continue;
    }
    const auto values = numbers_of(column.levels);
    if (!values) return {};
    columns.push_back(
        at::tensor(*values, at::TensorOptions(at::kDouble)).index_select(0, cells.to(at::kLong)));
  }
  plain.values = at::stack(columns, 1);
  return plain;
}

}  // namespace fokker
