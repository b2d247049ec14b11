#pragma once
#include <gtest/gtest.h>
#include <png.h>

#include <filesystem>
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker::plot {

/// Decodes a PNG with libpng, uint8 (3, height, width).
inline Tensor read_png(const std::filesystem::path& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_file(&image, path.c_str())) << image.message;
  image.format = PNG_FORMAT_RGB;
  Tensor pixels = at::empty({image.height, image.width, 3}, at::kByte);
  EXPECT_TRUE(png_image_finish_read(&image, nullptr, pixels.data_ptr<uint8_t>(), 0, nullptr))
      << image.message;
  return pixels.permute({2, 0, 1}).contiguous();
}

}  // namespace fokker::plot
