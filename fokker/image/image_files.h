#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "fokker/image/image.h"
#include "fokker/image/image_notes.h"

namespace fokker {

/// The images of a folder, in the order of their paths.
struct ImageFiles {
  std::vector<std::filesystem::path> files;
  std::vector<int64_t> labels = {};  ///< empty where the images have none
  std::vector<std::string> label_names = {};
};

/// Those of a folder itself or of its sub-folders; notes what is skipped. Input errors as
/// load_image_folder's.
ImageFiles find_images(const std::filesystem::path& folder, ImageNotes& notes);

/// One of them in the channels and the size that are wanted; notes what was decided.
Tensor load_folder_image(const std::filesystem::path& file, const ImageFolderOptions& options,
                         ImageNotes& notes);

/// Input error, naming both files, unless an image has the shape of the first.
void check_same_shape(const Tensor& image, const std::filesystem::path& file, IntArrayRef first,
                      const std::filesystem::path& first_file);

/// Argument error, beginning with `what`.
void check_folder_options(const char* what, const ImageFolderOptions& options);

}  // namespace fokker
