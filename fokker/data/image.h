#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "fokker/core/tensor.h"
#include "fokker/data/dataset.h"

namespace fokker {

/// Sizes beyond these are refused before any memory is taken.
constexpr int64_t largest_image_side = 16384;
constexpr int64_t most_image_pixels = int64_t{1} << 28;

/// Decoders of an image in memory: uint8 (channels, height, width), with 1 (grey), 2 (grey, alpha), 3 (RGB)
/// or 4 (RGBA) channels as the file has them; 16-bit PNG is rounded to 8 bits, palettes become RGB. Colour
/// profiles, gamma and EXIF orientation are ignored. Input error, starting with `name`, where it is damaged,
/// truncated, too large, an animation, or CMYK.
Tensor decode_png(std::string_view bytes, const std::string& name);
Tensor decode_jpeg(std::string_view bytes, const std::string& name);
Tensor decode_webp(std::string_view bytes, const std::string& name);

/// A PNG, JPEG or WebP file, told apart by its first bytes.
Tensor load_image(const std::filesystem::path& path);

/// float [-1, 1] (values outside are clamped) to uint8: round((x + 1) * 127.5). uint8 stays. Argument
/// error where a value is NaN or the type is neither.
Tensor to_pixels(const Tensor& images);

/// A (channels, height, width) image, uint8 or float in [-1, 1], 1 to 4 channels, as the bytes of a PNG file.
std::string encode_png(const Tensor& image);
/// Atomic; resource error where the disk is full.
void save_png(const std::filesystem::path& path, const Tensor& image);

/// Grey to RGB (repeated), RGB to grey (ITU-R BT.601 luma), alpha dropped or added (opaque): uint8 (..., c,
/// h, w).
Tensor convert_channels(const Tensor& images, int64_t channels);

/// The largest centred crop of the wanted aspect, then antialiased bilinear resampling (a triangle as wide as
/// the reduction, so every source pixel counts). uint8 or float, (c, h, w) or (n, c, h, w); the type is kept.
Tensor resize_images(const Tensor& images, int64_t height, int64_t width);

struct ImageFolderOptions {
  /// 0: all images must have the channels of the first.
  int64_t channels = 0;
  /// Side of the square that every image is cropped and resized to; 0: all must have the size of the first.
  int64_t size = 0;
};

/// All the PNG, JPEG and WebP files of a folder in the order of their paths, or, where it holds none itself,
/// of its sub-folders, whose names then become labels: (n, channels, height, width) uint8. Hidden and other
/// files are skipped. Input error, naming both files, where sizes or channels differ.
Dataset load_image_folder(const std::filesystem::path& path, const ImageFolderOptions& options = {});

}  // namespace fokker
