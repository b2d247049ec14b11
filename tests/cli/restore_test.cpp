// fokker restore, and imputation of plain numbers, which goes through the same.
#include "cli/inside.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/load.h"
#include "fokker/target/mixture_posterior.h"
#include "fokker/target/toys.h"

namespace fokker {
namespace {

class RestoreCommand : public CliInside {
 protected:
  void SetUp() override {
    CliInside::SetUp();
    write("m.json", R"({"type": "gaussian_mixture", "weights": [0.7, 0.3], "means": [[-1, 0], [1, 1]],
                     "covariances": [0.2, [0.1, 0.3]]})");
    save_npy(path("a.npy"), rows_of({{1, 1}}));
    save_npy(path("y.npy"), rows_of({{0.5}, {-1}}));
  }
  void expect_imputation() const;
  static constexpr const char* of_target =
      "restore --target m.json --process vp --data y.npy --operator matrix:a.npy ";
};

TEST_F(RestoreCommand, DrawsFromTheExactPosterior) {
  const Json json =
      answer(std::string(of_target) + "--noise 0.5 --method exact --n 5000 --out x.npy --uncertainty sd.npy")
          .json;
  EXPECT_EQ(json["rows"], 2);
  const Tensor x = load_npy(path("x.npy"));
  ASSERT_EQ(x.sizes(), IntArrayRef({2, 5000, 2}));
  for (const int64_t row : {0, 1}) {
    const GaussianMixture law = posterior(read_gaussian_mixture("m.json"), rows_of({{1, 1}}),
                                          vector_of({row == 0 ? 0.5 : -1.0}), 0.5);
    const Tensor error = (law.covariance().diagonal() / 5000).sqrt();
    EXPECT_LT(((x[row].mean(0) - law.mean()) / error).abs().max().item<double>(), 4.5);
    EXPECT_LT(worst(load_npy(path("sd.npy"))[row], law.covariance().diagonal().sqrt()), 0.03);
  }
}

TEST_F(RestoreCommand, WeighsParticles) {
  const Json json = answer(std::string(of_target) +
                           "--noise 0.5 --method tds --particles 500 --steps 20 --n 40 --out x.csv")
                        .json;
  ASSERT_EQ(json["ess"].size(), 2);
  EXPECT_GT(json["ess"][0].get<double>(), 50);
  EXPECT_EQ(json["particles"], 500);
  EXPECT_EQ(json["evaluations"], 20);
  const Dataset drawn = load_data(path("x.csv"));
  EXPECT_EQ(drawn.columns, (std::vector<std::string>{"row", "draw", "x0", "x1"}));
  EXPECT_EQ(drawn.size(), 80);
  EXPECT_EQ(drawn.values[79][0].item<double>(), 1);
  EXPECT_EQ(drawn.values[79][1].item<double>(), 39);
}

/// Plain numbers are imputed by the same, with the run of the folder.
void RestoreCommand::expect_imputation() const {
  write("gaps.csv", "id,b,a\np,100001.5,\nq,,\nr,99999.25,0.0005\ns,NA,0.001\n");
  const Json json = answer("impute run --data gaps.csv --out full.csv --draws 2 --steps 5").json;
  EXPECT_EQ(json["filled_cells"], 4);
  const std::string text = read_file(path("full.csv"));
  EXPECT_THAT(text, HasSubstr("draw,id,b,a\n0,p,100001.5,"));
  EXPECT_THAT(text, HasSubstr("\n0,r,99999.25,0.0005\n"));
  EXPECT_THAT(text, HasSubstr(",0.001\n1,p,100001.5,"));
  // A row's draws do not depend on the other rows' gaps.
  write("one.csv", "id,b,a\np,100001.5,\nq,5,0.1\n");
  answer("impute run --data one.csv --out one-full.csv --draws 2 --steps 5");
  const std::string one = read_file(path("one-full.csv"));
  EXPECT_EQ(one.substr(0, one.find("\n0,q")), text.substr(0, text.find("\n0,q")));
  write("text.csv", "b,a\nmany,0.1\n");
  EXPECT_THAT(refusal("impute run --data text.csv --out x.csv", ErrorKind::input),
              HasSubstr("text.csv: line 2: column 'b'"));
  EXPECT_THAT(refusal("impute run --data gaps.csv --method tds --out x.csv"),
              HasSubstr("tds: expected noise > 0"));
}

// Columns of scales 1e-3 and 1e5: what is measured comes back in the user's units.
TEST_F(RestoreCommand, SpeaksTheUsersUnits) {
  write_points(200);
  ASSERT_EQ(
      refusal(
          "train --data points.csv --out run --steps 20 --width 8 --depth 1 --batch 64 --no-report --quiet"),
      "");
  save_npy(path("b.npy"), rows_of({{100002.5}, {99999}}));
  for (const char* method : {"ddnm", "replacement"}) {
    const Json json =
        answer(
            std::string(
                "restore run --data b.npy --operator mask:columns=b --n 3 --steps 5 --out x.npy --method ") +
            method)
            .json;
    const Tensor x = load_npy(path("x.npy"));
    EXPECT_LT(worst(x.select(2, 1), rows_of({{100002.5}, {99999}}).expand({2, 3})), 1e-2) << method;
    EXPECT_LT(x.select(2, 0).abs().max().item<double>(), 0.1) << method;
    EXPECT_LT(json["residual"].get<double>(), 1e-2);
  }
  // Whole rows, the hidden cell not a number.
  save_npy(path("whole.npy"), rows_of({{NAN, 100002.5}, {NAN, 99999}}));
  answer(
      "restore run --data whole.npy --operator mask:columns=b --n 3 --steps 5 --out again.npy --method "
      "replacement");
  EXPECT_EQ(worst(load_npy(path("again.npy")), load_npy(path("x.npy"))), 0);
  expect_imputation();
}

TEST_F(RestoreCommand, RestoresImages) {
  const Tensor images = Rng(3).uniform({32, 1, 8, 8}).mul(2).sub(1);
  save_npy(path("images.npy"), images);
  ASSERT_EQ(refusal("train --data images.npy --out run --network unet --channels 8 --steps 2 --batch 8 "
                    "--no-report --quiet"),
            "");
  save_npy(path("small.npy"), at::avg_pool2d(images.narrow(0, 0, 2), {2, 2}));
  const Json json =
      answer(
          "restore run --data small.npy --operator downsample:2 --noise 0.1 --method mmps --n 3 --steps 3 "
          "--out x.npy --uncertainty sd.png")
          .json;
  EXPECT_EQ(load_npy(path("x.npy")).sizes(), IntArrayRef({2, 3, 1, 8, 8}));
  EXPECT_EQ(json["evaluations"], 3);
  EXPECT_GT(json["gradients"].get<int64_t>(), 3);
  answer("restore run --data small.npy --operator downsample:2 --method ddnm --n 3 --steps 3 --out grid.png");
  EXPECT_EQ(load_data(path("grid.png")).values.sizes(), IntArrayRef({1, 3, 2 * 8 + 6, 5 * 8 + 12}));
  const Tensor mask = at::ones({8, 8}, at::kByte);
  mask.slice(0, 4).fill_(0);
  save_npy(path("mask.npy"), mask);
  save_npy(path("seen.npy"), images.narrow(0, 0, 2));
  answer("restore run --data seen.npy --operator mask:mask.npy --method ddnm --n 2 --steps 3 --out x.npy");
  EXPECT_LT(worst(load_npy(path("x.npy")).slice(3, 0, 4),
                  images.narrow(0, 0, 2).slice(2, 0, 4).unsqueeze(1).expand({2, 2, 1, 4, 8})),
            1e-5);
}

// Counts of a law on the line against its posterior by a grid; gain and offset in the user's units.
TEST_F(RestoreCommand, TakesCounts) {
  write("line.json", R"({"type": "gaussian_mixture", "weights": [0.5, 0.5], "means": [[1], [3]],
                        "covariances": [0.1, 0.1]})");
  save_npy(path("counts.npy"), rows_of({{7}, {14}}));
  save_npy(path("one.npy"), rows_of({{1}}));
  const std::string counts = "restore --target line.json --data counts.npy --operator matrix:one.npy ";
  const Json json =
      answer(counts + "--noise poisson:gain=4,offset=0.5 --particles 3000 --steps 40 --n 3000 --out x.npy")
          .json;
  EXPECT_EQ(json["method"], "tds");
  EXPECT_EQ(json["noise"], Json({{"law", "poisson"}, {"gain", 4.0}, {"offset", 0.5}}));
  const Tensor grid = at::linspace(-0.4, 6, 6401, at::kDouble).unsqueeze(1), x = load_npy(path("x.npy"));
  for (const int64_t row : {0, 1}) {
    const Tensor rate = 4 * (grid.squeeze(1) + 0.5);
    const Tensor density =
        (read_gaussian_mixture("line.json").log_density(grid) + (row == 0 ? 7 : 14) * rate.log() - rate)
            .softmax(0);
    const double exact = density.dot(grid.squeeze(1)).item<double>(),
                 spread = std::sqrt(density.dot((grid.squeeze(1) - exact).square()).item<double>());
    // Resampled particles: at least a third of 3,000 are independent.
    EXPECT_NEAR(x[row].mean().item<double>(), exact, 5 * spread / std::sqrt(1000.0) + 0.02) << row;
  }
  EXPECT_EQ(answer(counts + "--noise poisson:4 --method dps:step=0.1 --out x.npy").json["noise"]["offset"],
            0.0);
  const std::string refused = counts + "--out x.npy --noise ";
  EXPECT_THAT(refusal(refused + "poisson:4 --method mmps"), HasSubstr("mmps: expected a linear measurement"));
  EXPECT_THAT(refusal(refused + "poisson:4 --method exact"), HasSubstr("method: exact takes normal noise"));
  EXPECT_THAT(refusal(refused + "poisson:0"), HasSubstr("noise: expected gain > 0"));
  EXPECT_THAT(refusal(refused + "poison"), HasSubstr("unknown noise 'poison'"));
  save_npy(path("counts.npy"), rows_of({{7}, {1.5}}));
  EXPECT_THAT(refusal(refused + "poisson:4", ErrorKind::input),
              HasSubstr("counts.npy: row 1 (from 0): expected counts, whole numbers >= 0"));
}

// Where the process leaves the data's mean, draws start from the law of x_1 of the target.
TEST_F(RestoreCommand, StartsWhereTheTargetIs) {
  write("far.json",
        R"({"type": "gaussian_mixture", "weights": [1], "means": [[20, -30]], "covariances": [1]})");
  save_npy(path("y.npy"), rows_of({{-9}}));
  answer(
      "restore --target far.json --process brownian --data y.npy --operator matrix:a.npy --noise 0.5 --n 500 "
      "--steps 50 --out x.npy");
  const GaussianMixture law =
      posterior(read_gaussian_mixture("far.json"), rows_of({{1, 1}}), vector_of({-9}), 0.5);
  EXPECT_LT(worst(load_npy(path("x.npy"))[0].mean(0), law.mean()), 5 / std::sqrt(500.0) + 0.05);
}

TEST_F(RestoreCommand, RefusesWhatDoesNotFit) {
  const std::string target = of_target;
  const auto input = ErrorKind::input;
  EXPECT_THAT(
      refusal(target + "--noise 0.5 --method dsp --out x.npy"),
      HasSubstr(
          "unknown posterior sampler 'dsp'; valid names: replacement, ddnm, dps, pigdm, mmps, tds, gibbs, "
          "exact, auto"));
  EXPECT_THAT(refusal(target + "--noise 0 --method tds --out x.npy"), HasSubstr("tds: expected noise > 0"));
  EXPECT_THAT(refusal(target + "--noise -1 --out x.npy"), HasSubstr("noise: expected noise >= 0"));
  EXPECT_THAT(refusal(target + "--n 0 --out x.npy"), HasSubstr("n: expected n > 0"));
  EXPECT_THAT(refusal(target + "--out x.png"),
              HasSubstr("x.png: draws of a table are written as .npy or .csv"));
  EXPECT_THAT(refusal(target + "--uncertainty sd.npy --out x.npy"), HasSubstr("expected n > 1 draws"));
  save_npy(path("wide.npy"), rows_of({{1, 2, 3}}));
  const std::string here = "restore --target m.json --noise 1 --out x.npy ";
  EXPECT_THAT(
      refusal(here + "--data wide.npy --operator matrix:a.npy", input),
      HasSubstr("wide.npy: expected rows of shape (1), which operator matrix measures, but it has (1, 3)"));
  EXPECT_THAT(refusal(here + "--data y.npy --operator matrix:wide.npy", input),
              HasSubstr("wide.npy: expected a matrix of 2 columns"));
  EXPECT_THAT(refusal(here + "--data y.npy --operator downsample:2"), HasSubstr("expected images"));
  save_npy(path("nan.npy"), rows_of({{1}, {NAN}}));
  EXPECT_THAT(refusal(here + "--data nan.npy --operator matrix:a.npy", input),
              HasSubstr("nan.npy: row 1 (from 0): expected finite numbers"));
  save_npy(path("twice.npy"), rows_of({{1, 1}, {1, 1}}));
  save_npy(path("no.npy"), rows_of({{1, 1}, {1, 2}}));
  EXPECT_THAT(refusal("restore --target m.json --data no.npy --operator matrix:twice.npy --out x.npy", input),
              HasSubstr("no.npy: row 1 (from 0): without noise, no x gives this measurement"));
}

TEST_F(RestoreCommand, PointsToImputeForTables) {
  std::string text = "age,job\n";
  for (int i = 0; i < 100; ++i) text += fmt::format("{},{}\n", 20 + i * 37 % 50, i % 2 ? "cook" : "guard");
  write("people.csv", text);
  ASSERT_EQ(
      refusal(
          "train --data people.csv --out run --steps 5 --width 8 --depth 1 --batch 32 --no-report --quiet"),
      "");
  EXPECT_THAT(refusal("restore run --data y.npy --operator mask:columns=age --out x.npy"),
              HasSubstr("fokker impute fills its missing cells"));
  EXPECT_THAT(refusal("impute run --data people.csv --method ddnm --out x.csv"),
              HasSubstr("method: run learned every column"));
}

}  // namespace
}  // namespace fokker
