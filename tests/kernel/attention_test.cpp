#include "fokker/kernel/image/attention.h"

#include <gtest/gtest.h>

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
  }
}

}  // namespace
}  // namespace fokker::kernel
