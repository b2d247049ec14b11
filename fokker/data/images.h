#pragma once
#include <filesystem>
#include <functional>

#include "fokker/data/dataset.h"

namespace fokker {

// Images as tensors, and how load_data comes to images in files: their decoders are a library of their own,
// fokker::image.

/// Sizes beyond these are refused before any memory is taken.
constexpr int64_t largest_image_side = 16384;
constexpr int64_t most_image_pixels = int64_t{1} << 28;
constexpr int64_t most_image_channels = 4;

struct ImageSize {
  int64_t width = 0, height = 0;  ///< 0 and 0: as the images are
};

/// float [-1, 1] (values outside are clamped) to uint8: round((x + 1) * 127.5). uint8 stays. Argument
/// error where a value is NaN or the type is neither.
Tensor to_pixels(const Tensor& images);

/// Grey to RGB (repeated), RGB to grey (ITU-R BT.601 luma), alpha dropped or added (opaque): (..., c, h, w),
/// uint8 or floats in [-1, 1].
Tensor convert_channels(const Tensor& images, int64_t channels);

/// Whether every alpha of (..., c, h, w) is opaque; true where there is none.
bool is_opaque(const Tensor& images);
/// Images with alpha laid over white: (..., 1 or 3, h, w) of the same type; others as they are.
Tensor over_white(const Tensor& images);

/// The largest centred crop of the wanted aspect, then antialiased bilinear resampling (a triangle as wide as
/// the reduction, so every source pixel counts). uint8 or float, (c, h, w) or (n, c, h, w); the type is kept.
Tensor resize_images(const Tensor& images, int64_t height, int64_t width);

/// Whether a file's extension is one of an image that is read: .png .jpg .jpeg .webp .gif .tif .tiff .bmp.
bool has_image_extension(const std::filesystem::path& path);

/// Reads an image file, or a folder of images, as a dataset of images of `channels` (0: as they are) and
/// `size`.
using ImageReader =
    std::function<Dataset(const std::filesystem::path& path, int64_t channels, ImageSize size)>;
/// Has load_data read images by it from now on; returns the reader before, which is empty where there was
/// none. A program that links fokker::image has its reader from the start.
ImageReader set_image_reader(ImageReader reader);
/// The reader in use. Error of kind `failed`, naming the file, where there is none.
ImageReader image_reader(const std::filesystem::path& path);

/// How load_data comes to folders of images that stay on disk: what they would take in memory, in bytes, and
/// the data set with stored rows.
struct ImageFolderOpener {
  std::function<double(const std::filesystem::path& path, int64_t channels, ImageSize size)> bytes;
  std::function<Dataset(const std::filesystem::path& path, int64_t channels, ImageSize size)> open;
};
void set_image_folder_opener(ImageFolderOpener opener);
/// By the opener in use. Error of kind `failed`, naming the folder, where there is none.
double image_folder_bytes(const std::filesystem::path& path, int64_t channels, ImageSize size);
Dataset stored_image_folder(const std::filesystem::path& path, int64_t channels, ImageSize size);

}  // namespace fokker
