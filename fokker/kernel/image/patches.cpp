#include "fokker/kernel/image/patches.h"

#include <algorithm>

namespace fokker::kernel {

void gather_patches(const PatchShape& s, const float* image, int64_t pixel_stride, float* out) {
  for (int64_t i = 0; i < s.rows; ++i)
    for (int64_t j = 0; j < s.columns; ++j)
      for (int64_t u = 0; u < 3; ++u)
        for (int64_t v = 0; v < 3; ++v, out += s.channels) {
          const int64_t row = i * s.stride - s.padding + u, column = j * s.stride - s.padding + v;
          if (row < 0 || row >= s.height || column < 0 || column >= s.width)
            std::fill_n(out, s.channels, 0.0f);
          else
            std::copy_n(image + (row * s.width + column) * pixel_stride, s.channels, out);
        }
}

}  // namespace fokker::kernel
