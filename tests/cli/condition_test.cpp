// A model that is conditioned on columns of a table, through the commands that use it.
#include <cmath>

#include "cli/inside.h"
#include "fokker/data/array/npy.h"
#include "fokker/format/model.h"

namespace fokker {
namespace {

class ConditionCommand : public CliInside {
 protected:
  void SetUp() override {
    CliInside::SetUp();
    const Tensor u = Rng(5).normal({rows, 3}, {}, at::kDouble);
    const Tensor x = 2 * u.select(1, 0) + 0.5 * u.select(1, 2);
    values_ = at::stack({u.select(1, 0), x, u.select(1, 1) + u.select(1, 0)}, 1);
    save_csv("pairs.csv", values_, {"a", "x", "b"});
  }
  void train() const {
    ASSERT_EQ(refusal("train --data pairs.csv --condition x --out run --steps 30 --batch 64 --width 16 "
                      "--depth 1 --no-report --quiet"),
              "");
  }
  static constexpr int64_t rows = 400;
  Tensor values_;
};

TEST_F(ConditionCommand, TrainsSamplesAndMeasuresGivenItsColumns) {
  train();
  ASSERT_EQ(refusal("sample run --given x=0.5 --n 3 --out s.csv --quiet"), "");
  const Dataset samples = load_csv("s.csv");
  EXPECT_EQ(samples.columns, (std::vector<std::string>{"a", "x", "b"}));
  EXPECT_TRUE(samples.values.select(1, 1).eq(0.5).all().item<bool>());

  write("some.csv", "note,x\n1,0.5\n2,-1\n");
  ASSERT_EQ(refusal("sample run --given-file some.csv --n 2 --out t.csv --quiet"), "");
  const Tensor of_file = load_csv("t.csv").values;
  EXPECT_TRUE(of_file.select(1, 1).equal(vector_of({0.5, 0.5, -1, -1})));
  // Row i of a mixed batch is row i of its condition's own.
  EXPECT_LT(worst(of_file.narrow(0, 0, 2), samples.values.narrow(0, 0, 2)), 1e-4);

  const Answer free = answer("sample run --n 2 --out u.csv");
  EXPECT_THAT(free.said, HasSubstr("no --given: samples without regard to the conditions x"));
  const Answer far = answer("sample run --given x=99 --n 2 --out u.csv");
  EXPECT_THAT(far.said, HasSubstr("x = 99 lies far outside of the training's"));

  const Json given = answer("likelihood run --data pairs.csv --rows 20").json;
  const Json without = answer("likelihood run --data pairs.csv --rows 20 --unconditional").json;
  EXPECT_EQ(given["given_conditions"], true);
  EXPECT_EQ(without["given_conditions"], false);
  EXPECT_NE(given["nats"], without["nats"]);
  ASSERT_EQ(refusal("score run --data pairs.csv --time 0.3 --out score.npy --quiet"), "");
  ASSERT_EQ(refusal("score run --data pairs.csv --time 0.3 --out free.npy --unconditional --quiet"), "");
  EXPECT_EQ(load_npy("score.npy").size(1), 2);
  EXPECT_GT(worst(load_npy("score.npy"), load_npy("free.npy")), 1e-4);
  EXPECT_EQ(answer("inspect run").json["condition"], Json({"x"}));
}

// There and back to the rows, given each row's own condition, which travels beside its latents.
TEST_F(ConditionCommand, LatentsKeepTheirConditions) {
  train();
  ASSERT_EQ(refusal("encode run --data pairs.csv --out z.csv --quiet"), "");
  const Dataset latents = load_csv("z.csv");
  EXPECT_EQ(latents.columns, (std::vector<std::string>{"latent_0", "latent_1", "x"}));
  ASSERT_EQ(refusal("decode run --data z.csv --out back.csv --quiet"), "");
  EXPECT_LT(worst(load_csv("back.csv").values, values_), 1e-3);
  ASSERT_EQ(refusal("interpolate run --data pairs.csv --rows 0,3 --frames 5 --out walk.csv --quiet"), "");
  const Tensor walk = load_csv("walk.csv").values;
  EXPECT_LT(worst(walk[0], values_[0]), 1e-3);
  EXPECT_LT(worst(walk[4], values_[3]), 1e-3);
  EXPECT_NEAR(walk[2][1].item<double>(), (values_[0][1] + values_[3][1]).item<double>() / 2, 1e-9);
}

// Measurements and gaps of rows of which the condition is known too: each row given its own.
TEST_F(ConditionCommand, RestoresAndImputesGivenItsColumns) {
  train();
  save_npy(path("y.npy"), rows_of({{0.5}, {-0.5}}));
  const std::string restore = "restore run --data y.npy --operator mask:columns=a --n 2 --steps 5 ";
  write("given.csv", "x\n2\n-2\n");
  ASSERT_EQ(refusal(restore + "--given-file given.csv --out two.npy --quiet"), "");
  ASSERT_EQ(refusal(restore + "--given x=2 --out high.npy --quiet"), "");
  const Answer free = answer(restore + "--out free.npy");
  EXPECT_THAT(free.said, HasSubstr("no --given: without regard to the conditions x"));
  const Tensor two = load_npy("two.npy"), high = load_npy("high.npy");
  EXPECT_LT(worst(two[0], high[0]), 1e-4);
  EXPECT_GT(worst(two[1], high[1]), 1e-2);
  EXPECT_GT(worst(two[0], load_npy("free.npy")[0]), 1e-2);

  write("gaps.csv", "b,x,a\n,2,0.5\n,-2,-0.5\n");
  ASSERT_EQ(refusal("impute run --data gaps.csv --out full.csv --steps 5 --quiet"), "");
  // One draw of each row is the same draw by either command, noise being keyed by seed and row: no Monte
  // Carlo error is between them, only the seven digits of the file, and 1e-5 is told from 0.
  ASSERT_EQ(
      refusal("restore run --data y.npy --operator mask:columns=a --n 1 --steps 5 --given-file given.csv "
              "--out one.npy --quiet"),
      "");
  const Tensor filled = load_csv("full.csv").values.select(1, 0),
               restored = load_npy("one.npy").select(2, 1).select(1, 0);
  EXPECT_LT(worst(filled, restored), 1e-5);
  EXPECT_GT(worst(filled, restored + 2e-5), 1e-5);
  write("few.csv", "b,a\n,0.5\n,-0.5\n");
  ASSERT_EQ(refusal("impute run --data few.csv --given x=2 --out few-full.csv --steps 5 --quiet"), "");
  const Tensor few = load_csv("few-full.csv").values, full = load_csv("full.csv").values;
  EXPECT_NEAR(few[0][0].item<double>(), full[0][0].item<double>(), 1e-3);
  EXPECT_GT(std::abs((few[1][0] - full[1][0]).item<double>()), 1e-2);
  EXPECT_THAT(answer("impute run --data few.csv --out few-full.csv --steps 5").said,
              HasSubstr("few.csv: it has none of the conditions x: without regard to them"));

  EXPECT_THAT(refusal("impute run --data gaps.csv --given x=2 --out o.csv"),
              HasSubstr("given: gaps.csv has a column 'x' of its own"));
  write("gaps.csv", "b,x,a\n,2,0.5\n,,-0.5\n");
  EXPECT_THAT(refusal("impute run --data gaps.csv --out o.csv", ErrorKind::input),
              HasSubstr("gaps.csv: line 3: column 'x': expected a number"));
  EXPECT_THAT(refusal(restore + "--given y=2 --out o.npy"), HasSubstr("COLUMN=NUMBER of the conditions x"));
  write("given.csv", "x\n2\n-2\n3\n");
  EXPECT_THAT(
      refusal(restore + "--given-file given.csv --out o.npy", ErrorKind::input),
      HasSubstr(
          "given.csv: expected conditions of each of 2 measurements, or one row for all, but it has 3"));
  EXPECT_THAT(
      refusal("restore --target two-modes --data y.npy --operator mask:columns=x0 --given x=1 --out o.npy"),
      HasSubstr("given: a target was trained without conditions"));
}

// Of images the conditions are in a file of their own, which score takes as likelihood does.
TEST_F(ConditionCommand, ScoresImagesGivenTheirConditions) {
  save_npy(path("images.npy"), Rng(3).uniform({24, 1, 8, 8}).mul(2).sub(1));
  save_npy(path("given.npy"), Rng(4).normal({24, 2}));
  ASSERT_EQ(
      refusal("train --data images.npy --labels given.npy --out run --network unet --channels 8 --steps 100 "
              "--ema 0 --learning-rate 0.01 --batch 8 --no-report --quiet"),
      "");
  const std::string score = "score run --data images.npy --time 0.5 --quantity denoised ";
  EXPECT_EQ(answer(score + "--labels given.npy --out given-score.npy").json["given_conditions"], true);
  const Answer without = answer(score + "--out free-score.npy");
  EXPECT_EQ(without.json["given_conditions"], false);
  EXPECT_THAT(without.said, HasSubstr("no --labels with the conditions c0, c1"));
  EXPECT_EQ(load_npy("given-score.npy").sizes(), IntArrayRef({24, 1, 8, 8}));
  EXPECT_GT(worst(load_npy("given-score.npy"), load_npy("free-score.npy")), 1e-5);
  EXPECT_THAT(refusal(score + "--labels given.npy --unconditional --out o.npy"),
              HasSubstr("labels: expected these or --unconditional"));
  save_npy(path("narrow.npy"), Rng(4).normal({24, 3}));
  EXPECT_THAT(refusal(score + "--labels narrow.npy --out o.npy", ErrorKind::input),
              HasSubstr("expected conditions of 2 numbers a row"));
  EXPECT_THAT(refusal("score --target two-modes --data images.npy --time 0.5 --labels given.npy --out o.npy"),
              HasSubstr("labels: a target was trained without labels"));
}

TEST_F(ConditionCommand, RefusesWhatDoesNotFit) {
  const std::string train_it = "train --data pairs.csv --steps 2 --out other ";
  EXPECT_THAT(refusal(train_it + "--condition y", ErrorKind::input),
              HasSubstr("no column 'y' to be a condition: its columns are a, x, b"));
  EXPECT_THAT(refusal(train_it + "--condition a,x,b", ErrorKind::input), HasSubstr("all of its columns"));
  EXPECT_THAT(refusal(train_it + "--condition x --label-column x"),
              HasSubstr("column 'x' is the label column"));
  EXPECT_THAT(refusal("train --data target:moons --condition x0 --steps 2 --out other"),
              HasSubstr("condition: expected a file with columns"));
  train();
  EXPECT_THAT(refusal("sample run --given y=1 --out s.csv"),
              HasSubstr("expected COLUMN=NUMBER of the conditions x but received 'y=1'"));
  EXPECT_THAT(refusal("sample run --given x=1..2 --out s.csv"), HasSubstr("expected x=NUMBER"));
  EXPECT_THAT(refusal("sample run --given x=1 --given x=2 --out s.csv"), HasSubstr("'x' is given twice"));
  EXPECT_THAT(refusal("sample run --guidance 2 --out s.csv"), HasSubstr("expected --label or --given too"));
  write("none.csv", "a,b\n1,2\n");
  EXPECT_THAT(refusal("sample run --given-file none.csv --out s.csv", ErrorKind::input),
              HasSubstr("none.csv: no column 'x', which the model's condition has"));
  EXPECT_THAT(refusal("likelihood run --data none.csv", ErrorKind::input),
              HasSubstr("none.csv: no column 'x', which the model has"));
}

TEST_F(ConditionCommand, CalibrationIsOfHeldOutPairs) {
  train();
  const Answer found =
      answer("calibrate run --data pairs.csv --rows 60 --draws 30 --steps 8 --out c.json --plot c.png");
  EXPECT_THAT(found.said, HasSubstr("the model was trained on these rows"));
  EXPECT_EQ(found.json["n"], 60);
  EXPECT_EQ(found.json["columns"].size(), 2);
  EXPECT_EQ(found.json["columns"][1]["column"], "b");
  EXPECT_EQ(found.json["given"], Json({"x"}));
  EXPECT_GT(found.json["p_value"].get<double>(), 0);
  EXPECT_EQ(Json::parse(read_file("c.json")), found.json);
  EXPECT_TRUE(fs::exists("c.png"));
  save_csv("few.csv", values_.narrow(0, 0, 5), {"a", "x", "b"});
  EXPECT_THAT(refusal("calibrate run --data few.csv --out c.json", ErrorKind::input),
              HasSubstr("few.csv: expected at least 20 rows but it has 5"));
  EXPECT_THAT(refusal("calibrate run --data few.csv --out c.txt"), HasSubstr("ends in .json"));
  ASSERT_EQ(
      refusal(
          "train --data pairs.csv --out plain --steps 3 --batch 16 --width 8 --depth 1 --no-report --quiet"),
      "");
  EXPECT_THAT(refusal("calibrate plain --data pairs.csv --out c.json"),
              HasSubstr("plain: it was trained without conditions"));
}

// Texts and whole numbers: the network of tables, given its conditions in every row.
TEST_F(ConditionCommand, OfATableWithASchema) {
  std::string text = "sex,age,income\n";
  const Tensor u = Rng(6).uniform({300, 2}, {}, at::kDouble);
  for (int64_t i = 0; i < 300; ++i) {
    const int age = 20 + static_cast<int>(50 * u[i][0].item<double>());
    text += fmt::format("{},{},{:.1f}\n", i % 3 ? "male" : "female", age, age * (1 + u[i][1].item<double>()));
  }
  write("people.csv", text);
  ASSERT_EQ(
      refusal("train --data people.csv --condition sex,age --out people --steps 30 --batch 64 --width 16 "
              "--depth 1 --quiet"),
      "");
  ASSERT_EQ(refusal("sample people --given sex=male --given age=40 --n 4 --out s.csv --quiet"), "");
  EXPECT_TRUE(fs::exists("people/report.html"));
  EXPECT_THAT(read_file("s.csv"), ::testing::StartsWith("sex,age,income\nmale,40,"));
  EXPECT_THAT(refusal("sample people --given sex=male --n 4 --out s.csv"),
              HasSubstr("expected single values of sex, age in every row"));
  EXPECT_THAT(refusal("sample people --given sex=male --given age=30..40 --n 4 --out s.csv"),
              HasSubstr("expected single values of sex, age in every row"));
  const Json likelihood = answer("likelihood people --data people.csv --rows 30").json;
  EXPECT_EQ(likelihood["probabilities"], Json({"income"}));
  EXPECT_EQ(likelihood["given_conditions"], true);
  EXPECT_EQ(refusal("score people --data people.csv --time 0.4 --out score.npy --quiet"), "");
  EXPECT_THAT(refusal("encode people --data people.csv --out z.npy"),
              HasSubstr("do not hold the cells that it is given"));
  EXPECT_EQ(answer("calibrate people --data people.csv --rows 40 --draws 10 --steps 8 --out c.json")
                .json["columns"]
                .size(),
            1);
}

}  // namespace
}  // namespace fokker
