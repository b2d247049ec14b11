// Options that would do nothing are refused, or said.
#include "cli/inside.h"
#include "fokker/data/npy.h"

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
  for (const char* option : {"--columns 3", "--time 0.1", "--arrows 3", "--highlight 2", "--process ve",
                             "--samplers heun", "--frames 4", "--contours 2", "--measure weights"})
    EXPECT_THAT(refusal(scatter + option), HasSubstr("plot scatter does not take it")) << option;
}

// It holds every option; the defaults among them say nothing.
TEST_F(CliOptions, ASavedConfigurationIsNotRefused) {
  ASSERT_EQ(run("sample --target two-modes --n 5 --out s.csv --quiet").code, 0);
  EXPECT_EQ(run("sample --config s.csv.toml").code, 0);
}

}  // namespace
}  // namespace fokker
