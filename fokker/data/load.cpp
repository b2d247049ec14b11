#include "fokker/data/load.h"

#include <fmt/ranges.h>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/array/cifar.h"
#include "fokker/data/array/idx.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/array_data.h"
#include "fokker/data/csv/csv.h"
#include "fokker/data/csv/table_csv.h"
#include "fokker/data/file_kind.h"
#include "fokker/data/images.h"
#include "fokker/data/stream.h"
#include "fokker/data/tensor_files.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

struct ArrayParts {
  Tensor values;
  Tensor labels;
};

/// Of named arrays the one wanted, or else "x", "X" or the only one, and labels beside it.
ArrayParts parts_of(std::map<std::string, Tensor> arrays, const fs::path& path, const std::string& wanted) {
  ArrayParts parts;
  for (auto each = arrays.begin(); each != arrays.end() && arrays.size() > 1;) {
    const bool labels = names_labels(each->first) && each->first != wanted;
    if (labels) parts.labels = each->second;
    each = labels ? arrays.erase(each) : std::next(each);
  }
  std::vector<std::string> names;
  names.reserve(arrays.size());
  for (const auto& [name, array] : arrays) names.push_back(name);
  auto found = arrays.find(wanted.empty() ? "x" : wanted);
  if (found == arrays.end() && wanted.empty()) found = arrays.size() == 1 ? arrays.begin() : arrays.find("X");
  constexpr size_t most_shown = 20;
  if (names.size() > most_shown) names[most_shown - 1] = fmt::format("... ({} in all)", names.size());
  names.resize(std::min(names.size(), most_shown));
  check_input(found != arrays.end() || wanted.empty(), "{}: no array '{}': expected one of {}", path.string(),
              wanted, fmt::join(names, ", "));
  check_input(found != arrays.end(), "{}: several arrays, none of which is 'x': choose one of {} (--array)",
              path.string(), fmt::join(names, ", "));
  parts.values = found->second;
  return parts;
}

/// In a file of torch.save the array wanted may be the way to a tensor, or to a data set.
ArrayParts parts_of_tensors(const fs::path& path, const std::string& wanted) {
  std::map<std::string, Tensor> tensors = tensor_file_reader()(path, wanted);
  const bool by_name = tensors.contains(wanted) || path.extension() == ".safetensors";
  return parts_of(std::move(tensors), path, by_name ? wanted : "");
}

Dataset from_parts(const ArrayParts& parts, const std::string& name) {
  Dataset dataset = data_of_array(parts.values, name, false);
  dataset.labels = parts.labels;
  return dataset;
}

Dataset read_delimited(const fs::path& path, const LoadOptions& options) {
  if (!options.typed)
    return load_csv(
        path, {.format = options.csv, .columns = options.columns, .label_column = options.label_column});
  return load_table(path, {.format = options.csv,
                           .columns = options.columns,
                           .label_column = options.label_column,
                           .schema = options.schema,
                           .wishes = options.wishes,
                           .within_bounds = options.within_bounds,
                           .accept_missing = options.accept_missing})
      .data;
}

Dataset read_by_kind(const fs::path& path, FileKind kind, const LoadOptions& options) {
  const std::string name = path.string();
  switch (kind) {
    case FileKind::csv:
      return read_delimited(path, options);
    case FileKind::npy:
      return data_of_array(load_npy(path), name, false);
    case FileKind::npz:
      return from_parts(parts_of(load_npz(path), path, options.array), name);
    case FileKind::tensors:
      return from_parts(parts_of_tensors(path, options.array), name);
    case FileKind::idx:
      return data_of_array(load_idx(path), name, true);
    case FileKind::cifar:
      return load_cifar(path);
    case FileKind::image:
    case FileKind::folder:
      return image_reader(path)(path, options.channels, options.image_size);
  }
  fail(ErrorKind::failed, "{}: unhandled kind of file", name);
}

LabelColumn load_labels(const fs::path& path, TextEncoding encoding, int64_t rows) {
  switch (kind_of(path)) {
    case FileKind::csv:
      return load_csv_labels(path, {.encoding = encoding}, rows);
    case FileKind::npy:
      return {load_npy(path), {}};
    case FileKind::idx:
      return {load_idx(path), {}};
    default:
      fail(ErrorKind::input, "{}: expected labels in an IDX, NPY or CSV file", path.string());
  }
}

/// One label per row, (n).
Tensor checked_labels(const Tensor& labels, int64_t rows, const std::string& name) {
  const Tensor flat = labels.dim() == 2 && labels.size(1) == 1 ? labels.squeeze(1) : labels;
  check_input(flat.dim() == 1, "{}: expected labels (n) but their shape is {}", name, shape_string(labels));
  check_input(flat.size(0) == rows, "{}: expected {} labels, one per row, but found {}", name, rows,
              flat.size(0));
  return flat;
}

/// Whether rows of an array of labels are vectors to condition on, no names of classes.
bool are_conditions(const Tensor& labels) {
  if (labels.dim() != 2 || !labels.is_floating_point() || labels.size(1) == 0) return false;
  return labels.size(1) > 1 || !labels.equal(labels.round());
}

void settle_conditions(Dataset& dataset, const std::string& name) {
  const Tensor rows = std::exchange(dataset.labels, Tensor());
  check_input(rows.size(0) == dataset.size(), "{}: expected {} conditions, one per row, but found {}", name,
              dataset.size(), rows.size(0));
  check_finite(*rows_of_tensor(rows), name);
  dataset.conditions = rows.to(at::kDouble);
  dataset.condition_columns.clear();
  for (int64_t j = 0; j < rows.size(1); ++j) dataset.condition_columns.push_back(fmt::format("c{}", j));
}

/// Labels from another file, or beside the values in their own, as places in the list of those that occur.
void settle_labels(Dataset& dataset, const fs::path& path, const LoadOptions& options) {
  std::string name = path.string();
  if (!options.labels_path.empty()) {
    name = options.labels_path.string();
    LabelColumn labels = load_labels(options.labels_path, options.csv.encoding, dataset.size());
    dataset.labels = std::move(labels.labels);
    dataset.label_names = std::move(labels.names);
  }
  if (!dataset.labels.defined()) return;
  if (are_conditions(dataset.labels)) return settle_conditions(dataset, name);
  dataset.labels = checked_labels(dataset.labels, dataset.size(), name);
  name_labels(dataset, name);
}

int64_t numbers_in(const std::vector<int64_t>& event_shape) {
  int64_t numbers = 1;
  for (const int64_t size : event_shape) numbers *= size;
  return numbers;
}

std::string shape_of(const Dataset& data) {
  std::vector<int64_t> shape = {data.size()};
  for (const int64_t size : data.event_shape()) shape.push_back(size);
  return shape_string(IntArrayRef(shape));
}

/// Images in the channels and the size that are wanted, with their mirror images after them.
Dataset as_asked(Dataset data, const LoadOptions& options) {
  if (data.stored) {
    data.stored = stored_as_asked(data.stored, options);
  } else {
    if (options.channels > 0) data.values = convert_channels(data.values, options.channels);
    if (options.image_size.width > 0)
      data.values = resize_images(data.values, options.image_size.height, options.image_size.width);
  }
  return options.mirrored ? with_mirrored(data) : data;
}

}  // namespace

std::optional<ColumnNames> table_columns(const fs::path& path, const LoadOptions& options) try {
  if (kind_of(path) != FileKind::csv) return {};
  return csv_column_names(path, options.csv);
} catch (...) {
  detail::throw_as_error();
}

Dataset with_mirrored(const Dataset& data) try {
  check(data.is_images(), "{}: flip is for images, but it holds a table", data.source);
  Dataset both = data;
  if (data.stored)
    both.stored = mirrored_rows(data.stored);
  else
    both.values = at::cat({data.values, data.values.flip({3})});
  if (data.labels.defined()) both.labels = at::cat({data.labels, data.labels});
  if (data.conditions.defined()) both.conditions = at::cat({data.conditions, data.conditions});
  both.notes.emplace_back("each image is followed by its mirror image");
  return both;
} catch (...) {
  detail::throw_as_error();
}

Dataset load_data(const fs::path& path, const LoadOptions& options) try {
  const FileKind kind = kind_of(path);
  check(kind == FileKind::csv || (options.columns.empty() && options.label_column.empty()),
        "{}: columns can be chosen by name in a CSV file only", path.string());
  check(kind == FileKind::csv || options.wishes.empty(),
        "{}: columns have kinds in a CSV file only: leave out the schema and the types", path.string());
  check(options.labels_path.empty() || options.label_column.empty(),
        "load_data: expected a label column or a file of labels but received both");
  std::string note;
  std::optional<Dataset> on_disk = stored_data(path, options, note);
  Dataset dataset = on_disk ? *std::move(on_disk) : read_by_kind(path, kind, options);
  if (!note.empty()) dataset.notes.push_back(note);
  check_input(dataset.size() * numbers_in(dataset.event_shape()) > 0,
              "{}: expected data but it is empty, of shape {}", path.string(), shape_of(dataset));
  // Of a schema's cells, NaN is one that is missing; what was decoded is finite.
  const bool unread = options.leave_unread && dataset.stored && !dataset.is_images();
  if (!dataset.schema && !options.schema && kind != FileKind::folder && !unread)
    check_finite(*dataset.source_of_rows(), path.string());
  settle_labels(dataset, path, options);
  if (dataset.is_images()) return as_asked(std::move(dataset), options);
  check(options.channels == 0 && options.image_size.width == 0 && !options.mirrored,
        "{}: channels, size and flip are for images, but it holds a table", path.string());
  return dataset;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
