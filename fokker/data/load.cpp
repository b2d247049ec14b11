#include "fokker/data/load.h"

#include <fmt/ranges.h>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/data/array/cifar.h"
#include "fokker/data/array/idx.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/csv/csv.h"
#include "fokker/data/csv/table_csv.h"
#include "fokker/data/images.h"
#include "fokker/data/tensor_files.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

enum class FileKind { csv, npy, npz, tensors, idx, cifar, image, folder };

FileKind kind_of(const fs::path& path) {
  std::error_code error;
  check_input(fs::exists(path, error), "{}: no such file", path.string());
  if (fs::is_directory(path)) return FileKind::folder;
  std::string name = path.filename().string();
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool gzip = name.ends_with(".gz");
  if (gzip) name.resize(name.size() - 3);
  const auto is = [&](std::initializer_list<std::string_view> ends) {
    return std::any_of(ends.begin(), ends.end(), [&](auto end) { return name.ends_with(end); });
  };
  if (is({".csv", ".tsv", ".txt"})) return FileKind::csv;
  if (is({".npy"})) return FileKind::npy;
  if (is({".idx", "-ubyte", ".ubyte"}) || gzip) return FileKind::idx;
  if (is({".npz"})) return FileKind::npz;
  if (is({".bin"})) return FileKind::cifar;
  if (has_tensor_extension(path)) return FileKind::tensors;
  if (has_image_extension(path)) return FileKind::image;
  check_input(
      !is({".parquet", ".feather", ".arrow"}),
      "{}: Parquet and Arrow files are not read, as Debian 12 has no library for them; write CSV or NPY "
      "instead (pandas: read_parquet(...).to_csv(..., index=False))",
      path.string());
  fail(ErrorKind::input,
       "{}: unknown kind of file: expected .npy, .npz, .csv, .tsv, .txt, .idx, -ubyte, .gz, .bin (CIFAR), "
       ".pt, "
       ".pth, .safetensors, .png, .jpg, .webp, .gif, .tif, .bmp or a folder of images",
       path.string());
}

struct ArrayParts {
  Tensor values;
  Tensor labels;
};

/// Of named arrays the one wanted, or else "x" or the only one, and labels beside it.
ArrayParts parts_of(std::map<std::string, Tensor> arrays, const fs::path& path, const std::string& wanted) {
  ArrayParts parts;
  for (const char* name : {"labels", "label", "y", "targets"}) {
    const auto found = arrays.find(name);
    if (found == arrays.end() || found->first == wanted || arrays.size() == 1) continue;
    parts.labels = found->second;
    arrays.erase(found);
  }
  std::vector<std::string> names;
  names.reserve(arrays.size());
  for (const auto& [name, array] : arrays) names.push_back(name);
  if (!wanted.empty()) {
    check_input(arrays.contains(wanted), "{}: no array '{}': expected one of {}", path.string(), wanted,
                fmt::join(names, ", "));
    parts.values = arrays[wanted];
  } else {
    const auto usual = arrays.size() == 1 ? arrays.begin() : arrays.find("x");
    check_input(usual != arrays.end(), "{}: several arrays, none of which is 'x': choose one of {}",
                path.string(), fmt::join(names, ", "));
    parts.values = usual->second;
  }
  return parts;
}

/// In a file of torch.save the array wanted may be the way to a tensor.
ArrayParts parts_of_tensors(const fs::path& path, const std::string& wanted) {
  std::map<std::string, Tensor> tensors = tensor_file_reader()(path, wanted);
  const bool chosen = tensors.size() == 1 && tensors.contains("");
  return parts_of(std::move(tensors), path, chosen ? "" : wanted);
}

/// Pixels are uint8 or float32; everything else about the array must already say "images".
Tensor as_images(const Tensor& array, const std::string& name) {
  const Tensor images = array.dim() == 3 ? array.unsqueeze(1) : array;
  const int64_t channels = images.size(1);
  check_input(channels >= 1 && channels <= 4,
              "{}: expected images (n, channels, height, width) of 1 to 4 channels but its shape is {}{}",
              name, shape_string(array), images.size(3) <= 4 ? " (channels last? transpose it)" : "");
  if (images.scalar_type() == at::kByte) return images;
  check_input(images.is_floating_point(),
              "{}: expected images of uint8, or floats in [-1, 1], but its type is {}", name,
              at::toString(images.scalar_type()));
  return images.to(at::kFloat);
}

Dataset from_array(const Tensor& array, const std::string& name, bool grey_floats) {
  Dataset dataset;
  dataset.source = name;
  if (array.dim() == 1 || array.dim() == 2) {
    dataset.values = (array.dim() == 1 ? array.unsqueeze(1) : array).to(at::kDouble);
    dataset.columns = default_column_names(dataset.values.size(1));
    return dataset;
  }
  // Three dimensions of floats are more likely a trajectory (times, n, d) than grey images.
  const bool grey = array.dim() == 3 && (array.scalar_type() == at::kByte || grey_floats);
  check_input(array.dim() == 4 || grey,
              "{}: expected a table (n, d) or images (n, channels, height, width) but its shape is {}", name,
              shape_string(array));
  dataset.values = as_images(array, name);
  return dataset;
}

Dataset from_parts(const ArrayParts& parts, const std::string& name) {
  Dataset dataset = from_array(parts.values, name, false);
  dataset.labels = parts.labels;
  return dataset;
}

void check_finite(const Tensor& values, const std::string& name) {
  if (!values.is_floating_point()) return;
  const Tensor rows = values.flatten(1);
  const int64_t chunk = std::max<int64_t>(1, (1 << 20) / std::max<int64_t>(1, rows.size(1)));
  double largest = 0;
  for (int64_t first = 0; first < rows.size(0); first += chunk) {
    const Tensor piece = rows.slice(0, first, std::min(first + chunk, rows.size(0)));
    const Tensor good = piece.isfinite();
    largest = std::max(largest, piece.abs().max().item<double>());
    if (good.all().item<bool>()) continue;
    const Tensor place = good.logical_not().nonzero()[0];
    const int64_t row = place[0].item<int64_t>(), column = place[1].item<int64_t>();
    fail(ErrorKind::input, "{}: row {} (from 0), element {}: expected a finite number but found {}", name,
         first + row, column, piece[row][column].item<double>());
  }
  if (values.dim() == 4 && largest > 8)
    warn(fmt::format("{}: images of floats are expected in [-1, 1], but these reach {}", name, largest));
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
      return from_array(load_npy(path), name, false);
    case FileKind::npz:
      return from_parts(parts_of(load_npz(path), path, options.array), name);
    case FileKind::tensors:
      return from_parts(parts_of_tensors(path, options.array), name);
    case FileKind::idx:
      return from_array(load_idx(path), name, true);
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
  check_finite(rows, name);
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

/// Images in the channels and the size that are wanted, with their mirror images after them.
Dataset as_asked(Dataset data, const LoadOptions& options) {
  if (options.channels > 0) data.values = convert_channels(data.values, options.channels);
  if (options.image_size.width > 0)
    data.values = resize_images(data.values, options.image_size.height, options.image_size.width);
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
  Dataset dataset = read_by_kind(path, kind, options);
  check_input(dataset.values.numel() > 0, "{}: expected data but it is empty, of shape {}", path.string(),
              shape_string(dataset.values));
  // Of a schema's cells, NaN is one that is missing.
  if (!dataset.schema && !options.schema) check_finite(dataset.values, path.string());
  settle_labels(dataset, path, options);
  if (dataset.is_images()) return as_asked(std::move(dataset), options);
  check(options.channels == 0 && options.image_size.width == 0 && !options.mirrored,
        "{}: channels, size and flip are for images, but it holds a table", path.string());
  return dataset;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
