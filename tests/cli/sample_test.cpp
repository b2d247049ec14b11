// `fokker sample`: what samplers find, report and refuse.
#include "cli/fixture.h"
#include "fokker/data/array/npy.h"
#include "fokker/evaluate/metrics.h"

namespace fokker {
namespace {

TEST_F(Cli, SamplesWithTheExactDenoiserAndEvaluates) {
  ASSERT_EQ(run("sample --target two-modes --process vp --sampler dpmpp-2m --steps 25 --n 2000 --out s.npy "
                "--trajectory path.npy")
                .code,
            0);
  EXPECT_EQ(load_npy(path("path.npy")).sizes(), (IntArrayRef{26, 2000, 2}));
  EXPECT_TRUE(at::equal(load_npy(path("path.npy"))[25], load_npy(path("s.npy"))));
  // The same states whatever the size of a batch, which is how many are in memory; thinned, some of them.
  const std::string again = "sample --target two-modes --process vp --sampler dpmpp-2m --steps 25 --n 2000 ";
  ASSERT_EQ(run(again + "--batch 300 --out b.npy --trajectory b-path.npy").code, 0);
  const Tensor whole = load_npy(path("path.npy"));
  EXPECT_LT((load_npy(path("b-path.npy")) - whole).abs().max().item<double>(), 1e-10);
  ASSERT_EQ(run(again + "--out k.npy --trajectory k-path.npy --trajectory-every 10").code, 0);
  const Tensor kept = whole.index_select(0, at::tensor(std::vector<int64_t>{0, 10, 20, 25}));
  EXPECT_TRUE(at::equal(load_npy(path("k-path.npy")), kept));
  expect_refusal(again + "--out k.npy --trajectory-every 0", 2, "trajectory-every > 0 but received 0");
  const Outcome evaluated = run("evaluate --samples s.npy --reference target:two-modes --json");
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const Json result = Json::parse(evaluated.out);
  EXPECT_NEAR(result["mode_weights"][0].get<double>(), 0.2, 4.5 * std::sqrt(0.16 / 2000) + 0.01);
  EXPECT_GT(result["p_value"].get<double>(), 1e-3);
  for (const char* key :
       {"energy_distance", "mmd", "sliced_wasserstein", "c2st_accuracy", "mean_error", "covariance_error"})
    EXPECT_TRUE(result.contains(key)) << key;
}

// S2's example in 15 evaluations: no further from exact samples than other exact samples of this size are.
// Those are apart by a difference p of the weights, W_2 ~ sqrt(|p|): twice the root mean square of three such
// distances is passed once in a thousand (|p| > 3.2 standard deviations).
TEST_F(Cli, TheDefaultSamplerIsWithinSamplingErrorInFifteenEvaluations) {
  const int64_t n = 100'000;
  const Outcome outcome =
      run("sample --target two-modes --process vp --steps 15 --n 100000 --out s.npy --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(Json::parse(outcome.out)["evaluations"], 15);
  const GaussianMixture target(vector_of({0.2, 0.8}), rows_of({{-5, -5}, {5, 5}}), vector_of({1, 1}));
  const Tensor samples = load_npy(path("s.npy"));
  const double distance = sliced_wasserstein(samples, target.sample(n, Rng(17)), 16, Rng(0));
  double square = 0;
  for (const uint64_t seed : {21, 22, 23})
    square += std::pow(
        sliced_wasserstein(target.sample(n, Rng(seed)), target.sample(n, Rng(seed + 10)), 16, Rng(0)), 2);
  EXPECT_LT(distance, 2 * std::sqrt(square / 3));
  const double share = (samples.sum(1) < 0).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(share, 0.2, 3 * std::sqrt(0.16 / static_cast<double>(n)));
}

TEST_F(Cli, SamplersReportTheirWorkAndRefuseWhatMakesNoSense) {
  const std::string sample = "sample --target two-modes --process vp --n 20 --out s.npy ";
  const Json adaptive = Json::parse(run(sample + "--sampler dopri5:rtol=1e-4,atol=1e-4 --json").out);
  EXPECT_GT(adaptive["evaluations"].get<int>(), 20);
  EXPECT_TRUE(adaptive.contains("rejected"));
  EXPECT_THAT(run(sample + "--sampler dopri5").out,
              ::testing::AllOf(HasSubstr("evaluations"), HasSubstr("rejected")));
  EXPECT_EQ(Json::parse(run(sample + "--sampler rk4 --steps 5 --json").out)["evaluations"], 17);
  EXPECT_EQ(Json::parse(run(sample + "--sampler euler --grid 1,0.5,0.1,0 --json").out)["evaluations"], 3);
  write("times.csv", "t\n1\n0.5\n0\n");
  EXPECT_EQ(Json::parse(run(sample + "--sampler euler --grid times.csv --json").out)["evaluations"], 2);
  expect_refusal(sample + "--sampler dopri5 --grid uniform", 2, "dopri5 chooses its own steps");
  expect_refusal(sample + "--sampler lms --steps 3", 2, "lms: expected at least 4 steps");
  expect_refusal(sample + "--sampler ddim --grid leading", 2, "expected the process of a chain");
  expect_refusal(sample + "--sampler ddim --grid 1,0.5,0 --steps 5", 2, "not both");
  expect_refusal(sample + "--sampler ddim --grid 0,1", 2, "decreasing");
  expect_refusal(sample + "--sampler predictor-corrector:predictor=dopri5", 2, "which chooses its own");
  expect_refusal(sample + "--sampler unipc:scale=bh3", 2, "one of bh2, bh1");
}

// By name, with their defaults, samplers find both modes of the plane.
TEST_F(Cli, SamplersFindBothModes) {
  for (const char* sampler :
       {"stochastic-heun", "adaptive-sde", "dpmpp-2s", "dpmpp-3m", "dpmpp-sde:form=singlestep", "deis", "lms",
        "pndm", "edm-stochastic", "predictor-corrector:predictor=ddim,step=0.1"}) {
    const Outcome outcome = run(fmt::format(
        "sample --target two-modes --process vp --n 400 --out s.npy --json --sampler {}", sampler));
    ASSERT_EQ(outcome.code, 0) << sampler << outcome.err;
    // Five standard errors of a share of 0.2, and two per cent for the few steps of some.
    EXPECT_NEAR(Json::parse(outcome.out)["mode_weights"][0].get<double>(), 0.2, 5 * 0.02 + 0.02) << sampler;
  }
}

// S2, sections 4.3 and 4.4, in the numbers that the command prints.
TEST_F(Cli, UlaMissesTheWeightsThatAnnealingFinds) {
  const auto first_weight = [&](const std::string& sampler) {
    const Outcome outcome = run("sample --target two-modes --n 1000 --out s.npy --json " + sampler);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return Json::parse(outcome.out)["mode_weights"][0].get<double>();
  };
  EXPECT_EQ(first_weight("--sampler ula --steps 300 --step-size 0.1 --start 5,5"), 0);
  EXPECT_GT(first_weight("--sampler mala --steps 300 --step-size 0.5"), 0.4) << "from the middle, by basin";
  EXPECT_NEAR(first_weight("--sampler annealed-langevin:levels=25,inner=50,step=0.1"), 0.2, 0.06);
  expect_refusal(
      "sample --target two-modes --sampler ula --step-size 9 --steps 2000 --n 5 --out x.csv --quiet", 1,
      "ula: a chain left the range of numbers");
  expect_refusal("sample --target two-modes --sampler heun --step-size 1 --n 5 --out x.csv", 2,
                 "step-size: expected --sampler ula");
  expect_refusal("sample --target two-modes --sampler ula --start 1,b --n 5 --out x.csv", 2,
                 "start: expected a number");
}

}  // namespace
}  // namespace fokker
