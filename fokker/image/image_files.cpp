#include "fokker/image/image_files.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

/// What a folder holds, each in the order of the names; hidden entries aside.
struct FolderEntries {
  std::vector<fs::path> images, others, folders;
};

FolderEntries entries_of(const fs::path& folder) {
  std::error_code error;
  FolderEntries entries;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const fs::path& path = entry.path();
    if (is_hidden(path)) continue;
    if (fs::is_directory(path))
      entries.folders.push_back(path);
    else if (has_image_extension(path) && fs::is_regular_file(path))
      entries.images.push_back(path);
    else
      entries.others.push_back(path);
  }
  check_input(!error, "{}: cannot be read: {}", folder.string(), error.message());
  for (auto* paths : {&entries.images, &entries.others, &entries.folders})
    std::sort(paths->begin(), paths->end());
  return entries;
}

}  // namespace

ImageFiles find_images(const fs::path& folder, ImageNotes& notes) {
  check_input(fs::exists(folder), "{}: no such folder", folder.string());
  check_input(fs::is_directory(folder), "{}: expected a folder of images but it is a file", folder.string());
  FolderEntries top = entries_of(folder);
  ImageFiles found{.files = std::move(top.images)};
  notes.skip_files(top.others);
  for (const fs::path& sub : top.folders) {
    const FolderEntries inside = entries_of(sub);
    if (inside.images.empty()) {
      notes.skip_folder(sub, "without images of its own");
      continue;
    }
    if (found.files.size() != found.labels.size())
      fail(ErrorKind::input,
           "{}: expected images in the folder itself or in sub-folders but found both ({} and {})",
           folder.string(), found.files.front().filename().string(), sub.filename().string());
    notes.skip_files(inside.others);
    for (const fs::path& deeper : inside.folders) notes.skip_folder(deeper, "two levels down");
    found.files.insert(found.files.end(), inside.images.begin(), inside.images.end());
    found.labels.resize(found.files.size(), static_cast<int64_t>(found.label_names.size()));
    found.label_names.push_back(sub.filename().string());
    check_utf8(found.label_names.back(), folder.string() + ": the folder of a label");
  }
  check_input(!found.files.empty(), "{}: no images (.png, .jpg, .webp, .gif, .tif or .bmp) in this folder{}",
              folder.string(), notes.skipped());
  return found;
}

Tensor load_folder_image(const fs::path& file, const ImageFolderOptions& options, ImageNotes& notes) {
  ImageFacts facts;
  Tensor image = load_image(file, &facts);
  notes.add(facts);
  if (options.channels % 2 == 1 && !is_opaque(image)) {
    image = over_white(image);
    notes.add_over_white();
  }
  if (options.channels > 0) image = convert_channels(image, options.channels);
  if (options.size.width > 0) image = resize_images(image, options.size.height, options.size.width);
  return image;
}

void check_same_shape(const Tensor& image, const fs::path& file, IntArrayRef first,
                      const fs::path& first_file) {
  check_input(image.size(1) == first[1] && image.size(2) == first[2],
              "{}: {} x {} pixels, but {} has {} x {}; give a size, WIDTHxHEIGHT, to which all are cropped "
              "and resized",
              file.string(), image.size(2), image.size(1), first_file.string(), first[2], first[1]);
  check_input(
      image.size(0) == first[0],
      "{}: {} channels, but {} has {}; give the channels, 1 (grey) or 3 (colour), to which all are converted",
      file.string(), image.size(0), first_file.string(), first[0]);
}

void check_folder_options(const char* what, const ImageFolderOptions& options) {
  check(options.channels >= 0 && options.channels <= 4 && options.size.width >= 0 &&
            options.size.width <= largest_image_side && options.size.height <= largest_image_side &&
            (options.size.width > 0) == (options.size.height > 0),
        "{}: expected 0 to 4 channels and a size of 1 x 1 to {} x {} but received {} and {} x {}", what,
        largest_image_side, largest_image_side, options.channels, options.size.width, options.size.height);
}

}  // namespace fokker
