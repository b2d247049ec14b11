#include "fokker/kernel/image/patches.h"

#include <algorithm>

namespace fokker::kernel {
namespace {

/// body(pixel) for each pixel of each patch, in the order of a patch's row; -1 for what lies outside.
template <typename Body>
void for_patch_pixels(const PatchShape& s, const Body& body) {
  for (int64_t i = 0; i < s.rows; ++i)
    for (int64_t j = 0; j < s.columns; ++j)
      for (int64_t u = 0; u < 3; ++u)
        for (int64_t v = 0; v < 3; ++v) {
          const int64_t row = i * s.stride - s.padding + u, column = j * s.stride - s.padding + v;
          const bool outside = row < 0 || row >= s.height || column < 0 || column >= s.width;
          body(outside ? -1 : row * s.width + column);
        }
}

}  // namespace

void gather_patches(const PatchShape& s, const float* image, int64_t pixel_stride, float* out) {
  for_patch_pixels(s, [&](int64_t pixel) {
    if (pixel < 0)
      std::fill_n(out, s.channels, 0.0f);
    else
      std::copy_n(image + pixel * pixel_stride, s.channels, out);
    out += s.channels;
  });
}

void scatter_patches(const PatchShape& s, const float* patches, float* image, int64_t pixel_stride) {
  for_patch_pixels(s, [&](int64_t pixel) {
    float* to = image + pixel * pixel_stride;
    for (int64_t c = 0; pixel >= 0 && c < s.channels; ++c) to[c] += patches[c];
    patches += s.channels;
  });
}

}  // namespace fokker::kernel
