#include "cli/matching.h"

#include "cli/option/data_options.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/spec.h"
#include "fokker/data/csv/csv_text.h"
#include "fokker/data/labels.h"
#include "fokker/table/cells.h"

namespace fokker::cli {
namespace {

/// The columns of a table of an array, once it is read.
Dataset choose_columns(Dataset data, const ColumnMatch& match) {
  if (match.columns == data.columns) return data;
  std::vector<int64_t> places;
  for (const std::string& name : match.columns)
    places.push_back(std::find(data.columns.begin(), data.columns.end(), name) - data.columns.begin());
  if (data.stored)
    data.stored = columns_of_rows(data.stored, places);
  else
    data.values = data.values.index_select(1, at::tensor(places, at::kLong));
  return data;
}

void check_block(const Dataset& data, const std::vector<CellWriter>& writers, const Tensor& block,
                 int64_t first) {
  const Tensor cells = block.to(at::kDouble).contiguous();
  const double* cell = cells.data_ptr<double>();
  std::string text;
  for (int64_t row = 0; row < cells.size(0); ++row)
    for (const CellWriter& writer : writers) {
      text.clear();
      try {
        writer.append(text, *cell++);
      } catch (const Error& error) {
        fail(ErrorKind::input, "{}: row {} (from 0): {}", data.source, first + row, error.what());
      }
    }
}

/// Input error for a cell of an array that its column cannot hold.
void check_cells(const Dataset& data) {
  const std::vector<CellWriter> writers(data.schema->columns.begin(), data.schema->columns.end());
  for_row_blocks(*data.source_of_rows(), rows_per_block(std::ssize(data.columns)),
                 [&](const Tensor& block, int64_t first) { check_block(data, writers, block, first); });
}

/// Columns chosen by hand: by their names, or in the order given.
ColumnMatch chosen_by_hand(const std::string& file, const WantedColumns& wanted, const LoadOptions& options) {
  const auto given = [&](const std::string& name) {
    return std::find(options.columns.begin(), options.columns.end(), name) != options.columns.end();
  };
  if (std::all_of(wanted.names.begin(), wanted.names.end(), given)) return {.columns = wanted.names};
  check(options.columns.size() == wanted.names.size(),
        "columns: expected {} columns of {}, to stand for {} of {}, but received {}", wanted.names.size(),
        file, join(wanted.names), wanted.owner, join(options.columns));
  return {.columns = options.columns,
          .notes = {fmt::format("{} are taken in this order for {} of {}", join(options.columns),
                                join(wanted.names), wanted.owner)}};
}

void say(const std::string& file, const ColumnMatch& match) {
  for (const std::string& note : match.notes) message(fmt::format("{}: {}", file, note));
}

std::pair<Dataset, Dataset> load_in_order(const std::string& first, const std::string& second,
                                          const LoadOptions& options) {
  Dataset a = read_data_file(first, options);
  if (a.is_images()) return {std::move(a), read_data_file(second, options)};
  Dataset b = load_columns(second, {.owner = first, .names = a.columns}, options);
  return {std::move(a), std::move(b)};
}

}  // namespace

WantedColumns columns_of(const ModelData& model) {
  const Json& options = model.training.data_options;
  const bool chosen = options.is_object() && options.contains("columns") && !options["columns"].empty();
  return {.owner = "the model",
          .names = all_columns(model.columns, model.condition.columns,
                               model.schema ? std::vector<int64_t>() : model.condition.places),
          .label = model.label_column,
          .chosen = chosen,
          .schema = model.schema};
}

Dataset load_columns(const std::string& file, const WantedColumns& wanted, LoadOptions options,
                     LabelUse use) {
  const auto found = table_columns(file, options);
  options.typed = wanted.schema != nullptr;
  options.schema = wanted.schema;
  if (wanted.names.empty()) return read_data_file(file, options);  // of images
  if (!found) {
    Dataset data = read_data_file(file, options);
    if (data.is_images()) return data;
    const ColumnMatch match = match_columns(file, {data.columns, data.columns_named}, wanted);
    say(file, match);
    data = choose_columns(std::move(data), match);
    data.columns = wanted.names;
    data.schema = wanted.schema;
    if (data.schema) check_cells(data);
    return data;
  }
  const ColumnMatch match =
      options.columns.empty() ? match_columns(file, *found, wanted) : chosen_by_hand(file, wanted, options);
  say(file, match);
  options.columns = match.columns;
  if (use == LabelUse::used && options.label_column.empty() && options.labels_path.empty())
    options.label_column = match.label;
  else if (use == LabelUse::left_out && !match.label.empty())
    message(fmt::format("{}: the labels in column '{}' take no part", file, shown(match.label)));
  Dataset data = read_data_file(file, options);
  data.columns = wanted.names;
  return data;
}

std::pair<Dataset, Dataset> load_pair(const std::string& first, const std::string& second,
                                      const LoadOptions& options) {
  const auto a = table_columns(first, options), b = table_columns(second, options);
  const bool swapped = a && (!b || b->names.size() < a->names.size());
  if (!swapped) return load_in_order(first, second, options);
  auto [y, x] = load_in_order(second, first, options);
  return {std::move(x), std::move(y)};
}

void place_labels(Dataset& data, const std::vector<std::string>& known, LabelUse use) {
  const bool classes = !known.empty();
  if (classes && data.labels.defined() && use == LabelUse::used) {
    data.labels = labels_among(data, known);
    data.label_names = known;
    return;
  }
  if (classes && data.labels.defined())
    message(fmt::format("{}: its labels take no part", data.source));
  else if (classes && use == LabelUse::used)
    message(fmt::format("{}: it has no labels: without regard to class", data.source));
  data.labels = Tensor();
  data.label_names.clear();
}

Tensor label_rows(const Tensor& labels, int64_t first, int64_t count, const at::TensorOptions& type) {
  return labels.defined() ? labels.narrow(0, first, count).to(type.device()) : Tensor();
}

}  // namespace fokker::cli
