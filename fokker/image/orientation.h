#pragma once
#include <string_view>

#include "fokker/core/tensor.h"

namespace fokker {

/// The orientation 1 to 8 in EXIF data (with or without its leading "Exif\0\0"); 1 where it has none.
int exif_orientation(std::string_view exif);

/// A (channels, height, width) image as it is to be seen, where its first row and column are stored as that
/// orientation says (EXIF 2.3, tag 0x0112). Orientations 5 to 8 swap height and width.
Tensor upright(const Tensor& image, int orientation);

}  // namespace fokker
