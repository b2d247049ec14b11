#include "fokker/data/images.h"

#include <gtest/gtest.h>

namespace fokker {
namespace {

TEST(Images, ConvertsChannels) {
  const Tensor rgb = at::tensor({100, 200, 50}, at::kByte).reshape({3, 1, 1});
  EXPECT_EQ(convert_channels(rgb, 1).item<int>(), 153);  // 0.299 * 100 + 0.587 * 200 + 0.114 * 50 = 153.0
  EXPECT_TRUE(convert_channels(rgb, 4).flatten().equal(at::tensor({100, 200, 50, 255}, at::kByte)));
  EXPECT_TRUE(convert_channels(convert_channels(rgb, 4), 3).equal(rgb));
  const Tensor grey = at::tensor({9, 77}, at::kByte).reshape({2, 1, 1});
  EXPECT_TRUE(convert_channels(grey, 4).flatten().equal(at::tensor({9, 9, 9, 77}, at::kByte)));
  EXPECT_TRUE(convert_channels(grey, 3).flatten().equal(at::tensor({9, 9, 9}, at::kByte)));
  EXPECT_EQ(convert_channels(grey.unsqueeze(0), 1).sizes(), (std::vector<int64_t>{1, 1, 1, 1}));
}

TEST(Images, ResizesByCentredCropAndAveraging) {
  // A plane is kept by the triangle filter away from the border; halving samples it between pixels.
  const Tensor plane = at::arange(16, at::kFloat).reshape({1, 1, 1, 16}).expand({1, 1, 16, 16}).contiguous();
  const Tensor half = resize_images(plane, 8, 8);
  for (int64_t i = 2; i < 6; ++i)
    EXPECT_NEAR(half[0][0][4][i].item<double>(), 2 * static_cast<double>(i) + 0.5, 1e-5);
  // Of 4 x 8 the middle 4 x 4 is kept.
  const Tensor wide = at::arange(8, at::kByte).reshape({1, 1, 8}).expand({1, 4, 8}).contiguous();
  EXPECT_TRUE(resize_images(wide, 4, 4)[0][0].equal(at::tensor({2, 3, 4, 5}, at::kByte)));
  const Tensor constant = at::full({2, 3, 30, 20}, 201, at::kByte);
  EXPECT_TRUE(resize_images(constant, 7, 11).eq(201).all().item<bool>());
  EXPECT_TRUE(resize_images(constant, 64, 64).eq(201).all().item<bool>());
  // A checkerboard finer than the target turns grey, where plain bilinear sampling would alias.
  const Tensor index = at::arange(64, at::kLong);
  const Tensor board = ((index.unsqueeze(1) + index) % 2 * 255).to(at::kByte).unsqueeze(0);
  EXPECT_LE((resize_images(board, 16, 16).to(at::kInt) - 127).abs().max().item<int>(), 4);
}

}  // namespace
}  // namespace fokker
