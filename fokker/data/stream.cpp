#include "fokker/data/stream.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/runtime.h"
#include "fokker/data/array_data.h"
#include "fokker/data/bytes.h"
#include "fokker/data/csv/csv_cache.h"
#include "fokker/data/file_kind.h"
#include "fokker/data/rows/stored_rows.h"

namespace fokker {
namespace {

constexpr double share_of_memory = 0.5;

/// What reading rows into memory takes: the values, and those of training, which are copied.
double bytes_in_memory(const RowSource& rows) {
  auto numbers = static_cast<double>(rows.size());
  for (const int64_t size : rows.event_shape()) numbers *= static_cast<double>(size);
  return 2 * numbers * static_cast<double>(at::elementSize(rows.type()));
}

std::string bytes_text(double bytes) {
  return describe_bytes(static_cast<uint64_t>(std::min(bytes, 0x1p62)));
}

/// What a file's rows are, opened, and what they would take in memory; or why they cannot stay on disk.
struct OnDisk {
  std::function<Dataset()> open;
  double bytes = 0;
  std::string why_not;
};

OnDisk npy_on_disk(const std::filesystem::path& path) {
  OnDisk found;
  const Rows rows = open_npy_rows(path, found.why_not);
  if (!rows) return found;
  const Dataset data = data_of_rows(rows, path.string(), false);
  found.bytes = bytes_in_memory(*data.stored);
  found.open = [data] { return data; };
  return found;
}

OnDisk csv_on_disk(const std::filesystem::path& path, const LoadOptions& options) {
  OnDisk found;
  found.bytes = csv_bytes_in_memory(path, options);
  found.open = [path, options] { return load_cached_csv(path, options); };
  return found;
}

OnDisk folder_on_disk(const std::filesystem::path& path, const LoadOptions& options) {
  OnDisk found;
  found.bytes = image_folder_bytes(path, options.channels, options.image_size);
  found.open = [path, options] { return stored_image_folder(path, options.channels, options.image_size); };
  return found;
}

OnDisk on_disk(const std::filesystem::path& path, const LoadOptions& options) {
  std::error_code error;
  const FileKind kind = kind_of(path);
  // What can be read only once, a pipe, is left to its reader.
  if (kind != FileKind::folder && !std::filesystem::is_regular_file(path, error))
    return {.open = {}, .why_not = "it is no regular file"};
  switch (kind) {
    case FileKind::npy:
      return npy_on_disk(path);
    case FileKind::csv:
      return csv_on_disk(path, options);
    case FileKind::folder:
      return folder_on_disk(path, options);
    default:
      return {.open = {}, .why_not = "it is neither an NPY file nor a CSV file nor a folder of images"};
  }
}

}  // namespace

Streaming parse_streaming(std::string_view name) {
  if (name == "no") return Streaming::no;
  if (name == "yes") return Streaming::yes;
  check(name == "auto", "stream: expected auto, yes or no but received '{}'", name);
  return Streaming::automatic;
}

bool stays_on_disk(const std::filesystem::path& path, const LoadOptions& options) try {
  if (options.stream == Streaming::no) return false;
  const OnDisk found = on_disk(path, options);
  const auto available = static_cast<double>(available_memory());
  return found.open && (options.stream == Streaming::yes || found.bytes > share_of_memory * available);
} catch (...) {
  detail::throw_as_error();
}

std::optional<Dataset> stored_data(const std::filesystem::path& path, const LoadOptions& options,
                                   std::string& note) {
  if (options.stream == Streaming::no) return {};
  const OnDisk found = on_disk(path, options);
  const bool must = options.stream == Streaming::yes;
  check(found.open || !must, "stream: the rows of {} cannot stay on disk: {}; expected no or auto",
        path.string(), found.why_not);
  if (!found.open) return {};
  const auto available = static_cast<double>(available_memory());
  if (!must && found.bytes <= share_of_memory * available) return {};
  note = "its rows stay on disk and are read as they are needed";
  if (!must)
    note += fmt::format(": in memory they would take about {}, more than half of the {} available",
                        bytes_text(found.bytes), bytes_text(available));
  return found.open();
}

Rows stored_as_asked(Rows images, const LoadOptions& options) {
  if (options.channels > 0 && options.channels != images->event_shape()[0]) {
    const std::vector<int64_t> shape = {options.channels, images->event_shape()[1], images->event_shape()[2]};
    const at::ScalarType type = images->type();
    images = mapped_rows(std::move(images), shape, type, [channels = options.channels](const Tensor& block) {
      return convert_channels(block, channels);
    });
  }
  const ImageSize size = options.image_size;
  if (size.width == 0 || (images->event_shape()[1] == size.height && images->event_shape()[2] == size.width))
    return images;
  const at::ScalarType type = images->type();
  const std::vector<int64_t> shape = {images->event_shape()[0], size.height, size.width};
  return mapped_rows(std::move(images), shape, type,
                     [size](const Tensor& block) { return resize_images(block, size.height, size.width); });
}

}  // namespace fokker
