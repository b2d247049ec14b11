// The kinds of file that samples are written to, and what pictures say of themselves.
#include "cli/inside.h"
#include "fokker/data/array/npy.h"
#include "fokker/image/image.h"
#include "fokker/image/png_text.h"

namespace fokker {
namespace {

class CliSampleFiles : public CliInside {
 protected:
  void train_on_images() const {
    fs::create_directories(path("images"));
    for (int i = 0; i < 6; ++i)
      save_png(path(fmt::format("images/{}.png", i)), Rng(i).uniform({1, 8, 8}, {}) * 2 - 1);
    ASSERT_EQ(refusal("train --data images --out run --steps 2 --batch 4 --quiet --no-report"), "");
  }
};

TEST_F(CliSampleFiles, ImagesGoIntoAFolderOneByOne) {
  train_on_images();
  ASSERT_EQ(refusal("sample run --n 3 --steps 3 --seed 5 --out s/ --quiet"), "");
  ASSERT_EQ(refusal("sample run --n 3 --steps 3 --seed 5 --out s.npy --quiet"), "");
  const Tensor samples = load_npy(path("s.npy"));
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_TRUE(load_image(path(fmt::format("s/0000{}.png", i))).equal(to_pixels(samples[i])));
  EXPECT_TRUE(fs::exists(path("s/config.toml")));
  EXPECT_THAT(refusal("sample run --n 3 --steps 3 --out s/ --quiet"),
              HasSubstr("s/: expected a new or an empty folder"));
  EXPECT_THAT(refusal("sample --target moons --out t/ --quiet"), HasSubstr("a folder is for images"));
  const PngTexts texts = read_png_texts(read_file(path("s/00001.png")), "s");
  EXPECT_EQ(texts.at("Seed"), "5");
  EXPECT_EQ(texts.at("Model"), "run");
}

TEST_F(CliSampleFiles, PicturesSayWhatMadeThem) {
  ASSERT_EQ(refusal("sample --target moons --n 50 --seed 3 --out moons.png --quiet"), "");
  const auto answer = CliInside::answer("inspect moons.png");
  EXPECT_EQ(answer.json["texts"]["Command"], "fokker sample --seed 3 --target moons --n 50 --out moons.png");
  EXPECT_EQ(answer.json["texts"]["Seed"], "3");
  EXPECT_FALSE(answer.json["texts"].contains("Model"));
  EXPECT_THAT(answer.json["texts"]["Software"].get<std::string>(), HasSubstr("fokker "));
}

TEST_F(CliSampleFiles, ArraysAreChosenByName) {
  save_npz(path("two.npz"), {{"a", at::zeros({4, 2})}, {"b", at::ones({4, 3})}});
  EXPECT_THAT(refusal("inspect two.npz", ErrorKind::input), HasSubstr("choose one of a, b"));
  EXPECT_EQ(CliInside::answer("inspect two.npz --array b").json["event_shape"], (Json{3}));
}

TEST_F(CliSampleFiles, ArraysGoIntoNpz) {
  ASSERT_EQ(refusal("sample --target moons --n 50 --out m.npz --quiet"), "");
  ASSERT_EQ(refusal("sample --target moons --n 50 --out m.npy --quiet"), "");
  EXPECT_TRUE(load_npz(path("m.npz")).at("x").equal(load_npy(path("m.npy"))));
  EXPECT_EQ(refusal("evaluate --samples m.npz --reference m.npy --quiet"), "");
}

}  // namespace
}  // namespace fokker
