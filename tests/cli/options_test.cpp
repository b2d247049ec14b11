// Options that would do nothing are refused, or said.
#include "cli/inside.h"
#include "fokker/data/array/npy.h"

namespace fokker {
namespace {

class CliOptions : public CliInside {};

TEST_F(CliOptions, SampleRefusesWhatDoesNothing) {
  const std::string direct = "sample --target two-modes --n 5 --out s.csv --quiet ";
  EXPECT_THAT(refusal(direct + "--grid uniform"), HasSubstr("grid: a target is drawn directly"));
  EXPECT_THAT(refusal(direct + "--batch 3"), HasSubstr("batch: a target is drawn directly"));
  EXPECT_THAT(refusal(direct + "--label 1"), HasSubstr("label: a target has no classes"));
  EXPECT_THAT(refusal(direct + "--guidance 2"), HasSubstr("guidance: a target has no classes"));
  EXPECT_THAT(refusal(direct + "--process vp --clip 1"),
              HasSubstr("clip: the exact denoiser is not clipped"));
  EXPECT_THAT(refusal(direct + "--process vp --trajectory-every 2"),
              HasSubstr("trajectory-every: expected --trajectory"));
  EXPECT_THAT(refusal(direct + "--sampler ula --grid uniform"),
              HasSubstr("grid: the steps of ula have no times"));
  EXPECT_THAT(refusal("sample run --process ve --n 5 --out s.csv"), HasSubstr("process: a run has its own"));
}

TEST_F(CliOptions, TrainRefusesWhatDoesNothing) {
  write_points(30);
  const std::string table = "train --data points.csv --out run --dry-run --quiet ";
  EXPECT_THAT(refusal(table + "--channels 8"), HasSubstr("channels: a table is learned by an MLP"));
  EXPECT_THAT(refusal(table + "--rows 7"), HasSubstr("rows: a file has its own rows"));
  EXPECT_THAT(refusal(table + "--objective simple --times uniform"), HasSubstr("draws times by its own law"));
  EXPECT_THAT(refusal(table + "--embedding raw --time-scale 3"), HasSubstr("embedding sinusoidal"));
  EXPECT_THAT(refusal(table + "--steps 5 --minutes 1"), HasSubstr("steps: expected it or minutes, not both"));
  save_npy(path("images.npy"), Rng(5).uniform({4, 1, 8, 8}, {}, at::kFloat));
  const std::string images = "train --data images.npy --out run --dry-run --quiet ";
  for (const char* option :
       {"--width 64", "--depth 2", "--activation nonsense", "--plain", "--embedding raw", "--time-scale 3"})
    EXPECT_THAT(refusal(images + option), HasSubstr("images are learned by a U-Net")) << option;
  EXPECT_THAT(refusal(images + "--normalise whiten"), HasSubstr("normalise: images are scaled"));
  EXPECT_FALSE(fs::exists(path("run")));
}

TEST_F(CliOptions, WhiteningThatCannotBeIsSaid) {
  write_points(4);
  EXPECT_THAT(run("train --data points.csv --out run --dry-run --normalise whiten").err,
              HasSubstr("warning: normalise: 4 rows of 2 columns cannot be whitened"));
}

TEST_F(CliOptions, OtherCommandsRefuseWhatDoesNothing) {
  write_points(30);
  const std::string likelihood = "likelihood --target two-modes --data points.csv --quiet ";
  EXPECT_THAT(refusal(likelihood + "--probes 3"),
              HasSubstr("probes: an exact divergence takes no directions"));
  EXPECT_THAT(refusal(likelihood + "--steps 3"), HasSubstr("steps: the ODE chooses its own"));
  EXPECT_THAT(refusal(likelihood + "--method elbo --rtol 1e-3"), HasSubstr("rtol: the elbo has no ODE"));
  const std::string simulate = "simulate --target two-modes --out p.npy --quiet --direction ";
  EXPECT_THAT(refusal(simulate + "forward --sampler euler"), HasSubstr("sampler: the noising is exact"));
  EXPECT_THAT(refusal(simulate + "forward --start prior"), HasSubstr("start: the noising is exact"));
  EXPECT_THAT(refusal(simulate + "flow --frames 3"), HasSubstr("frames: there is no animation"));
  EXPECT_THAT(refusal(simulate + "flow --title T"), HasSubstr("title: nothing is drawn"));
  const std::string evaluate = "evaluate --samples points.csv --reference points.csv --quiet ";
  EXPECT_THAT(refusal(evaluate + "--n 5"), HasSubstr("n: a file has its own rows"));
  EXPECT_THAT(refusal(evaluate + "--times 5"), HasSubstr("times: only scores are compared at times"));
  const std::string scatter = "plot scatter points.csv --out p.png --quiet ";
  for (const char* option : {"--size 3", "--time 0.1", "--arrows 3", "--highlight 2", "--process ve",
                             "--samplers heun", "--frames 4", "--contours 2", "--measure weights"})
    EXPECT_THAT(refusal(scatter + option), HasSubstr("plot scatter does not take it")) << option;
  for (const char* option : {"--columns a", "--separator ,", "--flip"})
    EXPECT_THAT(refusal(std::string("plot schedule --out p.png --quiet ") + option),
                HasSubstr("plot schedule does not take it"))
        << option;
  EXPECT_THAT(refusal("plot grid points.csv --out p.png --quiet --header yes"),
              HasSubstr("plot grid does not take it"));
}

// Columns chosen by name are all that is read: the picture is that of a file which holds no more.
TEST_F(CliOptions, PicturesOfTablesTakeColumns) {
  write("more.csv", "b,word,a\n1,x,2\n3,y,5\n4,z,3\n2,x,4\n");
  for (const auto& [names, rows] : std::vector<std::pair<std::string, std::string>>{
           {"a", "a\n2\n5\n3\n4\n"}, {"a,b", "a,b\n2,1\n5,3\n3,4\n4,2\n"}})
    for (const char* kind : {"scatter", "density"}) {
      write("less.csv", rows);
      const auto drawn = [&](const std::string& file, const std::string& options) {
        EXPECT_EQ(refusal(fmt::format("plot {} {} --title T --out p.svg --quiet {}", kind, file, options)),
                  "");
        return read_file(path("p.svg"));
      };
      EXPECT_EQ(drawn("more.csv", "--columns " + names), drawn("less.csv", "")) << kind << " " << names;
    }
  EXPECT_THAT(refusal("plot scatter more.csv --out p.svg --quiet", ErrorKind::input),
              HasSubstr("column 'word': expected a number but found 'x'"));
}

// It holds every option; the defaults among them say nothing.
TEST_F(CliOptions, ASavedConfigurationIsNotRefused) {
  ASSERT_EQ(run("sample --target two-modes --n 5 --out s.csv --quiet").code, 0);
  EXPECT_EQ(run("sample --config s.csv.toml").code, 0);
}

TEST_F(CliOptions, NumbersOfLevelsAndOfStepsAreOne) {
  const std::string annealing =
      "sample --target two-modes --n 5 --out s.csv --quiet --sampler annealed-langevin:";
  EXPECT_THAT(refusal(annealing + "levels=5 --steps 50"), HasSubstr("expected levels or --steps, not both"));
  EXPECT_THAT(refusal(annealing + "levels=5 --grid 1,0.5,0.1"),
              HasSubstr("expected levels or a list of times"));
  EXPECT_EQ(refusal(annealing + "inner=2 --steps 5"), "");
  EXPECT_EQ(refusal(annealing + "levels=5,inner=2"), "");
}

TEST_F(CliOptions, WhatIsNotReadOrMeasuredTakesNoOptions) {
  write_points(30);
  ASSERT_EQ(refusal("train --data points.csv --out run --steps 2 --width 8 --no-report --quiet"), "");
  EXPECT_THAT(refusal("inspect run --columns a"), HasSubstr("columns: expected a file of data"));
  EXPECT_EQ(answer("inspect points.csv --columns a").json["columns"].size(), 1U);
  EXPECT_THAT(refusal("report run --separator ;"), HasSubstr("separator: the data is read as in training"));
  EXPECT_THAT(refusal("verify --list --without x"), HasSubstr("without: --list measures nothing"));
  EXPECT_THAT(refusal("gallery --list --out g"), HasSubstr("out: --list draws nothing"));
  EXPECT_THAT(refusal("sample --target two-modes --n 5 --out s.csv --precision fp32"),
              HasSubstr("precision: a target is sampled in fp64"));
  EXPECT_THAT(refusal("encode --target two-modes --data points.csv --out z.csv --precision bf16"),
              HasSubstr("precision: the exact denoiser of a target computes in fp64"));
}

// Before the work, not after it: there is nothing to lose yet.
TEST_F(CliOptions, AnOutputThatCannotHoldTheRowsIsRefusedFirst) {
  write("wide.csv", "a,b,c\n1,2,3\n2,1,4\n0,1,5\n");
  const std::string three = "columns but the samples have 3";
  EXPECT_THAT(refusal("sample --target data:wide.csv --n 1000000000000 --out s.png"), HasSubstr(three));
  EXPECT_THAT(refusal("encode --target data:wide.csv --data none.csv --out s.png"), HasSubstr(three));
  EXPECT_THAT(refusal("decode --target data:wide.csv --data none.csv --out s.png"), HasSubstr(three));
  EXPECT_THAT(refusal("likelihood --target data:wide.csv --data none.csv --out s.png"),
              HasSubstr("the samples have 1"));
}

TEST_F(CliOptions, CountsThatCannotBeAreRefused) {
  write_points(30);
  const std::string latent = " --target standard-normal --data points.csv --out z.csv --quiet ";
  EXPECT_THAT(refusal("encode" + latent + "--batch -1"), HasSubstr("batch: expected batch > 0"));
  EXPECT_THAT(refusal("interpolate" + latent + "--rows 0,1 --frames 1000000000000000"),
              HasSubstr("frames: expected at least 2, at most"));
  const std::string training = "train --data points.csv --out run --dry-run --quiet ";
  EXPECT_THAT(refusal(training + "--ema 1.5"), HasSubstr("expected 0 <= ema < 1"));
  EXPECT_THAT(refusal(training + "--gradient-clip -1"), HasSubstr("expected gradient clip >= 0"));
  EXPECT_THAT(refusal(training + "--minutes -1"), HasSubstr("expected minutes >= 0"));
  // More memory than there can be is no failure of the library underneath.
  expect_refusal("sample --target two-modes --n 1000000000000000 --out s.csv", 5, "out of memory");
}

TEST_F(CliOptions, ARowOutOfAllProportionIsNamedBeforeTraining) {
  std::string text = "a,b\n";
  for (int i = 0; i < 40; ++i)
    text += fmt::format("{},{}\n", i == 17 ? "1e39" : std::to_string(i % 7), i % 5);
  write("far.csv", text);
  const std::string training = "train --data far.csv --out run --dry-run --quiet --predict velocity ";
  EXPECT_THAT(refusal(training + "--normalise identity", ErrorKind::input),
              HasSubstr("far.csv: row 17 (from 0): it lies beyond the range of float32"));
  EXPECT_THAT(run(training).err, HasSubstr("for row 17 (from 0) is 1e+39"));
  // One row of a class is no such row: the others are one number in the file already.
  std::string rare = "a,b\n";
  for (int i = 0; i < 40; ++i) rare += fmt::format("{},{}\n", i == 17 ? 1 : 0, i % 5);
  write("rare.csv", rare);
  EXPECT_EQ(run("train --data rare.csv --out run --dry-run --quiet").err, "");
}

}  // namespace
}  // namespace fokker
