// Images as they are asked for, in training and afterwards.
#include "cli/inside.h"
#include "fokker/image/image.h"

namespace fokker {
namespace {

class CliImages : public CliInside {
 protected:
  /// Grey and colour images of two sizes.
  void write_mixed_folder() const {
    fs::create_directories(path("mixed"));
    for (int i = 0; i < 6; ++i) {
      const Tensor image = (Rng(7 + i).uniform({i % 2 ? 3 : 1, 10, i < 3 ? 8 : 12}, {}) * 255).to(at::kByte);
      save_png(path(fmt::format("mixed/{}.png", i)), image);
    }
  }
};

TEST_F(CliImages, AdviceThatARefusalGivesCanBeFollowed) {
  write_mixed_folder();
  const std::string train =
      "train --data mixed --out run --steps 2 --batch 4 --held-out 0.34 --no-report --quiet ";
  EXPECT_THAT(refusal(train, ErrorKind::input),
              HasSubstr("give the channels, 1 (grey) or 3 (colour), to which"));
  EXPECT_THAT(refusal(train + "--channels 1", ErrorKind::input),
              HasSubstr("give a size, WIDTHxHEIGHT, to which"));
  EXPECT_THAT(refusal(train + "--channels 1 --size 8x"),
              HasSubstr("size: expected WIDTHxHEIGHT such as 32x24"));
  EXPECT_THAT(refusal(train + "--channels 1 --size 0"), HasSubstr("size: expected WIDTHxHEIGHT"));
  EXPECT_THAT(refusal("inspect mixed --channels 5"), HasSubstr("channels: expected 1 to 4 of images"));
  EXPECT_FALSE(fs::exists(path("run")));
  EXPECT_EQ(refusal(train + "--channels 1 --size 8x6 --flip"), "");
  const Json record = read_json(path("run/fokker.json"))["training"];
  EXPECT_EQ(record["event_shape"], (Json{1, 6, 8}));
  EXPECT_EQ(record["rows"], 6);  // those of the folder; four of them are trained on with their mirror images
  EXPECT_EQ(record["held_out_rows"], 2);
  // The same folder is read as it was trained on.
  EXPECT_EQ(refusal("encode run --data mixed --out z.npy --quiet"), "");
  EXPECT_EQ(refusal("report run --quiet"), "");
}

TEST_F(CliImages, AlphaIsLearnedAndPictured) {
  fs::create_directories(path("clear"));
  for (const int channels : {2, 4}) {
    for (int i = 0; i < 6; ++i)
      save_png(path(fmt::format("clear/{}.png", i)), Rng(i).uniform({channels, 8, 8}, {}) * 2 - 1);
    EXPECT_EQ(refusal("train --data clear --out run --overwrite --steps 2 --batch 4 --quiet"), "");
    EXPECT_TRUE(fs::exists(path("run/report.html")));
    EXPECT_EQ(refusal("sample run --n 1 --steps 3 --out s.png --quiet"), "");
    EXPECT_EQ(decode_png(read_file(path("s.png")), "s.png").numel(), channels * 12 * 12);
  }
}

TEST_F(CliImages, TablesHaveNoChannels) {
  write_points(20);
  const std::string train = "train --data points.csv --out run --dry-run --quiet ";
  for (const char* option : {"--channels 3", "--size 8", "--flip"})
    EXPECT_THAT(refusal(train + option), HasSubstr("for images, but it holds a table")) << option;
}

}  // namespace
}  // namespace fokker
