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
#include "fokker/kernel/vector/sums.h"
#include "fokker/kernel/vector/vector_loops-inl.h"

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

void activated_pixel(const ImageView& image, const float* x, float* out) {
  for_overlapping_vectors(image.channels,
                          [&](auto d, int64_t c) HWY_ATTR { activated_vector(d, image, x, c, out); });
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

void sum_squares_of_four(const float* doubled, int64_t height, int64_t width, int64_t channels, bool add,
                         float* out, int64_t pixel_stride) {
  const hn::ScalableTag<float> d;
  const int64_t line = 2 * width * channels;
  for (int64_t i = 0; i < height; ++i, doubled += line)
    for (int64_t j = 0; j < width; ++j, doubled += 2 * channels, out += pixel_stride)
      for_vectors(d, channels, [&](auto access, int64_t c) HWY_ATTR {
        const float* from = doubled + c;
        const auto upper = hn::Add(access.load(d, from), access.load(d, from + channels));
        const auto lower = hn::Add(access.load(d, from + line), access.load(d, from + line + channels));
        const auto sum = hn::Add(upper, lower);
        access.store(add ? hn::Add(sum, access.load(d, out + c)) : sum, d, out + c);
      });
}

void sum_pixels(const float* x, int64_t pixels, int64_t pixel_stride, int64_t channels, double* sums) {
  constexpr int64_t most = 256;
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN float part[most];
  std::fill_n(sums, channels, 0.0);
  for (int64_t begin = 0; begin < channels; begin += most) {
    const int64_t count = std::min(most, channels - begin);
    for (int64_t first = 0; first < pixels; first += terms_together) {
      const int64_t rows = std::min(terms_together, pixels - first);
      for_vector_groups<4>(d, count, [&](auto n, auto access, int64_t c) HWY_ATTR {
        hn::Vec<decltype(d)> sum[n];
        for (size_t v = 0; v < n; ++v) sum[v] = hn::Zero(d);
        const float* row = x + first * pixel_stride + begin + c;
        for (int64_t i = 0; i < rows; ++i, row += pixel_stride)
          for (size_t v = 0; v < n; ++v) sum[v] = hn::Add(sum[v], access.load(d, row + v * lanes));
        for (size_t v = 0; v < n; ++v) access.store(sum[v], d, part + c + v * lanes);
      });
      add_to_doubles(part, count, sums + begin);
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
HWY_EXPORT(sum_squares_of_four);

void place_image(const ImageView& image, float* out, int64_t row_stride, int64_t pixel_stride) {
  HWY_DYNAMIC_DISPATCH(place_rows)(image, out, row_stride, pixel_stride);
}

void sum_doubled(const float* doubled, int64_t height, int64_t width, int64_t channels, bool add, float* out,
                 int64_t pixel_stride) {
  HWY_DYNAMIC_DISPATCH(sum_squares_of_four)(doubled, height, width, channels, add, out, pixel_stride);
}

void channel_sums(const float* x, int64_t pixels, int64_t pixel_stride, int64_t channels, double* sums) {
  HWY_DYNAMIC_DISPATCH(sum_pixels)(x, pixels, pixel_stride, channels, sums);
}

}  // namespace fokker::kernel
#endif
