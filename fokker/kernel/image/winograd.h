#pragma once
#include <cstdint>

namespace fokker::kernel {

// Winograd's convolution F(4 x 4, 3 x 3): 4 x 4 results from a 6 x 6 part of the image in 36 products instead
// of 144 (Winograd 1980; Lavin and Gray 2016), y = A^T [(G g G^T) (B^T d B)] A. The points are 0,
// +-sqrt(1/2),
// +-sqrt(2) and infinity: in float32 the result's error is about 1.2e-6 of its size (root mean square), twice
// a direct sum's, where the usual 0, +-1, +-2 lose 2.3e-6. All functions run along channels, which are
// adjacent in memory, on one thread.

constexpr int64_t winograd_tile = 4;       // results on a side
constexpr int64_t winograd_patch = 6;      // inputs on a side
constexpr int64_t winograd_products = 36;  // of each tile and pair of channels

/// From one of the 36 parts of `numbers` to the next: odd multiples of a cache line, so that they do not fall
/// on the same lines of a cache.
constexpr int64_t winograd_stride(int64_t numbers) {
  return ((numbers + 15) / 16 | 1) * 16;
}

/// Numbers in rows of `row` apart, pixels `pixel` apart, channels adjacent.
struct PixelStrides {
  int64_t row = 0, pixel = 0;
};

/// v[p * stride + c] = (B^T d B)_p of the 6 x 6 pixels at `d`, for each of `channels`.
void winograd_input(const float* d, PixelStrides strides, int64_t channels, float* v, int64_t stride);

/// v[p * stride + c] = (A d A^T)_p of the 4 x 4 pixels at `d`: what `winograd_output` does, transposed. The
/// channels are laid out as rows of a packed matrix (gemm.h): c is at (c / 16) * panel + c % 16.
void winograd_output_gradient(const float* d, PixelStrides strides, int64_t channels, float* v,
                              int64_t stride, int64_t panel);

/// Where a tile's results go.
struct WinogradOutput {
  float* y = nullptr;
  PixelStrides y_strides = {};
  int64_t rows = winograd_tile, columns = winograd_tile;  ///< of the tile that are inside the image
  const float* start = nullptr;                           ///< (channels): added to every pixel
  const float* residual = nullptr;  ///< added to the pixels one by one, or null; must not overlap y
  PixelStrides residual_strides = {};
};

/// Y = A^T m A with m[p * stride + c].
void winograd_output(const float* m, int64_t stride, int64_t channels, const WinogradOutput& output);

/// The filters g (outputs, inputs, 3, 3) as 36 packed factors (inputs, outputs), G g G^T, one after the
/// other, winograd_stride(packed_size(inputs, outputs)) apart: writes one panel of 16 outputs in each.
/// `transposed`: of the convolution that takes a result's gradient to the input's, (outputs, inputs) with the
/// filters turned by half a turn, 16 inputs.
void winograd_filters(const float* g, int64_t outputs, int64_t inputs, bool transposed, int64_t panel,
                      float* panels);

/// dg (outputs, inputs, 3, 3) = G^T u G from 36 matrices u (inputs, outputs),
/// winograd_stride(inputs * outputs) apart, for 16 outputs from 16 * panel on.
void winograd_filter_gradient(const float* u, int64_t outputs, int64_t inputs, int64_t panel, float* dg);

}  // namespace fokker::kernel
