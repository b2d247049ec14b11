#pragma once
#include <cstdint>

namespace fokker::kernel {

/// 3 x 3 patches of an image, `stride` apart, the first beginning `padding` rows and columns before it; what
/// lies outside is zero.
struct PatchShape {
  int64_t height = 0, width = 0, channels = 0;  ///< of the image
  int64_t rows = 0, columns = 0;                ///< of patches
  int64_t stride = 1, padding = 1;
};

/// Row i of out (rows * columns, 9 * channels) holds patch i, pixel by pixel, channels adjacent; the image's
/// pixels lie `pixel_stride` numbers apart.
void gather_patches(const PatchShape& shape, const float* image, int64_t pixel_stride, float* out);

/// The transposed map: adds patches (rows * columns, 9 * channels) to the pixels that they were gathered
/// from.
void scatter_patches(const PatchShape& shape, const float* patches, float* image, int64_t pixel_stride);

}  // namespace fokker::kernel
