#include "fokker/plot/mark/image_grid.h"

#include "fokker/core/file/files.h"
#include "fokker/image/image.h"
#include "plot/refusal.h"
#include "png_reader.h"

namespace fokker::plot {
namespace {

TEST(ImageGrid, PlacesEveryPixel) {
  const Tensor images = at::arange(5 * 3 * 2 * 4).to(at::kByte).reshape({5, 3, 2, 4});
  const Tensor grid = image_grid(images, {.columns = 2, .padding = 3, .scale = 2, .background = 200});
  ASSERT_EQ(grid.sizes(), (IntArrayRef{3, 3 * (4 + 3) + 3, 2 * (8 + 3) + 3}));
  Tensor used = at::zeros_like(grid[0]);
  for (int64_t i = 0; i < 5; ++i)
    for (int64_t y = 0; y < 4; ++y)
      for (int64_t x = 0; x < 8; ++x) {
        const int64_t row = 3 + i / 2 * 7 + y, column = 3 + i % 2 * 11 + x;
        used[row][column] = 1;
        for (int64_t c = 0; c < 3; ++c)
          ASSERT_EQ(grid[c][row][column].item<int>(), images[i][c][y / 2][x / 2].item<int>());
      }
  EXPECT_TRUE((grid[0].masked_select(used == 0) == 200).all().item<bool>());
}

TEST(ImageGrid, MapsTheRangeToBytes) {
  const Tensor values = at::tensor({-1., 0., 1., -7., 7., -0.5}).reshape({1, 1, 1, 6});
  const Tensor grid = image_grid(values, {.padding = 0});
  EXPECT_TRUE(at::equal(grid.flatten(), at::tensor({0, 128, 255, 0, 255, 64}, at::kByte))) << grid;
}

TEST(ImageGrid, IsSquareByItself) {
  EXPECT_EQ(image_grid(at::zeros({10, 1, 5, 5}), {.padding = 0}).sizes(), (IntArrayRef{1, 15, 20}));
  EXPECT_EQ(image_grid(at::zeros({2, 1, 5, 5}), {.columns = 9, .padding = 0}).sizes(),
            (IntArrayRef{1, 5, 10}));
}

TEST(ImageGrid, SavedFileHoldsTheGrid) {
  const auto path = std::filesystem::path(testing::TempDir()) / "fokker_image_grid.png";
  for (const int64_t channels : {1, 3}) {
    const Tensor images = at::randint(0, 256, {6, channels, 7, 9}).to(at::kByte);
    save_image_grid(path, images, {.scale = 2});
    EXPECT_TRUE(at::equal(read_png(path), image_grid(images, {.scale = 2}).expand({3, -1, -1})));
  }
  std::filesystem::remove(path);
}

TEST(ImageGrid, AlphaIsKeptInOpaquePadding) {
  const auto path = std::filesystem::path(testing::TempDir()) / "fokker_alpha_grid.png";
  for (const int64_t channels : {2, 4}) {
    const Tensor images = at::randint(0, 256, {4, channels, 3, 5}).to(at::kByte);
    const Tensor grid = image_grid(images, {.columns = 4, .padding = 1, .background = 9});
    ASSERT_EQ(grid.sizes(), (IntArrayRef{channels, 5, 25}));
    EXPECT_TRUE((grid.select(1, 0).narrow(0, 0, channels - 1) == 9).all().item<bool>());
    EXPECT_TRUE((grid.select(1, 0)[-1] == 255).all().item<bool>());
    for (int64_t i = 0; i < 4; ++i)
      EXPECT_TRUE(at::equal(grid.narrow(1, 1, 3).narrow(2, 1 + 6 * i, 5), images[i]));
    save_image_grid(path, images, {.columns = 4, .padding = 1, .background = 9});
    EXPECT_TRUE(at::equal(decode_png(read_file(path), "grid").squeeze(0), grid));
  }
  std::filesystem::remove(path);
}

TEST(ImageGrid, BadImagesAreRefused) {
  expect_refusal(ErrorKind::input, "(n, 1 to 4, height, width) but received (2, 5, 3, 3)", [] {
    image_grid(at::zeros({2, 5, 3, 3}));
  });
  expect_refusal(ErrorKind::input, "at least one image", [] { image_grid(at::zeros({0, 1, 3, 3})); });
  expect_refusal(ErrorKind::input, "finite", [] { image_grid(at::full({1, 1, 2, 2}, NAN)); });
  expect_refusal(ErrorKind::input, "uint8 or floating point but received Long", [] {
    image_grid(at::zeros({1, 1, 2, 2}, at::kLong));
  });
  expect_refusal(ErrorKind::argument, "scale >= 1 but received 0, 2 and 0", [] {
    image_grid(at::zeros({1, 1, 2, 2}), {.scale = 0});
  });
  expect_refusal(ErrorKind::argument, "ending in .png but received x.svg", [] {
    save_image_grid("x.svg", at::zeros({1, 1, 2, 2}));
  });
}

}  // namespace
}  // namespace fokker::plot
