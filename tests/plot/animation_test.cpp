#include "fokker/plot/film/animation.h"

#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "animation_reader.h"
#include "fokker/core/file/files.h"
#include "fokker/core/random/rng.h"
#include "fokker/plot/figure/palette.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"
#include "folder.h"
#include "plot/refusal.h"
#include "support.h"

namespace fokker::plot {
namespace {

namespace fs = std::filesystem;

/// A curve that moves: text, thin lines and translucent points.
Figure wave(int64_t i) {
  Figure figure({.width = 161, .height = 121});
  const Tensor x = at::linspace(0, 6, 60, at::kDouble);
  figure.axes().y.limits = Range{-1, 1};
  add_line(figure.axes(), x, at::sin(x + 0.3 * static_cast<double>(i)));
  add_scatter(figure.axes(), at::stack({x, at::cos(x + 0.3 * static_cast<double>(i))}, 1));
  return figure;
}

ReadAnimation encode_and_read(AnimationFormat format, int64_t frames, const AnimationOptions& options = {}) {
  const std::string bytes = encode_animation(format, frames, wave, options);
  return format == AnimationFormat::webp ? read_webp(bytes) : read_gif(bytes);
}

TEST(Animation, KeepsEveryPixelOfAWebp) {
  const ReadAnimation read = encode_and_read(AnimationFormat::webp, 7);
  ASSERT_EQ(read.frames.size(), 7u);
  for (int64_t i = 0; i < 7; ++i)
    EXPECT_TRUE(at::equal(read.frames[static_cast<size_t>(i)], wave(i).render())) << i;
}

// A lossy WebP is near, but not the same.
TEST(Animation, LosesALittleOfALossyWebp) {
  const ReadAnimation read = encode_and_read(AnimationFormat::webp, 3, {.quality = 80});
  const Tensor error = (read.frames[2].to(at::kFloat) - wave(2).render().to(at::kFloat)).abs();
  EXPECT_GT(error.max().item<float>(), 0);
  EXPECT_LT(error.mean().item<float>(), 5);
}

// What is drawn here has fewer than 256 colours a frame: a GIF keeps them, and what it leaves transparent
// too.
TEST(Animation, KeepsTheColoursOfAGifWhereTheyAreFew) {
  const ReadAnimation read = encode_and_read(AnimationFormat::gif, 7);
  ASSERT_EQ(read.frames.size(), 7u);
  for (int64_t i = 0; i < 7; ++i) {
    const Tensor error =
        (read.frames[static_cast<size_t>(i)].to(at::kFloat) - wave(i).render().to(at::kFloat)).abs();
    EXPECT_LT(error.max().item<float>(), 6) << i;
    EXPECT_LT(error.mean().item<float>(), 0.1) << i;
  }
}

// A picture of 20,000 colours in 255 of them: the error is that of a fine grid of colours, and pixels that do
// not change keep the value that they first had.
TEST(Animation, ReducesTheColoursOfAGif) {
  const Tensor ramp = at::linspace(0, 255, 200).to(at::kByte);
  const Tensor first =
      at::stack({ramp.expand({100, 200}), ramp.narrow(0, 0, 100).unsqueeze(1).expand({100, 200}),
                 at::full({100, 200}, 90, at::kByte)});
  Tensor second = first.clone();
  second.narrow(1, 20, 10).narrow(2, 30, 40).fill_(7);
  AnimationEncoder encoder(AnimationFormat::gif);
  encoder.add(first);
  encoder.add(second);
  const ReadAnimation read = read_gif(encoder.finish());
  ASSERT_EQ(read.frames.size(), 2u);
  const Tensor error = (read.frames[0].to(at::kFloat) - first.to(at::kFloat)).abs();
  // 255 squares of a rectangle of 255 x 127 levels have sides of 11: a mean distance of 2.8 in two channels.
  EXPECT_LT(error.mean().item<float>(), 2.8);
  const Tensor changed = (read.frames[1] != read.frames[0]).any(0).nonzero();
  EXPECT_EQ(changed.size(0), 10 * 40);
  EXPECT_EQ(read.frames[1][0][25][50].item<int>(), 7);
}

// 24 frames a second are 41.67 ms each: the rounding does not add up. The last stands half a second longer.
TEST(Animation, KeepsTime) {
  for (const auto format : {AnimationFormat::webp, AnimationFormat::gif}) {
    const ReadAnimation read =
        encode_and_read(format, 12, {.frames_per_second = 24, .loops = 3, .hold_last = 0.5});
    ASSERT_EQ(read.milliseconds.size(), 12u);
    int total = 0;
    for (size_t i = 0; i < 11; ++i) {
      EXPECT_NEAR(read.milliseconds[i], 1000.0 / 24, 10);
      total += read.milliseconds[i];
    }
    EXPECT_NEAR(read.milliseconds[11], 500 + 1000.0 / 24, 10);
    EXPECT_NEAR(total + read.milliseconds[11], 1000, 5);
    EXPECT_EQ(read.loops, 3);
    EXPECT_EQ(encode_and_read(format, 2).loops, 0) << "for ever";
    EXPECT_EQ(encode_and_read(format, 2, {.loops = 1}).loops, 1);
  }
}

TEST(Animation, KeepsAFrameThatRepeats) {
  AnimationEncoder gif(AnimationFormat::gif), webp(AnimationFormat::webp);
  for (AnimationEncoder* encoder : {&gif, &webp})
    for (const int64_t i : {0, 1, 1, 2}) encoder->add(wave(i));
  const ReadAnimation from_gif = read_gif(gif.finish()), from_webp = read_webp(webp.finish());
  EXPECT_EQ(from_gif.milliseconds, (std::vector<int>{50, 50, 50, 50}));
  EXPECT_TRUE(at::equal(from_gif.frames[1], from_gif.frames[2]));
  EXPECT_EQ(from_webp.milliseconds, (std::vector<int>{50, 100, 50}));
}

TEST(Animation, RefusesWhatIsNoFilm) {
  AnimationEncoder encoder(AnimationFormat::gif);
  encoder.add(wave(0));
  expect_refusal(ErrorKind::argument, "expected frame 1 to have 161 x 121 pixels but it has 5 x 4", [&] {
    encoder.add(at::zeros({3, 4, 5}, at::kByte));
  });
  expect_refusal(ErrorKind::argument, "uint8 (3, height, width)", [&] { encoder.add(at::zeros({3, 4, 5})); });
  expect_refusal(ErrorKind::argument, "at least one frame",
                 [] { AnimationEncoder(AnimationFormat::webp).finish(); });
  expect_refusal(ErrorKind::argument, "at most 50",
                 [] { AnimationEncoder(AnimationFormat::gif, {.frames_per_second = 60}); });
  expect_refusal(ErrorKind::argument, "expected 0 loops",
                 [] { AnimationEncoder(AnimationFormat::mp4, {.loops = 2}); });
  expect_refusal(ErrorKind::argument, "quality from 1 to 100",
                 [] { AnimationEncoder(AnimationFormat::webp, {.quality = 0}); });
  expect_refusal(ErrorKind::argument, ".webp, .gif or .mp4", [] { AnimationWriter("film.avi"); });
  expect_refusal(ErrorKind::argument, "at most 16383", [] {
    AnimationEncoder(AnimationFormat::webp).add(at::zeros({3, 1, 20000}, at::kByte));
  });
}

TEST(Animation, IsAFileOnlyWhenItIsWhole) {
  const TestFolder folder;
  const fs::path path = folder.path() / "film.gif";
  {
    AnimationWriter writer(path);
    writer.add(wave(0));
    EXPECT_TRUE(fs::is_empty(folder.path()));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  save_animation(path, 3, wave);
  EXPECT_EQ(read_gif(read_file(path)).frames.size(), 3u);
  expect_refusal(ErrorKind::resource, "film.gif", [&] { save_animation(path / "film.gif", 2, wave); });
}

/// ffmpeg decodes it to raw frames.
TEST(Animation, IsPlayedAsMp4) {
  if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) GTEST_SKIP() << "ffmpeg is not installed";
  const TestFolder folder;
  const fs::path path = folder.path() / "-i film'.mp4";
  save_animation(path, 6, wave, {.frames_per_second = 12, .hold_last = 0.25});
  const std::string command =
      fmt::format(R"(cd '{}' && ffmpeg -v error -i "./{}" -f rawvideo -pix_fmt rgb24 raw)",
                  folder.path().string(), path.filename().string());
  ASSERT_EQ(std::system(command.c_str()), 0);
  // Sides are made even; the last frame stands for three more.
  std::string raw = read_file(folder.path() / "raw");
  ASSERT_EQ(raw.size(), 9u * 162 * 122 * 3);
  const Tensor frames = at::from_blob(raw.data(), {9, 122, 162, 3}, at::kByte);
  const Tensor shown = frames[8].permute({2, 0, 1}).narrow(1, 0, 121).narrow(2, 0, 161);
  const Tensor error = (shown.to(at::kFloat) - wave(5).render().to(at::kFloat)).abs();
  EXPECT_LT(error.mean().item<float>(), 3);
  // The background is white: levels are in the range and matrix that the file declares.
  EXPECT_NEAR(shown.narrow(1, 1, 3).to(at::kFloat).mean().item<float>(), 255, 2);
}

TEST(Animation, SaysWhereFfmpegIsMissingOrFails) {
  const TestFolder folder;
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", folder.path().c_str(), 1);
  expect_refusal(ErrorKind::failed, "needs the program ffmpeg, which is not installed",
                 [] { encode_animation(AnimationFormat::mp4, 2, wave); });
  std::ofstream(folder.path() / "ffmpeg") << "#!/bin/sh\necho no such encoder >&2\nexit 1\n";
  fs::permissions(folder.path() / "ffmpeg", fs::perms::owner_all);
  expect_refusal(ErrorKind::failed, "ffmpeg failed: no such encoder",
                 [] { encode_animation(AnimationFormat::mp4, 40, wave); });
  ::setenv("PATH", path.c_str(), 1);
}

TEST(Palette, IsExactWhereColoursAreFew) {
  const Palette palette({0x102030, 0xffffff, 0x102030, 0x000001}, 3);
  ASSERT_EQ(palette.colours().size(), 3u);
  for (const uint32_t colour : {0x102030u, 0xffffffu, 0x000001u})
    EXPECT_EQ(palette.colours()[palette.index_of(colour)], colour);
  expect_refusal(ErrorKind::argument, "but received 000002", [&] { palette.index_of(2); });
}

// Two clouds of colours far apart and two places: their (weighted) means, however unequal in size.
TEST(Palette, SeparatesCloudsOfUnequalSize) {
  std::vector<uint32_t> pixels;
  for (uint32_t i = 0; i < 1000; ++i) pixels.push_back(0x101010 + i % 5);
  for (const uint32_t colour : {0xf0f0f0u, 0xf0f0f2u}) pixels.push_back(colour);
  const Palette palette(pixels, 2);
  EXPECT_EQ(palette.colours()[palette.index_of(0x101010)], 0x101012u);
  EXPECT_EQ(palette.colours()[palette.index_of(0xf0f0f0)], 0xf0f0f1u);
}

}  // namespace
}  // namespace fokker::plot
