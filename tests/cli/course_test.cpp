// What the course's commands do for a reader: settings, derivations, diffusions of one's own, exercises.
#include <fstream>

#include "cli/inside.h"
#include "fokker/data/array/npy.h"

namespace fokker {
namespace {

class CliCourse : public CliInside {
 protected:
  void SetUp() override {
    CliInside::SetUp();
    write(
        "my.json",
        R"({"type": "gaussian_mixture", "weights": [0.4, 0.6], "means": [[-2], [1]], "covariances": [0.3, 0.5]})");
  }
};

TEST_F(CliCourse, VerifiesAReadersOwnProblem) {
  const Json row = answer("verify s3.tweedie.mixture --set target=my.json,sigma=0.8").json["checks"][0];
  EXPECT_EQ(row["passed"], true);
  EXPECT_EQ(row["set"]["sigma"], "0.8");
  const Json listed = answer("verify s0.reversal.vp --list").json["checks"][0]["settings"];
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed[1]["name"], "n");
  EXPECT_EQ(listed[1]["default"], "10000");
  const Json group = answer("verify s3.tweedie.mixture s3.tweedie.normal --set sigma=0.8").json["checks"];
  EXPECT_EQ(group[1]["set"]["sigma"], "0.8");
  EXPECT_EQ(group[0]["as_it_is"][0], "sigma (it has no such setting)");
  EXPECT_THAT(run("verify s3.tweedie.normal s3.tweedie.uniform --set sigma=0.8").out,
              HasSubstr("as it is, without sigma (it has no such setting)"));
  EXPECT_THAT(refusal("verify s3.tweedie.mixture --set n=5"),
              HasSubstr("unknown setting 'n'; valid: target, sigma"));
  EXPECT_THAT(refusal("verify s3.tweedie.mixture --set target=none.json", ErrorKind::input),
              HasSubstr("none.json"));
}

TEST_F(CliCourse, ExplainsLineByLine) {
  const Json result = answer("verify s1.posterior.noise-form --explain --out page.html").json;
  EXPECT_EQ(result["holds"], true);
  EXPECT_EQ(result["derivations"][0]["lines"].size(), 9u);
  EXPECT_THAT(read_file(path("page.html")), HasSubstr("<math display=\"block\">"));
  EXPECT_THAT(refusal("verify s0.reversal.vp --explain"), HasSubstr("no derivation is written out"));
  EXPECT_THAT(refusal("verify s1.posterior.noise-form --out page.html"),
              HasSubstr("it belongs to --explain"));
}

/// dx = -x dt + sqrt(2) dB from N(m, v) has the variance 1 + (v - 1) exp(-2 t), and goes back to the start.
TEST_F(CliCourse, SimulatesAWrittenDiffusion) {
  const auto run = [&](const std::string& more) {
    std::istringstream words(more);
    std::vector<std::string> list = {
        "simulate", "--sde",  "b=-x; sigma=sqrt(2)", "--n", "4000", "--steps", "100", "--out",
        "p.npy",    "--quiet"};
    for (std::string word; words >> word;) list.push_back(word);
    cli::CommandLine line;
    cli::add_commands(line);
    return line.run(list);
  };
  const double mean = -0.2, variance = 0.4 * 0.3 + 0.6 * 0.5 + 0.24 * 9;
  for (const std::string direction : {"forward", "reverse", "flow"}) {
    ASSERT_EQ(run("--target my.json --direction " + direction), 0);
    const Tensor paths = load_npy(path("p.npy"));
    ASSERT_EQ(paths.sizes(), (std::vector<int64_t>{101, 4000, 1}));
    const Tensor data = paths[direction == "forward" ? 0 : 100],
                 end = paths[direction == "forward" ? 100 : 0];
    EXPECT_NEAR(data.mean().item<double>(), mean, 4.5 * std::sqrt(variance / 4000)) << direction;
    EXPECT_NEAR(data.var().item<double>(), variance, 0.15) << direction;
    EXPECT_NEAR(end.var().item<double>(), 1 + (variance - 1) * std::exp(-2.0), 0.12) << direction;
  }
  // Without a target from N(0, 1), which this diffusion keeps.
  ASSERT_EQ(run("--direction forward"), 0);
  const Tensor paths = load_npy(path("p.npy"));
  for (const int64_t k : {0, 100}) {
    EXPECT_NEAR(paths[k].mean().item<double>(), 0, 4.5 / std::sqrt(4000)) << k;
    EXPECT_NEAR(paths[k].var().item<double>(), 1, 0.1) << k;
  }
  EXPECT_THAT([&] { run("--target my.json --direction reverse --without-divergence"); },
              ::testing::ThrowsMessage<Error>(HasSubstr("sigma does not depend on x")));
  EXPECT_THAT(refusal("simulate --sde geometric --target my.json --direction forward --out p.npy"),
              HasSubstr("brings its own start"));
  EXPECT_THAT(refusal("simulate --sde geometric --process vp --direction forward --out p.npy"),
              HasSubstr("--sde is a diffusion of its own"));
  EXPECT_THAT(refusal("simulate --sde b=-y;sigma=1 --target my.json --direction forward --out p.npy"),
              HasSubstr("sde: b: position 2 of '-y': unknown name 'y'; valid names: x1, t, x"));
  EXPECT_THAT(refusal("simulate --target my.json --end 2 --direction forward --out p.npy"),
              HasSubstr("belongs to --sde"));
}

TEST_F(CliCourse, GradesAnExercise) {
  EXPECT_GE(answer("exercise").json["exercises"].size(), 6u);
  EXPECT_EQ(answer("exercise s0.12-1 --answer sigma^2*(1-t)+1").json["right"], true);
  const Outcome wrong = run("exercise s0.12-1 --answer 'sigma*(1-t)+1'");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.out, HasSubstr("sigma is not squared"));
  EXPECT_THAT(refusal("exercise s0.12-1 --answer sigma^2*(1-s)"), HasSubstr("unknown name 's'"));
  EXPECT_THAT(refusal("exercise s0.13"), HasSubstr("there are: s0.12-1"));
}

}  // namespace
}  // namespace fokker
