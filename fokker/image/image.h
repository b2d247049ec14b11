#pragma once
/// Image files: target fokker::image. A program that links it has load_data read images.

#include <filesystem>
#include <string>
#include <string_view>

#include "fokker/data/dataset.h"
#include "fokker/data/images.h"

namespace fokker {

/// What a file's own way of storing an image was, where reading it decides something for the user.
struct ImageFacts {
  bool turned = false;   ///< by its EXIF (or TIFF) orientation
  bool deep = false;     ///< more than 8 bits a channel: read as floats in [-1, 1]
  bool palette = false;  ///< its numbers were indices of colours, which are what was read
};

/// Decoders of a still image in memory: (channels, height, width), with 1 (grey), 2 (grey, alpha), 3 (RGB) or
/// 4 (RGBA) channels as the file has them, upright by its EXIF orientation. 8 bits and fewer a channel are
/// uint8; 16 bits are float32 in [-1, 1], level / 32767.5 - 1, and so are a TIFF's floats (16, 32 or 64 bits,
/// from 0 to 1), 2 v - 1. Palettes become colours. Colour profiles and gamma are ignored. `facts`, where
/// given, receives what was decided. Input error, starting with `name`, where the bytes are damaged,
/// truncated, too large, an animation, several pages, or CMYK in a JPEG.
Tensor decode_png(std::string_view bytes, const std::string& name, ImageFacts* facts = nullptr);
Tensor decode_jpeg(std::string_view bytes, const std::string& name, ImageFacts* facts = nullptr);
Tensor decode_webp(std::string_view bytes, const std::string& name, ImageFacts* facts = nullptr);
Tensor decode_gif(std::string_view bytes, const std::string& name, ImageFacts* facts = nullptr);
Tensor decode_tiff(std::string_view bytes, const std::string& name, ImageFacts* facts = nullptr);
/// Uncompressed bitmaps of 1, 4, 8, 24 or 32 bits (BITMAPINFOHEADER and its successors).
Tensor decode_bmp(std::string_view bytes, const std::string& name, ImageFacts* facts = nullptr);

/// A file of one of these kinds, told apart by its first bytes.
Tensor load_image(const std::filesystem::path& path, ImageFacts* facts = nullptr);

/// A (channels, height, width) image, uint8 or float in [-1, 1], 1 to 4 channels, as the bytes of a PNG file.
std::string encode_png(const Tensor& image);
/// Atomic; resource error where the disk is full.
void save_png(const std::filesystem::path& path, const Tensor& image);

struct ImageFolderOptions {
  /// 0: all images must have the channels of the first.
  int64_t channels = 0;
  /// What every image is cropped and resized to; by default all must have the size of the first.
  ImageSize size = {};
};

/// All the images of a folder in the order of their paths, or, where it holds none itself, of its
/// sub-folders, whose names then become labels: (n, channels, height, width), uint8, or float32 in [-1, 1]
/// where one of them has 16 bits. Alpha is left out where all are opaque, laid over white where `channels`
/// asks for 1 or 3, and kept otherwise. `notes` say what was decided and what was skipped (hidden files
/// aside). Input error, naming both files, where sizes or channels differ.
Dataset load_image_folder(const std::filesystem::path& path, const ImageFolderOptions& options = {});
/// One image file as a dataset of one row, by the same rules.
Dataset load_image_file(const std::filesystem::path& path, const ImageFolderOptions& options = {});

}  // namespace fokker
