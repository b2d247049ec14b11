#include "fokker/kernel/image/convolution.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/image/padded_image.h"
#include "support.h"

namespace fokker::kernel {
namespace {

struct Sizes {
  int64_t images, height, width, inputs, outputs;
};

/// (n, channels, height, width), channels last in memory.
Tensor images_of(const char* name, int64_t n, int64_t channels, int64_t height, int64_t width) {
  return Rng(31).stream(name).normal({n, height, width, channels}).permute({0, 3, 1, 2});
}
Tensor doubles(const Tensor& t) {
  return t.to(at::kDouble);
}
/// The largest difference relative to the largest number.
double relative(const Tensor& found, const Tensor& expected) {
  return worst(doubles(found), expected) / expected.abs().max().item<double>();
}

class Convolve : public testing::TestWithParam<Sizes> {
 protected:
  Sizes s = GetParam();
  ConvolutionShape shape{s.images, s.height, s.width, s.inputs, s.outputs};
  Tensor x = images_of("x", s.images, s.inputs, s.height, s.width);
  Tensor g = Rng(31).stream("g").normal({s.outputs, s.inputs, 3, 3});
  Tensor y = at::empty({s.images, s.height, s.width, s.outputs}).permute({0, 3, 1, 2});
  ConvolutionInput input{.x = x.data_ptr<float>(), .pixel_stride = s.inputs};
  ConvolutionOutput output{.y = y.data_ptr<float>(), .pixel_stride = s.outputs};

  Tensor filters(bool transposed = false) const {
    Tensor packed = at::empty({transposed ? convolution_filters_size(s.outputs, s.inputs)
                                          : convolution_filters_size(s.inputs, s.outputs)});
    transform_filters(g.data_ptr<float>(), s.outputs, s.inputs, transposed, packed.data_ptr<float>());
    return packed;
  }
  Tensor exact(const Tensor& of) const { return at::conv2d(doubles(of), doubles(g), {}, 1, 1); }
};

constexpr double convolution_error = 1e-5;

TEST_P(Convolve, AgreesWithTheDirectSumInFloat64) {
  convolve(shape, input, filters().data_ptr<float>(), output);
  EXPECT_LT(relative(y, exact(x)), convolution_error);
}

TEST_P(Convolve, AddsARowAndAnImageAndReadsNormalisedPixels) {
  const Tensor scale = Rng(31).stream("scale").normal({s.images, s.inputs});
  const Tensor shift = Rng(31).stream("shift").normal({s.images, s.inputs});
  const Tensor centre = Rng(31).stream("centre").normal({s.images, s.inputs});
  const Tensor start = Rng(31).stream("start").normal({s.images, s.outputs});
  const Tensor residual = images_of("residual", s.images, s.outputs, s.height, s.width);
  input.scale = scale.data_ptr<float>();
  input.centre = centre.data_ptr<float>();
  input.shift = shift.data_ptr<float>();
  output.start = start.data_ptr<float>();
  output.start_stride = s.outputs;
  output.residual = residual.data_ptr<float>();
  output.residual_pixel_stride = s.outputs;
  convolve(shape, input, filters().data_ptr<float>(), output);
  const auto spread = [&](const Tensor& rows) { return doubles(rows).unsqueeze(2).unsqueeze(3); };
  const Tensor activated = at::silu((doubles(x) - spread(centre)) * spread(scale) + spread(shift));
  EXPECT_LT(relative(y, exact(activated) + spread(start) + doubles(residual)), convolution_error);
}

// Neighbours in memory that belong to somebody else are neither read nor written.
TEST_P(Convolve, ReadsAndWritesPartsOfWiderPixels) {
  const Tensor wide = images_of("wide", s.images, s.inputs + 5, s.height, s.width);
  Tensor result = at::full({s.images, s.height, s.width, s.outputs + 3}, 2.5f).permute({0, 3, 1, 2});
  input = {.x = wide.data_ptr<float>() + 2, .pixel_stride = s.inputs + 5};
  output = {.y = result.data_ptr<float>() + 1, .pixel_stride = s.outputs + 3};
  convolve(shape, input, filters().data_ptr<float>(), output);
  EXPECT_LT(relative(result.narrow(1, 1, s.outputs), exact(wide.narrow(1, 2, s.inputs))), convolution_error);
  for (const int64_t other : {int64_t{0}, s.outputs + 1, s.outputs + 2})
    EXPECT_EQ((result.select(1, other) - 2.5f).abs().max().item<float>(), 0);
}

TEST_P(Convolve, TurnedFiltersGiveTheGradientOfTheInput) {
  const Tensor dy = images_of("dy", s.images, s.outputs, s.height, s.width);
  Tensor dx = at::empty_like(x, x.options(), at::MemoryFormat::Preserve);
  convolve({s.images, s.height, s.width, s.outputs, s.inputs},
           {.x = dy.data_ptr<float>(), .pixel_stride = s.outputs}, filters(true).data_ptr<float>(),
           {.y = dx.data_ptr<float>(), .pixel_stride = s.inputs});
  const Tensor at_x = doubles(x).requires_grad_(true);
  EXPECT_LT(relative(dx, gradients(exact(at_x) * doubles(dy), {at_x}, false)[0]), convolution_error);
}

TEST_P(Convolve, GradientOfTheFiltersAgreesAndDoesNotDependOnThreads) {
  const Tensor dy = images_of("dy", s.images, s.outputs, s.height, s.width);
  Tensor dg = at::empty_like(g), again = at::empty_like(g), whole = y.clone();
  const int threads = at::get_num_threads();
  convolution_filter_gradient(shape, input, dy.data_ptr<float>(), s.outputs, dg.data_ptr<float>());
  convolve(shape, input, filters().data_ptr<float>(), output);
  at::set_num_threads(threads == 1 ? 3 : 1);
  convolution_filter_gradient(shape, input, dy.data_ptr<float>(), s.outputs, again.data_ptr<float>());
  output.y = whole.data_ptr<float>();
  convolve(shape, input, filters().data_ptr<float>(), output);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(dg, again));
  EXPECT_TRUE(at::equal(y, whole));
  const Tensor at_g = doubles(g).requires_grad_(true);
  const Tensor expected = gradients(at::conv2d(doubles(x), at_g, {}, 1, 1) * doubles(dy), {at_g}, false)[0];
  EXPECT_LT(relative(dg, expected), 2 * convolution_error);
}

TEST_P(Convolve, DoubledImagesAreNearestNeighbours) {
  shape.height *= 2;
  shape.width *= 2;
  input.upsampled = true;
  const Tensor dy = images_of("dy", s.images, s.outputs, shape.height, shape.width);
  Tensor twice = at::empty({s.images, shape.height, shape.width, s.outputs}).permute({0, 3, 1, 2});
  output.y = twice.data_ptr<float>();
  convolve(shape, input, filters().data_ptr<float>(), output);
  const Tensor large = at::upsample_nearest2d(doubles(x), {shape.height, shape.width});
  EXPECT_LT(relative(twice, exact(large)), convolution_error);
  Tensor dg = at::empty_like(g);
  convolution_filter_gradient(shape, input, dy.data_ptr<float>(), s.outputs, dg.data_ptr<float>());
  const Tensor at_g = doubles(g).requires_grad_(true);
  EXPECT_LT(relative(dg, gradients(at::conv2d(large, at_g, {}, 1, 1) * doubles(dy), {at_g}, false)[0]),
            2 * convolution_error);
}

// Whole and cut tiles, channels of any number, one image and several, more tiles than pass at a time.
INSTANTIATE_TEST_SUITE_P(Sizes, Convolve,
                         testing::Values(Sizes{1, 1, 1, 1, 1}, Sizes{2, 3, 5, 5, 3}, Sizes{3, 7, 7, 40, 24},
                                         Sizes{1, 28, 28, 12, 40}, Sizes{2, 32, 32, 8, 17},
                                         Sizes{40, 4, 4, 16, 8}, Sizes{1, 14, 6, 160, 161},
                                         Sizes{20, 16, 16, 160, 4}, Sizes{1, 5, 6, 9, 11},
                                         Sizes{2, 4, 5, 13, 15}, Sizes{1, 6, 3, 14, 2},
                                         Sizes{1, 3, 4, 6, 7}));

// Pixels that are alike, 1.6e4 tiles: one float32 sum would be off by 1e-4 and more.
TEST(ConvolveLargeImages, GradientsKeepTheirDigitsAndTheirBits) {
  constexpr int64_t side = 512;
  const ConvolutionShape shape = {1, side, side, 2, 3};
  const Tensor x =
      images_of("x", 1, 2, side, side).mul(1e-3).add(0.1).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor dy =
      images_of("dy", 1, 3, side, side).mul(1e-3).add(0.7).contiguous(at::MemoryFormat::ChannelsLast);
  Tensor dg = at::empty({3, 2, 3, 3}), again = at::empty_like(dg), sums = at::empty({3}, at::kDouble);
  const auto run = [&](const Tensor& to) {
    convolution_filter_gradient(shape, {.x = x.data_ptr<float>(), .pixel_stride = 2}, dy.data_ptr<float>(), 3,
                                to.data_ptr<float>());
  };
  run(dg);
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 3 : 1);
  run(again);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(dg, again));
  const Tensor filters = at::zeros({3, 2, 3, 3}, at::kDouble).requires_grad_(true);
  const Tensor exact =
      gradients(at::conv2d(doubles(x), filters, {}, 1, 1) * doubles(dy), {filters}, false)[0];
  EXPECT_LT(relative(dg, exact), convolution_error);
  channel_sums(dy.data_ptr<float>(), side * side, 3, 3, sums.data_ptr<double>());
  EXPECT_LT(relative(sums, doubles(dy).sum({0, 2, 3})), 1e-6);
}

TEST(SumDoubled, IsTheTransposeOfDoubling) {
  for (const int64_t channels : {1, 5, 16, 23}) {
    const Tensor doubled = Rng(2).normal({6, 4, channels});
    Tensor found = at::full({3, 2, channels + 2}, 1.5f);
    float* place = found.data_ptr<float>() + 1;
    const Tensor sums = doubled.view({3, 2, 2, 2, channels}).sum({1, 3});
    for (const bool add : {false, true}) {
      sum_doubled(doubled.data_ptr<float>(), 3, 2, channels, add, place, channels + 2);
      EXPECT_LT(worst(found.narrow(2, 1, channels), sums * (add ? 2 : 1)), 1e-5) << channels;
      for (const int64_t other : {int64_t{0}, channels + 1})
        EXPECT_EQ((found.select(2, other) - 1.5f).abs().max().item<float>(), 0);
    }
  }
}

TEST(ChannelSums, AddUpPixels) {
  const Tensor x = Rng(1).normal({19, 13});
  Tensor sums = at::empty({11}, at::kDouble);
  channel_sums(x.data_ptr<float>() + 1, 19, 13, 11, sums.data_ptr<double>());
  EXPECT_LT(worst(sums, doubles(x).narrow(1, 1, 11).sum(0)), 1e-5);
}

}  // namespace
}  // namespace fokker::kernel
