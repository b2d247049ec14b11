#pragma once
#include <cstdint>

namespace fokker::kernel {

/// An image of float32 pixels, channels adjacent, and what it is read as: itself, or
/// silu(scale (x - centre) + shift) with one of each for each channel; with each pixel standing for 2 x 2
/// where it is upsampled.
struct ImageView {
  const float* data = nullptr;
  int64_t height = 0, width = 0, channels = 0;
  int64_t pixel_stride = 0;  ///< numbers from one pixel to the next; rows follow one another
  const float *scale = nullptr, *centre = nullptr, *shift = nullptr;  ///< all or none
  bool upsampled = false;
};

/// Writes what the image is read as to `out`, whose rows and pixels lie `row_stride` and `pixel_stride`
/// numbers apart.
void place_image(const ImageView& image, float* out, int64_t row_stride, int64_t pixel_stride);

/// The transposed map of an upsampled view: each pixel of out (height, width), `pixel_stride` numbers apart,
/// is the sum of 2 x 2 of `doubled` (2 height, 2 width, channels), plus what is there where `add`.
void sum_doubled(const float* doubled, int64_t height, int64_t width, int64_t channels, bool add, float* out,
                 int64_t pixel_stride);

/// sums[c] = the sum of channel c over `pixels`, `pixel_stride` numbers apart; beyond a few pixels in
/// float64.
void channel_sums(const float* x, int64_t pixels, int64_t pixel_stride, int64_t channels, double* sums);

}  // namespace fokker::kernel
