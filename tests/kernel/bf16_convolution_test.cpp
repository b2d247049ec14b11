#include "fokker/kernel/image/bf16_convolution.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "support.h"

namespace fokker::kernel {
namespace {

/// (n, channels, height, width), channels last in memory.
Tensor drawn_images(const char* name, int64_t n, int64_t channels, int64_t height, int64_t width) {
  return Rng(32).stream(name).normal({n, height, width, channels}).permute({0, 3, 1, 2});
}
/// What factors become.
Tensor rounded(const Tensor& t) {
  return t.to(at::kFloat).to(at::kBFloat16).to(at::kDouble);
}
/// The largest difference relative to the largest number.
double relative_error(const Tensor& found, const Tensor& expected) {
  return worst(found.to(at::kDouble), expected) / expected.abs().max().item<double>();
}

class ConvolveRounded : public testing::TestWithParam<ConvolutionShape> {
 protected:
  ConvolutionShape shape = GetParam();
  Tensor x = drawn_images("x", shape.images, shape.inputs, shape.height, shape.width);
  Tensor dy = drawn_images("dy", shape.images, shape.outputs, shape.height, shape.width);
  Tensor g = Rng(32).stream("g").normal({shape.outputs, shape.inputs, 3, 3});
  Tensor y = at::empty({shape.images, shape.height, shape.width, shape.outputs}).permute({0, 3, 1, 2});
  ConvolutionInput input{.x = x.data_ptr<float>(), .pixel_stride = shape.inputs};
  ConvolutionOutput output{.y = y.data_ptr<float>(), .pixel_stride = shape.outputs};

  Tensor filters(bool transposed = false) const {
    Tensor packed = at::empty({rounded_filters_size(transposed ? shape.outputs : shape.inputs,
                                                    transposed ? shape.inputs : shape.outputs)},
                              at::kShort);
    round_filters(g.data_ptr<float>(), shape.outputs, shape.inputs, transposed, bits(packed));
    return packed;
  }
  static uint16_t* bits(const Tensor& t) { return reinterpret_cast<uint16_t*>(t.data_ptr<int16_t>()); }
};

constexpr double sum_error = 1e-5;

TEST_P(ConvolveRounded, IsTheDirectSumOfRoundedFactors) {
  convolve_rounded(shape, input, bits(filters()), output);
  EXPECT_LT(relative_error(y, at::conv2d(rounded(x), rounded(g), {}, 1, 1)), sum_error);
}

// A float32 number beside a boundary of bfloat16's may be rounded otherwise than float64's: 2^-8 of one term.
TEST_P(ConvolveRounded, AddsARowAndAnImageAndReadsNormalisedPixels) {
  const auto rows = [&](const char* name, int64_t columns) {
    return Rng(32).stream(name).normal({shape.images, columns});
  };
  const Tensor scale = rows("scale", shape.inputs), shift = rows("shift", shape.inputs),
               centre = rows("centre", shape.inputs), start = rows("start", shape.outputs);
  const Tensor residual = drawn_images("residual", shape.images, shape.outputs, shape.height, shape.width);
  input.scale = scale.data_ptr<float>();
  input.centre = centre.data_ptr<float>();
  input.shift = shift.data_ptr<float>();
  output.start = start.data_ptr<float>();
  output.start_stride = shape.outputs;
  output.residual = residual.data_ptr<float>();
  output.residual_pixel_stride = shape.outputs;
  convolve_rounded(shape, input, bits(filters()), output);
  const auto spread = [&](const Tensor& t) { return t.to(at::kDouble).unsqueeze(2).unsqueeze(3); };
  const Tensor activated = at::silu((x.to(at::kDouble) - spread(centre)) * spread(scale) + spread(shift));
  const Tensor exact = at::conv2d(rounded(activated), rounded(g), {}, 1, 1) + spread(start) + residual;
  EXPECT_LT(relative_error(y, exact), 4e-3);
  EXPECT_LT((y.to(at::kDouble) - exact).abs().mean().item<double>(), 2e-5 * exact.abs().max().item<double>());
}

TEST_P(ConvolveRounded, TurnedFiltersGiveTheGradientOfTheInput) {
  Tensor dx = at::empty_like(x, x.options(), at::MemoryFormat::Preserve);
  convolve_rounded({shape.images, shape.height, shape.width, shape.outputs, shape.inputs},
                   {.x = dy.data_ptr<float>(), .pixel_stride = shape.outputs}, bits(filters(true)),
                   {.y = dx.data_ptr<float>(), .pixel_stride = shape.inputs});
  const Tensor at_x = rounded(x).requires_grad_(true);
  const Tensor sum = (at::conv2d(at_x, rounded(g), {}, 1, 1) * rounded(dy)).sum();
  EXPECT_LT(relative_error(dx, gradients(sum, {at_x}, false)[0]), sum_error);
}

TEST_P(ConvolveRounded, GradientOfTheFiltersAgreesAndDoesNotDependOnThreads) {
  Tensor dg = at::empty_like(g), again = at::empty_like(g), whole = y.clone();
  const int threads = at::get_num_threads();
  rounded_filter_gradient(shape, input, dy.data_ptr<float>(), shape.outputs, dg.data_ptr<float>());
  convolve_rounded(shape, input, bits(filters()), output);
  at::set_num_threads(threads == 1 ? 3 : 1);
  rounded_filter_gradient(shape, input, dy.data_ptr<float>(), shape.outputs, again.data_ptr<float>());
  output.y = whole.data_ptr<float>();
  convolve_rounded(shape, input, bits(filters()), output);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(dg, again));
  EXPECT_TRUE(at::equal(y, whole));
  const Tensor at_g = rounded(g).requires_grad_(true);
  const Tensor sum = (at::conv2d(rounded(x), at_g, {}, 1, 1) * rounded(dy)).sum();
  EXPECT_LT(relative_error(dg, gradients(sum, {at_g}, false)[0]), 2 * sum_error);
}

TEST_P(ConvolveRounded, DoubledImagesAreNearestNeighbours) {
  shape.height *= 2;
  shape.width *= 2;
  input.upsampled = true;
  const Tensor large_dy = drawn_images("large", shape.images, shape.outputs, shape.height, shape.width);
  Tensor twice = at::empty({shape.images, shape.height, shape.width, shape.outputs}).permute({0, 3, 1, 2});
  output.y = twice.data_ptr<float>();
  convolve_rounded(shape, input, bits(filters()), output);
  const Tensor large = at::upsample_nearest2d(rounded(x), {shape.height, shape.width});
  EXPECT_LT(relative_error(twice, at::conv2d(large, rounded(g), {}, 1, 1)), sum_error);
  Tensor dg = at::empty_like(g);
  rounded_filter_gradient(shape, input, large_dy.data_ptr<float>(), shape.outputs, dg.data_ptr<float>());
  const Tensor at_g = rounded(g).requires_grad_(true);
  const Tensor sum = (at::conv2d(large, at_g, {}, 1, 1) * rounded(large_dy)).sum();
  EXPECT_LT(relative_error(dg, gradients(sum, {at_g}, false)[0]), 2 * sum_error);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ConvolveRounded,
                         testing::Values(ConvolutionShape{1, 1, 1, 1, 1}, ConvolutionShape{2, 3, 5, 5, 3},
                                         ConvolutionShape{3, 7, 7, 40, 24},
                                         ConvolutionShape{1, 28, 28, 12, 40},
                                         ConvolutionShape{2, 32, 32, 8, 17},
                                         ConvolutionShape{40, 4, 4, 16, 8},
                                         ConvolutionShape{1, 14, 6, 160, 161}));

// Pixels that are alike, beyond the part that one float32 sum takes.
TEST(ConvolveRoundedLargeImages, GradientsKeepTheirDigits) {
  constexpr int64_t side = 256;
  const auto alike = [](const char* name, int64_t channels, double size) {
    return (drawn_images(name, 1, channels, side, side) * 1e-3 + size)
        .contiguous(at::MemoryFormat::ChannelsLast);
  };
  const Tensor x = alike("x", 2, 0.1), dy = alike("dy", 3, 0.7);
  Tensor dg = at::empty({3, 2, 3, 3});
  rounded_filter_gradient({1, side, side, 2, 3}, {.x = x.data_ptr<float>(), .pixel_stride = 2},
                          dy.data_ptr<float>(), 3, dg.data_ptr<float>());
  const Tensor filters = at::zeros({3, 2, 3, 3}, at::kDouble).requires_grad_(true);
  const Tensor sum = (at::conv2d(rounded(x), filters, {}, 1, 1) * rounded(dy)).sum();
  EXPECT_LT(relative_error(dg, gradients(sum, {filters}, false)[0]), 1e-4);
}

}  // namespace
}  // namespace fokker::kernel
