// Exit codes, messages and files of the command.
#include "cli/fixture.h"
#include "fokker/data/array/npy.h"
#include "fokker/evaluate/metrics.h"

namespace fokker {
namespace {

TEST_F(Cli, HelpAndVersionSucceed) {
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_THAT(run("--version").out, HasSubstr("fokker "));
  for (const char* command : {"train", "sample", "evaluate", "inspect", "doctor", "plot"})
    EXPECT_THAT(run(std::string(command) + " --help").out, HasSubstr("Example:")) << command;
}

TEST_F(Cli, UsageErrorsExitWith2AndListTheValidNames) {
  expect_refusal("", 2, "expected a command");
  expect_refusal("sample --target two-modes --out x.csv --nonsense", 2, "nonsense");
  expect_refusal("sample --target two-modes --sampler eulr --n 5 --out x.csv", 2, "valid names: ancestral");
  expect_refusal("sample --target two-mode --n 5 --out x.csv", 2, "two-modes");
  expect_refusal("sample --target two-modes --process vq --steps 5 --out x.csv", 2, "valid names: vp");
  expect_refusal("sample --target two-modes --n -1 --out x.csv", 2, "n > 0");
  expect_refusal("sample --target two-modes --n 5 --out x.xyz", 2, ".npz, .csv or .png");
  expect_refusal("sample --target two-modes --n 5 --out x.csv --precision fp8", 2, "fp8");
  expect_refusal("doctor --device gpu", 2, "cuda:INDEX");
  EXPECT_FALSE(fs::exists(folder_ / "x.csv"));
}

TEST_F(Cli, BadInputExitsWith3AndNamesThePlace) {
  write("ragged.csv", "a,b\n1,2\n3\n");
  std::string rows;  // so many that a cell which is no number is a mistake
  for (int i = 0; i < 20; ++i) rows += fmt::format("{},{}\n", i * i, 100 - i * i);
  write("text.csv", "a,b\n1,2\n3,four\n" + rows);
  write("infinite.csv", "a,b\n1,2\n3,inf\n" + rows);
  write("empty.csv", "");
  write("short-ubyte", std::string("\0\0\x08\x03\0\0\x27\x10\0\0\0\x1c\0\0\0\x1c", 16) + "abc");
  write("huge.npy", std::string("\x93NUMPY\x01\0v\0", 10) +
                        "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 1), }" +
                        std::string(49, ' ') + "\n");
  expect_refusal("train --data missing.csv --out run", 3, "missing.csv: no such file");
  expect_refusal("train --data ragged.csv --out run", 3, "ragged.csv: line 3");
  expect_refusal("train --data text.csv --out run", 3, "text.csv: line 3");
  expect_refusal("train --data infinite.csv --out run", 3, "infinite.csv: line 3");
  expect_refusal("train --data empty.csv --out run", 3, "empty.csv");
  expect_refusal("train --data short-ubyte --out run", 3, "short-ubyte");
  expect_refusal("train --data huge.npy --out run", 3, "huge.npy");
  expect_refusal("sample nowhere --n 5 --out x.csv", 3, "nowhere: no such run folder");
  EXPECT_FALSE(fs::exists(folder_ / "run"));
  EXPECT_FALSE(fs::exists(folder_ / "x.csv"));
}

TEST_F(Cli, TrainsSamplesAndRepeatsItself) {
  write_points(200);
  const Outcome trained = run("train --data points.csv --out run --steps 30 --batch 32 --width 32 --json");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(Json::parse(trained.out)["steps"], 30);
  for (const char* part :
       {"fokker.json", "config.toml", "metrics.jsonl", "network/config.json", "checkpoints"})
    EXPECT_TRUE(fs::exists(folder_ / "run" / part)) << part;
  ASSERT_EQ(run("sample run --n 40 --out first.csv").code, 0);
  ASSERT_EQ(run("sample run --n 40 --out second.csv").code, 0);
  ASSERT_EQ(run("sample run --n 15 --out fewer.csv --seed 0").code, 0);
  ASSERT_EQ(run("sample run --n 40 --out other.csv --seed 1").code, 0);
  EXPECT_EQ(read_file(path("first.csv")), read_file(path("second.csv")));
  EXPECT_NE(read_file(path("first.csv")), read_file(path("other.csv")));
  const Dataset first = load_csv(path("first.csv")), fewer = load_csv(path("fewer.csv"));
  EXPECT_EQ(first.columns, (std::vector<std::string>{"a", "b"}));
  const Tensor scale = vector_of({1e-3, 1.0});
  EXPECT_LT(((first.values.narrow(0, 0, 15) - fewer.values) / scale).abs().max().item<double>(), 1e-4);
  // Even a barely trained model answers in the user's units.
  EXPECT_NEAR(first.values.select(1, 1).mean().item<double>(), 1e5, 2.0);
  EXPECT_LT(first.values.select(1, 0).abs().max().item<double>(), 0.02);
}

TEST_F(Cli, ResumesToTheSameModel) {
  write_points(100);
  const std::string options = "train --data points.csv --batch 16 --width 16 --checkpoint-every 10 --quiet ";
  ASSERT_EQ(run(options + "--steps 30 --out whole").code, 0);
  ASSERT_EQ(run(options + "--steps 30 --out part").code, 0);
  // Go back to step 20, as if the run had been killed after it, and continue without repeating the options.
  fs::remove_all(folder_ / "part/checkpoints/step-000000030");
  fs::remove_all(folder_ / "part/network");
  const Outcome resumed = run("train --data points.csv --out part --resume");
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  const char* weights = "network/diffusion_pytorch_model.safetensors";
  EXPECT_EQ(read_file(folder_ / "whole" / weights), read_file(folder_ / "part" / weights));
}

TEST_F(Cli, KeepsARunUnlessToldToReplaceIt) {
  write_points(50);
  const std::string train = "train --data points.csv --out run --steps 5 --batch 8 --width 8 --quiet";
  ASSERT_EQ(run(train).code, 0);
  const std::string before = read_file(folder_ / "run/fokker.json");
  expect_refusal(train, 2, "--resume");
  EXPECT_EQ(read_file(folder_ / "run/fokker.json"), before);
  EXPECT_EQ(run(train + " --overwrite").code, 0);
  EXPECT_EQ(run("train --data points.csv --out elsewhere --dry-run --quiet").code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
}

TEST_F(Cli, WritesACheckpointWhenInterrupted) {
  write_points(100);
  // Interrupted once it has begun to train, however long that takes.
  write("interrupt.sh",
        "\"$@\" & child=$!\n"
        "until [ -s run/metrics.jsonl ] || ! kill -0 $child; do sleep 0.1; done\n"
        "kill -INT $child; wait $child\n");
  const Outcome outcome =
      run("train --data points.csv --out run --steps 10000000 --batch 16 --width 16", "bash -m interrupt.sh");
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("continue with --resume"));
  EXPECT_FALSE(fs::is_empty(folder_ / "run/checkpoints"));
  EXPECT_EQ(run("sample run --n 5 --out x.csv").code, 0);
}

TEST_F(Cli, DivergenceExitsWith4AndLeavesNoBadModel) {
  write_points(100);
  const Outcome outcome =
      run("train --data points.csv --out run --steps 400 --batch 16 --width 32 --learning-rate 1e30 "
          "--gradient-clip 0");
  EXPECT_EQ(outcome.code, 4) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("diverged: the loss at step"));
}

TEST_F(Cli, ARunWithAMissingPartIsRefused) {
  write_points(50);
  ASSERT_EQ(run("train --data points.csv --out run --steps 5 --batch 8 --width 8 --quiet").code, 0);
  fs::remove(folder_ / "run/network/diffusion_pytorch_model.safetensors");
  expect_refusal("sample run --n 5 --out x.csv", 3, "diffusion_pytorch_model.safetensors: is missing");
  fs::remove(folder_ / "run/fokker.json");
  expect_refusal("sample run --n 5 --out x.csv", 3, "fokker.json");
}

TEST_F(Cli, ReadsOptionsFromTomlUnlessGiven) {
  write("options.toml", "target = \"two-modes\"\nn = 7\nout = \"x.npy\"\n");
  ASSERT_EQ(run("sample --config options.toml").code, 0);
  EXPECT_EQ(load_npy(path("x.npy")).size(0), 7);
  ASSERT_EQ(run("sample --config options.toml --n 9").code, 0);
  EXPECT_EQ(load_npy(path("x.npy")).size(0), 9);
  // The configuration written beside an output repeats it.
  ASSERT_EQ(run("sample --config x.npy.toml --out y.npy").code, 0);
  EXPECT_TRUE(at::equal(load_npy(path("x.npy")), load_npy(path("y.npy"))));
  write("bad.toml", "n = [\n");
  expect_refusal("sample --config bad.toml", 3, "bad.toml: line");
}

TEST_F(Cli, TrainsEveryObjectiveAndAnEnergy) {
  for (const char* predict : {"velocity", "energy"})
    for (const char* objective :
         {"denoising", "implicit", "sliced:directions=gaussian", "explicit", "elbo"}) {
      const Outcome outcome =
          run(fmt::format("train --data target:two-modes --rows 200 --out run --overwrite --objective {} "
                          "--predict {} --steps 3 "
                          "--width 8 --batch 16 --quiet",
                          objective, predict));
      EXPECT_EQ(outcome.code, 0) << objective << predict << outcome.err;
    }
  // The saved energy is one: it has a density, so MALA runs on it.
  EXPECT_EQ(Json::parse(run("inspect run --json").out)["prediction"], "energy");
  EXPECT_EQ(run("sample run --sampler mala:time=0.5 --steps 3 --n 5 --out x.csv").code, 0);
  EXPECT_EQ(run("sample run --n 5 --steps 3 --out x.csv").code, 0);
  expect_refusal("train --data target:two-modes --out other --objective implicitly", 2,
                 "valid names: denoising, implicit");
  expect_refusal("train --data target:two-modes --out other --predict force", 2, "energy");
}

TEST_F(Cli, Bfloat16ProductsChangeSamplesByTheirRoundingOnly) {
  ASSERT_EQ(run("train --data target:two-modes --out run --steps 300 --width 32 --depth 2 --no-report").code,
            0);
  for (const std::string precision : {"fp32", "bf16"}) {
    const Outcome sampled = run("sample run --n 200 --out " + precision + ".npy --precision " + precision);
    ASSERT_EQ(sampled.code, 0) << sampled.err;
  }
  const Tensor single = load_npy(path("fp32.npy")), rounded = load_npy(path("bf16.npy"));
  const Tensor change = (single - rounded).to(at::kDouble).div(single.to(at::kDouble).std(0, true));
  const double root_mean_square = change.square().mean().sqrt().item<double>();
  EXPECT_GT(root_mean_square, 3e-4);
  EXPECT_LT(root_mean_square, 0.05);
}

TEST_F(Cli, DoctorAndInspectAnswerInJson) {
  const Json doctor = Json::parse(run("doctor --json").out);
  for (const char* rate : {"matrix_product_gflops", "bf16_product_gflops", "triad_gb_per_second"})
    EXPECT_GT(doctor[rate].get<double>(), 0.1) << rate;
  const auto has = [&](const char* name) {
    return std::find(doctor["cpu"].begin(), doctor["cpu"].end(), name) != doctor["cpu"].end();
  };
  const auto says = [&](const char* key, const char* text) {
    return doctor[key].get<std::string>().find(text) != std::string::npos;
  };
  EXPECT_EQ(says("bf16_unit", "AMX"), has("amx_bf16"));
  EXPECT_EQ(says("bf16_unit", "AVX512-BF16"), has("avx512_bf16") && !has("amx_bf16"));
  EXPECT_EQ(says("vector_instructions", "AVX3"), has("avx512bw"));
  write("t.csv", "a,b\n1,10\n3,10\n");
  const Json data = Json::parse(run("inspect t.csv --json").out);
  EXPECT_EQ(data["rows"], 2);
  EXPECT_EQ(data["columns"][0]["mean"], 2.0);
  EXPECT_EQ(data["columns"][1]["standard_deviation"], 0.0);
}

TEST_F(Cli, DrawsPictures) {
  write_points(300);
  ASSERT_EQ(run("plot scatter points.csv target:two-modes --out p.png --quiet").code, 0);
  EXPECT_EQ(read_file(path("p.png")).substr(1, 3), "PNG");
  expect_refusal("plot pie points.csv --out p.png", 2, "valid names: scatter");
}

// Orders on the exact denoiser, and a trained model against a run of many steps from the same noise.
TEST_F(Cli, MeasuresTheConvergenceOfSamplers) {
  const Outcome orders = run(
      "plot convergence --target two-modes --process vp --samplers ddim,heun,deis:order=2,start=runge-kutta "
      "--start 0.4 --steps 80,160 --samples 16 --out orders.png --json");
  ASSERT_EQ(orders.code, 0) << orders.err;
  const Json found = Json::parse(orders.out)["samplers"];
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[2]["sampler"], "deis:order=2,start=runge-kutta");
  for (const auto& row : found)
    EXPECT_NEAR(row["measured"].get<double>(), row["strong"].get<double>(), 0.3) << row;
  EXPECT_EQ(read_file(path("orders.png")).substr(1, 3), "PNG");

  write_points(300);
  ASSERT_EQ(run("train --data points.csv --out run --steps 30 --quiet").code, 0);
  const Outcome model =
      run("plot convergence run --samplers heun,rk4 --evaluations 5,20,80 --reference-steps 200 --json");
  ASSERT_EQ(model.code, 0) << model.err;
  const Json measured = Json::parse(model.out);
  for (const auto& row : measured["samplers"]) {
    const Json& levels = row["levels"];
    for (size_t i = 1; i < levels.size(); ++i) {
      EXPECT_LT(levels[i]["error"].get<double>(), levels[i - 1]["error"].get<double>()) << row;
      EXPECT_LE(levels[i]["evaluations"].get<int>(), i == 1 ? 20 : 80);
    }
  }
  expect_refusal("plot convergence --target two-modes --samplers dopri5 --table", 2, "use --evaluations");
  expect_refusal("plot convergence --target two-modes", 2, "expected --out PICTURE, --table or --json");
  expect_refusal("plot convergence run --steps 10,20 --table", 2, "a run folder has no exact law");
}

}  // namespace
}  // namespace fokker
