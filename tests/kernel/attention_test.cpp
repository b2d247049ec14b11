#include "fokker/kernel/image/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/image/patches.h"
#include "support.h"

namespace fokker::kernel {
namespace {

class Attend : public testing::TestWithParam<std::tuple<int64_t, int64_t, int64_t>> {};

TEST_P(Attend, AgreesWithSoftmaxInFloat64) {
  const auto [pixels, heads, size] = GetParam();
  const AttentionShape shape = {.pixels = pixels, .heads = heads, .size = size};
  const Tensor qkv = Rng(41).normal({pixels, 3, heads, size});
  Tensor out = at::empty({pixels, heads, size});
  std::vector<float> scratch(static_cast<size_t>(attention_scratch(shape)));
  attend(shape, qkv.data_ptr<float>(), out.data_ptr<float>(), scratch.data());
  const Tensor parts = qkv.to(at::kDouble).permute({1, 2, 0, 3});  // (3, heads, pixels, size)
  const Tensor weights = at::matmul(parts[0], parts[1].transpose(1, 2)).softmax(-1);
  EXPECT_LT(worst(out.to(at::kDouble), at::matmul(weights, parts[2]).transpose(0, 1)), 1e-5);
}

// One pixel and many blocks of queries, rows of scores that end inside a vector and on its end.
INSTANTIATE_TEST_SUITE_P(Sizes, Attend,
                         testing::Values(std::tuple{1, 1, 1}, std::tuple{49, 20, 8}, std::tuple{16, 1, 24},
                                         std::tuple{100, 2, 5}, std::tuple{63, 3, 40}));

TEST_P(Attend, GradientAgreesWithFloat64) {
  const auto [pixels, heads, size] = GetParam();
  const AttentionShape shape = {.pixels = pixels, .heads = heads, .size = size};
  const Tensor qkv = Rng(41).normal({pixels, 3, heads, size}), dout = Rng(43).normal({pixels, heads, size});
  Tensor found = at::full({pixels, 3, heads, size}, NAN);
  std::vector<float> scratch(static_cast<size_t>(attention_gradient_scratch(shape)), NAN);
  attend_gradient(shape, qkv.data_ptr<float>(), dout.data_ptr<float>(), found.data_ptr<float>(),
                  scratch.data());
  const Tensor exact = qkv.to(at::kDouble).requires_grad_(true);
  const Tensor parts = exact.permute({1, 2, 0, 3});
  const Tensor weights = at::matmul(parts[0], parts[1].transpose(1, 2)).softmax(-1);
  const Tensor out = at::matmul(weights, parts[2]).transpose(0, 1);
  const Tensor expected = gradients(out * dout.to(at::kDouble), {exact}, false)[0];
  EXPECT_LT(worst(found.to(at::kDouble), expected), 1e-5 * (1 + expected.abs().max().item<double>()));
}

// Scores far from zero must not overflow, and one far above the others takes all.
TEST(Attend, LargeScoresSelectTheirValue) {
  const Tensor qkv = at::zeros({3, 3, 1, 1});
  qkv.select(1, 0).fill_(100.0f);
  qkv.select(1, 1).copy_(at::tensor({-4.0f, 5.0f, 3.0f}).view({3, 1, 1}));
  qkv.select(1, 2).copy_(at::tensor({1.0f, 2.0f, 3.0f}).view({3, 1, 1}));
  Tensor out = at::empty({3});
  const AttentionShape shape = {.pixels = 3, .heads = 1, .size = 1};
  std::vector<float> scratch(static_cast<size_t>(attention_scratch(shape)));
  attend(shape, qkv.data_ptr<float>(), out.data_ptr<float>(), scratch.data());
  EXPECT_EQ(worst(out, at::full({3}, 2.0f)), 0);
}

TEST(GatherPatches, AreTheColumnsOfAConvolution) {
  const Tensor x = Rng(42).normal({6, 9, 5});  // pixels of 5 numbers, of which 3 are the image's
  for (const int64_t padding : {0, 1}) {
    const PatchShape shape = {.height = 6,
                              .width = 9,
                              .channels = 3,
                              .rows = 3,
                              .columns = padding ? 5 : 4,
                              .stride = 2,
                              .padding = padding};
    Tensor found = at::full({shape.rows * shape.columns, 9, 3}, -9.0f);
    gather_patches(shape, x.data_ptr<float>() + 1, 5, found.data_ptr<float>());
    const Tensor image = x.narrow(2, 1, 3).permute({2, 0, 1}).unsqueeze(0);
    const Tensor framed =
        padding ? at::constant_pad_nd(image, {1, 1, 1, 1}) : at::constant_pad_nd(image, {0, 1, 0, 1});
    const Tensor columns = at::im2col(framed, {3, 3}, {1, 1}, {0, 0}, {2, 2})[0].view({3, 9, -1});
    EXPECT_EQ(worst(found, columns.permute({2, 1, 0}).narrow(0, 0, found.size(0))), 0) << padding;
    // <gather(x), p> = <x, scatter(p)>, which adds, and leaves the numbers between pixels alone.
    const Tensor patches = Rng(44).normal(found.sizes());
    Tensor image_gradient = at::full({6, 9, 5}, 2.0f);
    scatter_patches(shape, patches.data_ptr<float>(), image_gradient.data_ptr<float>() + 1, 5);
    const Tensor added = (image_gradient - 2).narrow(2, 1, 3).to(at::kDouble);
    EXPECT_NEAR((found * patches).sum(at::kDouble).item<double>(),
                (added * x.narrow(2, 1, 3)).sum().item<double>(), 1e-3);
    for (const int64_t other : {0, 4})
      EXPECT_EQ((image_gradient.select(2, other) - 2).abs().max().item<float>(), 0);
  }
}

}  // namespace
}  // namespace fokker::kernel
