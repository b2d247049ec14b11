#pragma once
#include <cstdio>
//
#include <jpeglib.h>

#include "fokker/core/tensor.h"

namespace fokker {

/// A (channels, height, width) uint8 image of 1, 3 or 4 (CMYK) channels as a JPEG of the best quality, with
/// EXIF data.
inline std::string jpeg_bytes(const Tensor& image, const std::string& exif = "") {
  const Tensor pixels = image.permute({1, 2, 0}).contiguous();
  jpeg_compress_struct state{};
  jpeg_error_mgr errors{};
  state.err = jpeg_std_error(&errors);
  jpeg_create_compress(&state);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&state, &out, &size);
  state.image_height = static_cast<JDIMENSION>(pixels.size(0));
  state.image_width = static_cast<JDIMENSION>(pixels.size(1));
  state.input_components = static_cast<int>(pixels.size(2));
  state.in_color_space = pixels.size(2) == 1 ? JCS_GRAYSCALE : pixels.size(2) == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&state);
  jpeg_set_quality(&state, 100, TRUE);
  jpeg_start_compress(&state, TRUE);
  const std::string marker = std::string("Exif\0\0", 6) + exif;
  if (!exif.empty())
    jpeg_write_marker(&state, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(marker.data()),
                      static_cast<unsigned>(marker.size()));
  while (state.next_scanline < state.image_height) {
    JSAMPROW row = pixels.data_ptr<uint8_t>() + state.next_scanline * pixels.size(1) * pixels.size(2);
    jpeg_write_scanlines(&state, &row, 1);
  }
  jpeg_finish_compress(&state);
  std::string bytes(reinterpret_cast<char*>(out), size);
  jpeg_destroy_compress(&state);
  std::free(out);
  return bytes;
}

}  // namespace fokker
