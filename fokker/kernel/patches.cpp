#include "fokker/kernel/patches.h"

#include <algorithm>

namespace fokker {
namespace {

/// Runs body(number of the place in `out`, number of the pixel, or -1 outside).
template <typename Body>
void for_each_tap(const PatchShape& s, const Body& body) {
  int64_t place = 0;
  for (int64_t i = 0; i < s.rows; ++i)
    for (int64_t j = 0; j < s.columns; ++j)
      for (int64_t u = 0; u < 3; ++u)
        for (int64_t v = 0; v < 3; ++v, ++place) {
          const int64_t row = i * s.stride - s.padding + u, column = j * s.stride - s.padding + v;
          const bool inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
          body(place, inside ? row * s.width + column : -1);
        }
}

}  // namespace

void gather_patches(const PatchShape& s, const float* image, int64_t pixel, float* out) {
  for_each_tap(s, [&](int64_t place, int64_t from) {
    float* to = out + place * s.channels;
    if (from < 0)
      std::fill_n(to, s.channels, 0.0f);
    else
      std::copy_n(image + from * pixel, s.channels, to);
  });
}

void scatter_patches(const PatchShape& s, const float* patches, float* image) {
  for_each_tap(s, [&](int64_t place, int64_t to) {
    if (to < 0) return;
    const float* from = patches + place * s.channels;
    float* pixel = image + to * s.channels;
    for (int64_t c = 0; c < s.channels; ++c) pixel[c] += from[c];
  });
}

}  // namespace fokker
