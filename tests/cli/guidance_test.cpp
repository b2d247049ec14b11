// Guidance from the command: weights, intervals, and the run of a worse model.
#include "cli/inside.h"
#include "fokker/data/array/npy.h"

namespace fokker {
namespace {

class GuidanceCommand : public CliInside {
 protected:
  /// Two classes that overlap, at -1 and 1 of column x, times `scale`.
  void write_data(const std::string& name, const std::string& columns = "x,y", double scale = 1) const {
    const Tensor noise = Rng(5).normal({600}, {}, at::kDouble);
    std::string text = columns + "\n";
    for (int i = 0; i < 600; ++i)
      text += fmt::format("{},{}\n", scale * (noise[i].item<double>() + (i % 2 ? 1 : -1)), i % 2 ? "b" : "a");
    write(name, text);
  }
  static void train(const std::string& data, const std::string& out, const std::string& more = "") {
    ASSERT_EQ(refusal("train --data " + data + " --out " + out + " --label-column y --batch 128 --width 32 " +
                      "--depth 2 --no-report --quiet " + more),
              "");
  }
  double mean_of(const std::string& more) const {
    EXPECT_EQ(refusal("sample run --n 300 --steps 10 --out s.csv --quiet --label b " + more), "");
    return average(load_csv(path("s.csv")).values);
  }
};

TEST_F(GuidanceCommand, MovesSamplesAndIsReadAsTyped) {
  write_data("d.csv");
  train("d.csv", "run", "--steps 300");
  const double plain = mean_of(""), guided = mean_of("--guidance 3");
  EXPECT_GT(guided, plain + 0.3);
  EXPECT_EQ(mean_of("--guidance 3 --guidance-interval 1e6.."), plain) << "nothing lies there";
  const double some = mean_of("--guidance 3 --guidance-interval ..0.5");
  EXPECT_GT(some, plain + 0.02);
  EXPECT_LT(some, guided - 0.02);
  EXPECT_EQ(mean_of("--guidance 3 --guidance-interval 0..1e9"), guided);
  const std::string sample = "sample run --n 5 --out t.csv --label b ";
  EXPECT_THAT(refusal(sample + "--guidance 2 --guidance-interval 3"), HasSubstr("expected LOW..HIGH"));
  EXPECT_THAT(refusal(sample + "--guidance 2 --guidance-interval 3..1"), HasSubstr("0 <= LOW <= HIGH"));
  EXPECT_THAT(refusal(sample + "--guidance 2 --guidance-interval a.."), HasSubstr("guidance-interval"));
  EXPECT_THAT(refusal(sample + "--guidance-interval 0..1"), HasSubstr("expected a weight --guidance"));
  EXPECT_THAT(refusal(sample + "--guidance 2 --guidance-interval 0..1 --sampler ula"),
              HasSubstr("one noise level"));
}

TEST_F(GuidanceCommand, OfAnotherRunIsComparedWithIt) {
  write_data("d.csv");
  train("d.csv", "run", "--steps 200");
  train("d.csv", "worse", "--steps 20");
  EXPECT_NE(mean_of("--guidance 2 --guide worse"), mean_of(""));
  EXPECT_EQ(mean_of("--guidance 2 --guide run"), mean_of("")) << "itself";
  const std::string sample = "sample run --n 5 --out t.csv --guidance 2 ";
  EXPECT_EQ(refusal(sample + "--guide worse --quiet"), "") << "without labels too";
  EXPECT_THAT(refusal(sample + "--guide nowhere", ErrorKind::input), HasSubstr("nowhere"));
  EXPECT_THAT(refusal("sample run --n 5 --out t.csv --guide worse"),
              HasSubstr("expected a weight --guidance"));
  train("d.csv", "other-process", "--steps 1 --process flow");
  EXPECT_THAT(refusal(sample + "--guide other-process"), HasSubstr("expected a model of the process"));
  write_data("wide.csv", "x,y", 2);
  train("wide.csv", "other-data", "--steps 1");
  EXPECT_THAT(refusal(sample + "--guide other-data"),
              HasSubstr("guide: other-data: expected a model with the same"));
  write_data("named.csv", "z,y");
  train("named.csv", "other-columns", "--steps 1");
  EXPECT_THAT(refusal(sample + "--guide other-columns"), HasSubstr("the same columns, x, but its own are z"));
  save_npy(path("images.npy"), at::zeros({8, 1, 8, 8}));
  ASSERT_EQ(
      refusal("train --data images.npy --out pictures --channels 8 --steps 1 --batch 4 --no-report --quiet"),
      "");
  EXPECT_THAT(refusal(sample + "--guide pictures"),
              HasSubstr("guide: pictures: expected a model of a table but received one of images"));
}

}  // namespace
}  // namespace fokker
