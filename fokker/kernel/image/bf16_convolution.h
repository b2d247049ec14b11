#pragma once
#include "fokker/kernel/image/convolution.h"
#include "fokker/kernel/matrix/factor.h"

namespace fokker::kernel {

// The convolutions of convolution.h with factors rounded to bfloat16 and sums in float32: the direct sum over
// nine pixels, as one product that reads the image in place. Where a processor multiplies bfloat16
// (bf16_unit()) it is faster than Winograd's form in float32, whose transforms would lose bfloat16's digits.
// Results depend neither on the number of threads nor on the other images.

/// Filters laid out for convolutions in one precision.
struct Filters {
  FactorPrecision precision = FactorPrecision::float32;
  const float* numbers = nullptr;  ///< rounded ones have 16 bits each
};

/// Numbers of 32 bits that they take.
int64_t filters_size(FactorPrecision precision, int64_t inputs, int64_t outputs);

/// The filters g (outputs, inputs, 3, 3), as transform_filters or round_filters.
Filters lay_out_filters(FactorPrecision precision, const float* g, int64_t outputs, int64_t inputs,
                        bool transposed, float* memory);

/// `convolve` or `convolve_rounded`.
void convolve(const ConvolutionShape& shape, const ConvolutionInput& input, const Filters& filters,
              const ConvolutionOutput& output);

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
