// Pictures and animations of the command, and the states that they are made of.
#include "cli/fixture.h"
#include "fokker/data/array/npy.h"
#include "fokker/image/image.h"

namespace fokker {
namespace {

int64_t count_of(const std::string& text, const std::string& part) {
  int64_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Where the ink of a picture is, as a share of its pixels.
double ink(const std::string& file) {
  const Tensor image = convert_channels(load_image(file), 3).to(at::kFloat);
  return (image.mean(0) < 250).to(at::kFloat).mean().item<double>();
}

TEST_F(Cli, DrawsDensitiesOfTargetsAndFiles) {
  ASSERT_EQ(run("sample --target two-modes --n 3000 --out points.csv").code, 0);
  for (const std::string arguments :
       {"density --target two-modes --process vp --time 0,0.5,1", "density points.csv",
        "density points.csv --process flow --time 0.3", "density --target moons",
        "density --target four-points --time 0.1,0.4", "density --target four-points --over-time",
        "density --target four-points --time 0.1,0.2,0.3,0.4,0.5,0.6,0.7",
        "score-field --target two-modes --process vp --time 0.3 --theme dark",
        "score-field --target four-points --time 0.2"}) {
    const Outcome outcome = run("plot " + arguments + " --out picture.png --width 500 --height 400");
    ASSERT_EQ(outcome.code, 0) << arguments << outcome.err;
    EXPECT_GT(ink(path("picture.png")), 0.01) << arguments;
    EXPECT_EQ(load_image(path("picture.png")).size(2), 500);
  }
  expect_refusal("plot density --target four-points --out x.png", 2, "has no density at t = 0");
  expect_refusal("plot density --target two-modes --time 2 --out x.png", 2,
                 "a time in [0, 1] but received 2");
  expect_refusal("plot density --target two-modes --over-time --out x.png", 2, "expected one coordinate");
  expect_refusal("plot density points.csv --target moons --out x.png", 2, "one file or --target");
  expect_refusal("plot density --target two-modes --limits 1,2,3 --out x.png", 2,
                 "x0,x1,y0,y1 but received 3");
  expect_refusal("plot density --target two-modes --out x.jpg", 2, ".png, .svg or .pdf");
  expect_refusal("plot score-field --target two-modes --time 0.1,0.2 --out x.png", 2,
                 "one --time but received 2");
  expect_refusal("plot score-field --out x.png", 2, "an input or --target");
  EXPECT_FALSE(fs::exists(folder_ / "x.png"));
}

TEST_F(Cli, DrawsTheScoreOfATrainedModel) {
  write_points(200);
  ASSERT_EQ(run("train --data points.csv --out run --steps 20 --batch 32 --width 16").code, 0);
  for (const std::string ground : {"", "--data points.csv"}) {
    ASSERT_EQ(run("plot score-field run --time 0.2 --out score.svg " + ground).code, 0);
    // The axes have the names and the units of the file: b is around 1e5.
    EXPECT_THAT(read_file(path("score.svg")), HasSubstr("<desc>"));
  }
  expect_refusal("plot score-field run --time 0 --out x.png", 2, "a trained score needs noise");
}

TEST_F(Cli, AnimatesWhatItSimulates) {
  const std::string simulate =
      "simulate --target two-modes --process vp --direction reverse --n 50 --steps 20 --out paths.npy ";
  ASSERT_EQ(run(simulate + "--plot paths.pdf --animate paths.webp --frames 6 --frame-rate 10 --loops 2 "
                           "--width 400 --height 300")
                .code,
            0);
  const std::string film = read_file(path("paths.webp"));
  EXPECT_EQ(count_of(film, "ANMF"), 6);
  // The chunk ANIM: size, background, loops; VP8X: the canvas less one.
  const size_t anim = film.find("ANIM");
  EXPECT_EQ(film[anim + 12], 2);
  EXPECT_EQ(static_cast<unsigned char>(film[film.find("VP8X") + 12]), 399 & 255);
  EXPECT_TRUE(read_file(path("paths.pdf")).starts_with("%PDF"));

  ASSERT_EQ(run("plot trajectory paths.npy --animate paths.gif --frames 4 --hold 0 --theme dark").code, 0);
  EXPECT_TRUE(read_file(path("paths.gif")).starts_with("GIF89a"));
  ASSERT_EQ(run("simulate --target four-points --direction forward --n 40 --steps 8 --out line.npy --animate "
                "line.webp")
                .code,
            0);
  EXPECT_EQ(count_of(read_file(path("line.webp")), "ANMF"), 9)
      << "every state where there are fewer than frames";

  expect_refusal(simulate + "--animate paths.avi", 2, ".webp, .gif or .mp4");
  expect_refusal(simulate + "--animate x.gif --frame-rate 80", 2, "at most 50");
  expect_refusal(simulate + "--animate x.gif --frames 0", 2, "frames > 0");
  expect_refusal("plot scatter paths.npy --out x.png --animate x.gif", 2, "expected plot trajectory");
  EXPECT_FALSE(fs::exists(folder_ / "x.gif"));
}

TEST_F(Cli, DrawsTrajectories) {
  ASSERT_EQ(run("simulate --target four-points --direction reverse --n 60 --steps 30 --out line.npy").code,
            0);
  ASSERT_EQ(run("plot trajectory line.npy --out steps.png").code, 0);
  ASSERT_EQ(run("plot trajectory line.npy --target four-points --times 1,0 --out law.png").code, 0);
  EXPECT_GT(ink(path("law.png")), 1.5 * ink(path("steps.png"))) << "the density fills more than lines";
  expect_refusal("plot trajectory line.npy --target four-points --out x.png", 2, "expected --times");
  expect_refusal("plot trajectory line.npy --times 1,0.5,0 --out x.png", 2,
                 "2 times or one for each of the 31 states");
  expect_refusal("plot trajectory line.npy", 2, "--out PICTURE or --animate FILE");
  save_npy(path("flat.npy"), at::zeros({5}));
  expect_refusal("plot trajectory flat.npy --out x.png", 3,
                 "flat.npy: expected states of shape (steps + 1, n, d)");
  save_npy(path("images.npy"), at::rand({7, 3, 1, 8, 8}) * 2 - 1);
  ASSERT_EQ(run("plot trajectory images.npy --out images.png").code, 0);
  // 3 rows of 7 images of 8 pixels, with 2 between.
  EXPECT_EQ(load_image(path("images.png")).size(1), 3 * 10 + 2);
  EXPECT_EQ(load_image(path("images.png")).size(2), 7 * 10 + 2);
}

TEST_F(Cli, KeepsTheStatesAtChosenTimes) {
  const std::string sample =
      "sample --target two-modes --process vp --sampler heun --steps 20 --grid uniform --n 30 --batch 7 "
      "--out x.npy --trajectory ";
  ASSERT_EQ(run(sample + "all.npy").code, 0);
  ASSERT_EQ(run(sample + "some.npy --trajectory-times 0.5,1,0.05").code, 0);
  const Tensor all = load_npy(path("all.npy")), some = load_npy(path("some.npy"));
  EXPECT_EQ(some.sizes(), (std::vector<int64_t>{3, 30, 2}));
  EXPECT_TRUE(at::equal(some, at::stack({all[0], all[10], all[19]})));
  expect_refusal(sample + "x.npy --trajectory-times 0.52", 2,
                 "0.52 is not a time of this run; the nearest are 0.5 and 0.55");
  expect_refusal(sample + "x.npy --trajectory-times 0.5,0.5", 2, "each time once but received 0.5 twice");
  expect_refusal(sample + "x.npy --trajectory-times 0.5 --trajectory-every 2", 2, "not both");
  expect_refusal("sample --target two-modes --steps 5 --n 3 --out x.npy --trajectory-times 0.5", 2,
                 "expected --trajectory");
  expect_refusal("sample --target two-modes --n 3 --out x.npy --trajectory y.npy", 2, "drawn directly");
  expect_refusal(
      "sample --target two-modes --sampler ula --n 3 --out x.npy --trajectory y.npy --trajectory-times 0.5",
      2, "have no times");
}

TEST_F(Cli, PlacesTheSecondEvaluationOfDpmpp2S) {
  const std::string sample = "sample --target two-modes --steps 8 --n 5 --sampler dpmpp-2s";
  ASSERT_EQ(run(sample + " --out usual.npy").code, 0);
  ASSERT_EQ(run(sample + ":ratio=0.5 --out half.npy").code, 0);
  ASSERT_EQ(run(sample + ":ratio=1 --out end.npy").code, 0);
  EXPECT_TRUE(at::equal(load_npy(path("usual.npy")), load_npy(path("half.npy"))));
  EXPECT_FALSE(at::equal(load_npy(path("usual.npy")), load_npy(path("end.npy"))));
  expect_refusal(sample + ":ratio=1.5 --out x.npy", 2, "0 < ratio <= 1 but received 1.5");
}

// Names that would be markup, a command or an option anywhere else are text here.
TEST_F(Cli, DrawsHostileNamesHarmlessly) {
  const std::string script = "<script>alert(1)</script>", title(10'000, 'x');
  write("hostile.csv", "\"" + script + "\",\"a\nb \"\"quoted\"\"\"\n1,2\n3,5\n2,9\n4,4\n");
  const std::string odd = "$(touch gone) ' \" & <b>.svg";
  write("odd.csv", "1,2\n2,3\n");  // without names, matched by place
  fs::rename(path("odd.csv"), path(odd + ".csv"));
  const std::string quoted = "\"\\$(touch gone) ' \\\" & <b>.svg";
  for (const std::string& arguments : {"scatter hostile.csv --out picture.svg --title '" + script + "'",
                                       "density hostile.csv --out picture.svg --title '" + title + "'",
                                       "scatter hostile.csv " + quoted + ".csv\" --out picture.svg"}) {
    const Outcome outcome = run("plot " + arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(count_of(read_file(path("picture.svg")), "<script"), 0);
  }
  ASSERT_EQ(run("plot scatter hostile.csv --out " + quoted + "\"").code, 0);
  EXPECT_TRUE(fs::exists(folder_ / odd));
  EXPECT_FALSE(fs::exists(folder_ / "gone"));
}

}  // namespace
}  // namespace fokker
