#include <set>

#include "fokker/core/error.h"
#include "fokker/core/text.h"
#include "fokker/data/bytes.h"
#include "fokker/data/image.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

bool is_image_file(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static const std::set<std::string> known = {".png", ".jpg", ".jpeg", ".webp"};
  return known.contains(extension) && !is_hidden(path) && fs::is_regular_file(path);
}

std::vector<fs::path> sorted_entries(const fs::path& folder, bool (*wanted)(const fs::path&)) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (wanted(entry.path())) entries.push_back(entry.path());
  check_input(!error, "{}: cannot be read: {}", folder.string(), error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

struct ImageFiles {
  std::vector<fs::path> files;
  std::vector<int64_t> labels = {};  ///< empty where the images have none
  std::vector<std::string> label_names = {};
};

ImageFiles find_images(const fs::path& folder) {
  check_input(fs::exists(folder), "{}: no such folder", folder.string());
  check_input(fs::is_directory(folder), "{}: expected a folder of images but it is a file", folder.string());
  ImageFiles found{.files = sorted_entries(folder, is_image_file)};
  const auto is_class = [](const fs::path& path) { return fs::is_directory(path) && !is_hidden(path); };
  for (const fs::path& sub : sorted_entries(folder, is_class)) {
    const auto files = sorted_entries(sub, is_image_file);
    if (files.empty()) continue;
    if (found.files.size() != found.labels.size())
      fail(ErrorKind::input,
           "{}: expected images in the folder itself or in sub-folders but found both ({} and {})",
           folder.string(), found.files.front().filename().string(), sub.filename().string());
    found.files.insert(found.files.end(), files.begin(), files.end());
    found.labels.resize(found.files.size(), static_cast<int64_t>(found.label_names.size()));
    found.label_names.push_back(sub.filename().string());
    check_utf8(found.label_names.back(), folder.string() + ": the folder of a label");
  }
  check_input(!found.files.empty(), "{}: no images (.png, .jpg, .jpeg or .webp) in this folder",
              folder.string());
  return found;
}

Tensor load_one(const fs::path& file, const ImageFolderOptions& options) {
  Tensor image = load_image(file);
  if (options.channels > 0) image = convert_channels(image, options.channels);
  if (options.size > 0) image = resize_images(image, options.size, options.size);
  return image;
}

void check_same(const Tensor& image, const fs::path& file, IntArrayRef first, const fs::path& first_file) {
  check_input(image.size(1) == first[1] && image.size(2) == first[2],
              "{}: {} x {} pixels, but {} has {} x {}: give a size to resize all to", file.string(),
              image.size(2), image.size(1), first_file.string(), first[2], first[1]);
  check_input(image.size(0) == first[0],
              "{}: {} channels, but {} has {}: give a number of channels to convert all to", file.string(),
              image.size(0), first_file.string(), first[0]);
}

}  // namespace

Dataset load_image_folder(const fs::path& path, const ImageFolderOptions& options) {
  check(options.channels >= 0 && options.channels <= 4 && options.size >= 0,
        "load_image_folder: expected 0 to 4 channels and a size of at least 0 but received {} and {}",
        options.channels, options.size);
  const ImageFiles found = find_images(path);
  Tensor values;
  for (size_t i = 0; i < found.files.size(); ++i) {
    const Tensor image = load_one(found.files[i], options);
    if (i == 0) {
      std::vector<int64_t> shape = {static_cast<int64_t>(found.files.size())};
      shape.insert(shape.end(), image.sizes().begin(), image.sizes().end());
      byte_count(path.string(), shape, 1);
      values = allocate(path.string(), shape, at::kByte);
    }
    check_same(image, found.files[i], values.sizes().slice(1), found.files[0]);
    values[static_cast<int64_t>(i)].copy_(image);
  }
  Tensor labels;
  if (!found.labels.empty()) labels = at::tensor(found.labels, at::kLong);
  return {.values = values, .labels = labels, .label_names = found.label_names, .source = path.string()};
}

}  // namespace fokker
