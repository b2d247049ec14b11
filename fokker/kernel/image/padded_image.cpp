// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/image/padded_image.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
// clang-format on

#include "fokker/kernel/image/padded_image.h"

#include <algorithm>
#include <cstring>

#include "fokker/kernel/vector/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE void activated_vector(D d, const ImageView& image, const float* x, int64_t c, float* out) {
  const auto offset = hn::Sub(hn::LoadU(d, x + c), hn::LoadU(d, image.centre + c));
  const auto y = hn::MulAdd(hn::LoadU(d, image.scale + c), offset, hn::LoadU(d, image.shift + c));
  hn::StoreU(Silu::value(d, y), d, out + c);
}

/// The last vector begins earlier rather than ending later.
void activated_pixel(const ImageView& image, const float* x, float* out) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  if (image.channels < lanes) {
    for (int64_t c = 0; c < image.channels; ++c)
      activated_vector(hn::CappedTag<float, 1>(), image, x, c, out);
    return;
  }
  for (int64_t c = 0; c < image.channels; c += lanes)
    activated_vector(d, image, x, std::min(c, image.channels - lanes), out);
}

void place_rows(const ImageView& image, float* out, int64_t row_stride, int64_t pixel_stride) {
  const int64_t factor = image.upsampled ? 2 : 1;
  const size_t bytes = sizeof(float) * static_cast<size_t>(image.channels);
  const float* x = image.data;
  for (int64_t i = 0; i < image.height; ++i) {
    float* line = out + factor * i * row_stride;
    for (int64_t j = 0; j < image.width; ++j, x += image.pixel_stride) {
      float* to = line + factor * j * pixel_stride;
      if (image.scale)
        activated_pixel(image, x, to);
      else
        std::memcpy(to, x, bytes);
      if (!image.upsampled) continue;
      for (float* copy : {to + pixel_stride, to + row_stride, to + row_stride + pixel_stride})
        std::memcpy(copy, to, bytes);
    }
  }
}

void sum_pixels(const float* x, int64_t pixels, int64_t pixel_stride, int64_t channels,
                double* HWY_RESTRICT sums) {
  constexpr int64_t together = 64, most = 256;
  HWY_ALIGN float part[most];
  std::fill_n(sums, channels, 0.0);
  for (int64_t begin = 0; begin < channels; begin += most) {
    const int64_t count = std::min(most, channels - begin);
    for (int64_t first = 0; first < pixels; first += together) {
      std::fill_n(part, count, 0.0f);
      for (int64_t i = first; i < std::min(pixels, first + together); ++i) {
        const float* HWY_RESTRICT row = x + i * pixel_stride + begin;
        for (int64_t c = 0; c < count; ++c) part[c] += row[c];
      }
      for (int64_t c = 0; c < count; ++c) sums[begin + c] += part[c];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(place_rows);
HWY_EXPORT(sum_pixels);

void place_image(const ImageView& image, float* out, int64_t row_stride, int64_t pixel_stride) {
  HWY_DYNAMIC_DISPATCH(place_rows)(image, out, row_stride, pixel_stride);
}

void channel_sums(const float* x, int64_t pixels, int64_t pixel_stride, int64_t channels, double* sums) {
  HWY_DYNAMIC_DISPATCH(sum_pixels)(x, pixels, pixel_stride, channels, sums);
}

}  // namespace fokker::kernel
#endif
