#pragma once
#include <cstdint>

namespace fokker::kernel {

// 3 x 3 convolutions of stride 1 with zeros around the image, float32, channels adjacent in memory, by
// Winograd's F(4 x 4, 3 x 3) (winograd.h), on libtorch's threads. Results do not depend on the number of
// threads, nor an image's on the others of its batch.

/// Of the result: images (height, width, outputs) from as many of (height, width, inputs).
struct ConvolutionShape {
  int64_t images = 0, height = 0, width = 0, inputs = 0, outputs = 0;
};

/// Pixels, rows and images follow one another, `pixel_stride` numbers from one pixel to the next.
struct ConvolutionInput {
  const float* x = nullptr;
  int64_t pixel_stride = 0;
  /// (images, inputs), or all null: the convolution is of silu(scale (x - centre) + shift).
  const float *scale = nullptr, *centre = nullptr, *shift = nullptr;
  bool upsampled = false;  ///< x has half the height and width, and each pixel stands for 2 x 2
};

struct ConvolutionOutput {
  float* y = nullptr;
  int64_t pixel_stride = 0;
  /// What is added to every pixel: a row of `outputs` numbers for each image, `start_stride` apart; or null.
  const float* start = nullptr;
  int64_t start_stride = 0;
  const float* residual = nullptr;  ///< added to the result, which it must not overlap; or null
  int64_t residual_pixel_stride = 0;
};

/// Numbers that the transformed filters take.
int64_t convolution_filters_size(int64_t inputs, int64_t outputs);

/// The filters g (outputs, inputs, 3, 3) as `convolve` wants them; `transposed`: those of the convolution
/// from a result's gradient to the input's, whose inputs and outputs are exchanged.
void transform_filters(const float* g, int64_t outputs, int64_t inputs, bool transposed, float* filters);

/// y = start + residual + g * x, with the transformed filters.
void convolve(const ConvolutionShape& shape, const ConvolutionInput& input, const float* filters,
              const ConvolutionOutput& output);

/// dg (outputs, inputs, 3, 3): the gradient of sum(dy (g * x)) with respect to the filters. A sum over many
/// tiles runs in parts of fixed size (sums.h).
void convolution_filter_gradient(const ConvolutionShape& shape, const ConvolutionInput& input,
                                 const float* dy, int64_t dy_pixel_stride, float* dg);

}  // namespace fokker::kernel
