// Training says where samples cannot be right; few rows and short chains do what can be done.
#include "cli/fixture.h"

namespace fokker {
namespace {

const std::string quick = "--steps 3 --batch 16 --width 8 --depth 1 --seed 1 ";

TEST_F(Cli, APriorThatDoesNotFitIsSaidEverywhere) {
  write_points(60);
  const Outcome trained = run("train --data points.csv --out run --process ve:sigma_max=0.5 " + quick);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("warning: prior: samples of this model start from noise alone"));
  EXPECT_THAT(trained.err, HasSubstr("beside noise of 0.5"));
  EXPECT_THAT(trained.err, HasSubstr("choose --process ve:sigma_max=50"));
  EXPECT_THAT(read_file(path("run/report.html")), HasSubstr("a process that would do is ve:sigma_max=50"));
  const Outcome drawn = run("sample run --n 5 --out s.csv --json --quiet");
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_THAT(drawn.err, HasSubstr("warning: prior: samples start from noise alone"));
  const Json prior = Json::parse(drawn.out)["prior"];
  EXPECT_FALSE(prior["fits"].get<bool>());
  EXPECT_GT(prior["ratio"].get<double>(), 1.9);
  EXPECT_EQ(prior["choose"], "ve:sigma_max=50");
}

TEST_F(Cli, AFarRowThatMakesAPointOfTheOthersIsSaid) {
  std::string text = "a,b\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{},{}\n", i, i == 7 ? 1e200 : i % 5);
  write("far.csv", text);
  const std::string train =
      "train --data far.csv --out run --held-out 0 --dry-run --quiet --predict velocity ";
  const std::string said = run(train).err;
  EXPECT_THAT(said, HasSubstr("warning: far.csv: column 'b': the middle half of its rows spans 2"));
  EXPECT_THAT(said, HasSubstr("for row 7 (from 0) is 1e+200"));
  EXPECT_EQ(run(train + "--columns a").err, "");
}

TEST_F(Cli, APriorThatFitsIsNotWarnedOf) {
  write_points(60);
  const Outcome trained =
      run("train --data points.csv --out run --process ve:sigma_max=50 --no-report " + quick);
  EXPECT_THAT(trained.err, ::testing::Not(HasSubstr("warning")));
  const Outcome drawn = run("sample run --n 5 --out s.csv --json");
  EXPECT_THAT(drawn.err, ::testing::Not(HasSubstr("warning")));
  EXPECT_TRUE(Json::parse(drawn.out)["prior"]["fits"].get<bool>());
  // A grid that begins where there is still data, from the prior of t = 1.
  EXPECT_THAT(run("sample run --n 5 --out s.csv --sampler euler --grid 0.6,0.3,0").err,
              HasSubstr("begin the grid at 1"));
  // The exact denoiser starts from the exact law, but for annealing.
  EXPECT_THAT(run("sample --target two-modes --process brownian --n 5 --out s.csv --sampler euler").err,
              ::testing::Not(HasSubstr("warning")));
  EXPECT_THAT(run("sample --target two-modes --process ve:sigma_max=2 --n 5 --out s.csv --sampler "
                  "annealed-langevin:levels=3,inner=2")
                  .err,
              HasSubstr("warning: prior"));
}

// Equal steps of t under a process that is noisy soon after t = 0; the usual spacing of every sampler is
// fine.
TEST_F(Cli, AGridThatLosesTheDataIsSaid) {
  const std::string sample =
      "sample --target two-modes --process brownian:sigma=200 --n 5 --out s.csv --quiet ";
  const std::string said = run(sample + "--grid uniform --steps 25").err;
  EXPECT_THAT(said,
              HasSubstr("warning: grid: the last step begins with noise of 40 beside data of deviation 4"));
  EXPECT_THAT(said, HasSubstr("choose --grid log-snr, or more --steps"));
  EXPECT_EQ(run(sample + "--grid log-snr --steps 25").err, "");
  for (const std::string sampler : {"", "--sampler pndm", "--sampler dopri5"})
    EXPECT_EQ(run(sample + sampler).err, "") << sampler;
  write_points(60);
  ASSERT_EQ(
      run("train --data points.csv --out run --process brownian:sigma=20 --no-report --quiet " + quick).code,
      0);
  EXPECT_THAT(run("sample run --n 5 --out s.csv --grid quadratic --steps 10 --quiet").err,
              HasSubstr("noise of 2 beside data of deviation 1"));
  EXPECT_EQ(run("sample run --n 5 --out s.csv --quiet").err, "");
}

TEST_F(Cli, FewRowsDoWhatCanBeDone) {
  for (const int rows : {1, 2, 3, 4}) {
    const std::string name = fmt::format("run{}", rows);
    std::string text = "a,b\n";
    for (int i = 0; i < rows; ++i) text += fmt::format("{},{}\n", i + 1, 7);
    write("few.csv", text);
    const Outcome trained = run(fmt::format("train --data few.csv --out {} {}", name, quick));
    ASSERT_EQ(trained.code, 0) << rows << trained.err;
    EXPECT_EQ(trained.err.find("will not compare") != std::string::npos, rows < 4) << trained.err;
    EXPECT_THAT(trained.err, HasSubstr(fmt::format("no row is held out: 0.05 of {} rows", rows)));
    EXPECT_THAT(trained.err, ::testing::Not(HasSubstr("not written")));
    const std::string page = read_file(path(name + "/report.html"));
    EXPECT_EQ(page.find("are not compared: that takes 4 rows") != std::string::npos, rows < 4);
  }
  EXPECT_EQ(run("sample run1 --n 1 --out s.csv").code, 0);
}

TEST_F(Cli, EqualRowsAndAChainOfOneStepTrainToTheEnd) {
  write(
      "equal.csv", "a,b\n" + [] {
        std::string rows;
        for (int i = 0; i < 20; ++i) rows += "3,4\n";
        return rows;
      }());
  const Outcome equal = run("train --data equal.csv --out equal " + quick);
  EXPECT_EQ(equal.code, 0) << equal.err;
  EXPECT_THAT(equal.err, ::testing::Not(HasSubstr("not written")));
  write_points(30);
  const Outcome one = run("train --data points.csv --out one --process ddpm:steps=1 " + quick);
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.err, ::testing::Not(HasSubstr("not written")));
}

// Before the work: nothing is trained, and nothing is left.
TEST_F(Cli, WhatWouldFailAtTheEndFailsAtTheStart) {
  write_points(30);
  expect_refusal("train --data points.csv --out run --process flow --predict noise --quiet", 2,
                 "says nothing of the data");
  EXPECT_FALSE(fs::exists(path("run")));
  write("file", "");
  expect_refusal("train --data points.csv --out file/run --quiet", 5, "cannot create the folder");
  write("latin.csv", "caf\xe9,b\n1,2\n3,4\n5,6\n");
  const Outcome latin = run("train --data latin.csv --out latin " + quick);
  EXPECT_TRUE(latin.code == 3 ? !fs::exists(path("latin")) : fs::exists(path("latin/fokker.json")))
      << latin.err;
}

}  // namespace
}  // namespace fokker
