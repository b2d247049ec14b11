// The commands that evaluate: scores, likelihoods, latents, simulations and the theory's checks.
#include "cli/fixture.h"
#include "fokker/data/array/npy.h"

namespace fokker {
namespace {

/// N(0, I) stays N(0, I) under a variance preserving process: score -x, E[x_0 | x_t] = alpha x.
TEST_F(Cli, ScoreOfAStandardNormalIsMinusX) {
  write("mixture.json",
        R"({"type": "gaussian_mixture", "weights": [1], "means": [[0, 0]], "covariances": [1]})");
  write("points.csv", "a,b\n1,-2\n0.5,3\n");
  const std::string command =
      "score --target mixture.json --process vp --data points.csv --time 0.3 --out s.npy ";
  const Tensor x = rows_of({{1, -2}, {0.5, 3}});
  ASSERT_EQ(run(command).code, 0);
  EXPECT_LT(worst(load_npy(path("s.npy")), -x), 1e-12);
  const Outcome outcome = run(command + "--quantity denoised --json");
  const double alpha = Json::parse(outcome.out)["alpha"].get<double>();
  EXPECT_LT(worst(load_npy(path("s.npy")), alpha * x), 1e-12);
  expect_refusal(command + "--quantity energy", 2, "valid names: score");
  expect_refusal("score --target mixture.json --data points.csv --time 1.5 --out t.npy", 2,
                 "time: expected a time in [0, 1]");
  write("wide.csv", "a,b,c\n1,2,3\n");
  expect_refusal("score --target mixture.json --data wide.csv --time 0.3 --out t.npy", 3,
                 "wide.csv: expected 2 columns");
}

/// log N(x; 0, 4) of two rows, by hand, in the units of the file.
TEST_F(Cli, LikelihoodIsInTheUsersUnits) {
  write("mixture.json",
        R"({"type": "gaussian_mixture", "weights": [1], "means": [[0]], "covariances": [4]})");
  write("points.csv", "a\n0\n2\n");
  const Outcome outcome =
      run("likelihood --target mixture.json --process flow --data points.csv --rtol 1e-6 --atol 1e-6 --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json result = Json::parse(outcome.out);
  const double nats = -0.5 * std::log(2 * M_PI * 4) - 0.25;
  EXPECT_NEAR(result["nats"].get<double>(), nats, 1e-4);
  EXPECT_NEAR(result["bits_per_dimension"].get<double>(), -nats / std::log(2.0), 2e-4);
  EXPECT_EQ(result["method"], "flow-exact");
  EXPECT_EQ(result["n"], 2);
  expect_refusal("likelihood --target mixture.json --data points.csv --method guess", 2,
                 "method: expected flow or elbo");
  expect_refusal("likelihood --target mixture.json --data none.csv", 3, "none.csv");
}

TEST_F(Cli, RoundTripOfRowsAtTheOriginIsANumber) {
  write("zeros.csv", "a,b\n0,0\n0,0\n");
  const Outcome encoded = run("encode --target standard-normal --data zeros.csv --out z.npy --json");
  ASSERT_EQ(encoded.code, 0) << encoded.err;
  const Json error = Json::parse(encoded.out)["round_trip_error"];
  ASSERT_TRUE(error.is_number()) << encoded.out;
  EXPECT_EQ(error.get<double>(), 0);
}

TEST_F(Cli, EncodesAndDecodesToTheSamePoints) {
  ASSERT_EQ(run("sample --target two-modes --n 20 --out points.csv --quiet").code, 0);
  const Outcome encoded = run("encode --target two-modes --data points.csv --out z.npy --json");
  EXPECT_LT(Json::parse(encoded.out)["round_trip_error"].get<double>(), 1e-4);
  ASSERT_EQ(run("decode --target two-modes --data z.npy --out back.npy").code, 0);
  EXPECT_LT(worst(load_npy(path("back.npy")), load_csv(path("points.csv")).values), 1e-3);
  ASSERT_EQ(run("interpolate --target two-modes --data points.csv --rows 0,5 --frames 4 --out w.npy").code,
            0);
  const Tensor walk = load_npy(path("w.npy")), points = load_csv(path("points.csv")).values;
  EXPECT_EQ(walk.size(0), 4);
  EXPECT_LT(worst(walk[0], points[0]), 1e-3);
  EXPECT_LT(worst(walk[3], points[5]), 1e-3);
  expect_refusal("interpolate --target two-modes --data points.csv --rows 0,20 --out w.npy", 2,
                 "a whole number from 0 to 19");
}

/// Forward, row 0 is data and the last row noise; reverse and flow the other way round.
TEST_F(Cli, SimulatesInEveryDirection) {
  for (const std::string direction : {"forward", "reverse", "flow"}) {
    const Outcome outcome =
        run("simulate --target two-modes --process vp --n 400 --steps 50 --out p.npy --direction " +
            direction + " --plot p.png --json");
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const Tensor paths = load_npy(path("p.npy"));
    EXPECT_EQ(paths.sizes(), (std::vector<int64_t>{51, 400, 2}));
    const Tensor data = paths[direction == "forward" ? 0 : 50],
                 noise = paths[direction == "forward" ? 50 : 0];
    // The data's mean is 3 with a deviation of 4.1, the noise's about 0.02 with one of 1.
    EXPECT_NEAR(data.mean().item<double>(), 3, 4.5 * 4.1 / 20) << direction;
    EXPECT_NEAR(noise.mean().item<double>(), 0.02, 4.5 / 20) << direction;
    EXPECT_TRUE(fs::exists(path("p.png")));
  }
  expect_refusal("simulate --target two-modes --direction sideways --out p.npy", 2,
                 "valid names: forward, reverse, flow");
}

/// Brownian noising with sigma = 2: the prior has the variance 1 + sigma^2, its noise alone sigma^2.
TEST_F(Cli, SimulatesFromThePriorOrItsNoise) {
  for (const auto& [start, variance] : {std::pair{"prior", 5.0}, {"noise", 4.0}}) {
    const Outcome outcome =
        run(std::string("simulate --target two-modes --process brownian:sigma=2 --n 4000 ") +
            "--steps 4 --direction reverse --out p.npy --start " + start);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const Tensor first = load_npy(path("p.npy"))[0].to(at::kDouble);
    EXPECT_NEAR(first.var().item<double>(), variance, 4.5 * variance * std::sqrt(2.0 / 8000)) << start;
  }
  expect_refusal("simulate --target two-modes --direction reverse --out p.npy --start here", 2,
                 "expected exact, prior or noise");
}

TEST_F(Cli, VerifiesAndFailsWithoutAnIngredient) {
  EXPECT_GE(Json::parse(run("verify --list --json").out)["checks"].size(), 60U);
  const Outcome right = run("verify s2.fisher s1.posterior --json");
  EXPECT_EQ(right.code, 0);
  const Json result = Json::parse(right.out);
  EXPECT_EQ(result["failed"], 0);
  for (const Json& check : result["checks"])
    for (const char* key : {"id", "source", "statement", "expected", "measured", "tolerance", "passed"})
      EXPECT_TRUE(check.contains(key)) << key;
  EXPECT_EQ(run("verify s2.fisher.closed-form --without order").code, 1);
  expect_refusal("verify s2.fishery", 2, "no check is named 's2.fishery'");
  expect_refusal("verify s2.fisher.closed-form --without luck", 2,
                 "expected an ingredient to leave out among order");
}

}  // namespace
}  // namespace fokker
