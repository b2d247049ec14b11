#pragma once
#include "fokker/kernel/image/convolution.h"

namespace fokker::kernel {

// The convolutions of convolution.h with factors rounded to bfloat16 and sums in float32: the direct sum over
// nine pixels, as one product that reads the image in place. Where a processor multiplies bfloat16
// (bf16_unit()) it is faster than Winograd's form in float32, whose transforms would lose bfloat16's digits.
// Results depend neither on the number of threads nor on the other images.

/// Numbers of 16 bits that rounded filters take.
int64_t rounded_filters_size(int64_t inputs, int64_t outputs);

/// As transform_filters.
void round_filters(const float* g, int64_t outputs, int64_t inputs, bool transposed, uint16_t* filters);

/// As convolve; starts, residuals and the affine form of the input stay float32.
void convolve_rounded(const ConvolutionShape& shape, const ConvolutionInput& input, const uint16_t* filters,
                      const ConvolutionOutput& output);

/// As convolution_filter_gradient: x and dy are rounded.
void rounded_filter_gradient(const ConvolutionShape& shape, const ConvolutionInput& input, const float* dy,
                             int64_t dy_pixel_stride, float* dg);

}  // namespace fokker::kernel
