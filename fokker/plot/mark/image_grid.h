#pragma once
#include <filesystem>

#include "fokker/core/tensor.h"

namespace fokker::plot {

struct ImageGridOptions {
  int64_t columns = 0;     ///< 0: as square as possible
  int64_t padding = 2;     ///< pixels between images and around them, after scaling
  int64_t scale = 1;       ///< each pixel becomes scale x scale
  uint8_t background = 0;  ///< grey level of the padding and of empty places
};

/// Puts images (n, c, h, w) into one, uint8 (c, H, W), row by row from the top left. c is 1 (grey), 3
/// (colour), or 2 and 4, those with alpha last, where the padding is opaque; values are uint8, or floating
/// point in
/// [-1, 1], where -1 is black and values outside are clamped. Input error where the shape is another or a
/// value is not finite.
Tensor image_grid(const Tensor& images, const ImageGridOptions& options = {});

/// Writes the grid as a PNG, with its alpha, whole or not at all.
void save_image_grid(const std::filesystem::path& path, const Tensor& images,
                     const ImageGridOptions& options = {});

}  // namespace fokker::plot
