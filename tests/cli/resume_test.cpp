// A run that goes on: with what it may, what is refused, and what is left where it fails.
#include "cli/fixture.h"
#include "cli/option/command.h"

namespace fokker {
namespace {

class CliResume : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    before_ = fs::current_path();
    fs::current_path(folder_);
    write_points(100);
  }
  void TearDown() override {
    fs::current_path(before_);
    Cli::TearDown();
  }
  /// In this process.
  static int train(std::vector<std::string> more) {
    std::vector<std::string> words = {"train", "--data", "points.csv", "--out", "run", "--quiet"};
    if (std::find(more.begin(), more.end(), "--data") != more.end())
      words.erase(words.begin() + 1, words.begin() + 3);
    words.insert(words.end(), more.begin(), more.end());
    cli::CommandLine line;
    add_commands(line);
    return line.run(words);
  }
  static int train_first() { return train({"--steps", "6", "--batch", "8", "--width", "8", "--no-report"}); }

 private:
  fs::path before_;
};

TEST_F(CliResume, RefusesAnotherProblemAndKeepsTheRun) {
  std::string other = read_file("points.csv");
  other[other.size() - 2] ^= 1;
  write("other.csv", other);
  ASSERT_EQ(train_first(), 0);
  const std::string configuration = read_file("run/config.toml"), model = read_file("run/fokker.json");
  const std::vector<std::pair<std::vector<std::string>, std::string>> changes = {
      {{"--process", "ve"}, R"(process.type was "vp" and is now "ve")"},
      {{"--process", "vp:beta_max=10"}, "process.beta_max was 20.0 and is now 10.0"},
      {{"--predict", "noise"}, R"(prediction.name was "velocity" and is now "noise")"},
      {{"--objective", "sliced"}, R"(objective was "denoising" and is now "sliced")"},
      {{"--weighting", "simple"}, R"(weighting was "uniform" and is now "simple")"},
      {{"--times", "log-normal"}, R"(times was "uniform" and is now "log-normal")"},
      {{"--normalise", "whiten"}, "normalisation was"},
      {{"--width", "16"}, "network.width was 8 and is now 16"},
      {{"--columns", "b,a"}, "columns was"},
      {{"--seed", "1"}, "seed was 0 and is now 1"},
      {{"--batch", "4"}, "batch was 8 and is now 4"},
      {{"--held-out", "0.5"}, "data.held_out_rows was"},
      {{"--data", "other.csv"}, "data.values was"},
  };
  for (const auto& [change, difference] : changes) {
    std::vector<std::string> words = {"--resume", "--steps", "9"};
    words.insert(words.end(), change.begin(), change.end());
    expect_error([&] { train(words); }, ErrorKind::input, difference);
  }
  EXPECT_EQ(read_file("run/config.toml"), configuration);
  EXPECT_EQ(read_file("run/fokker.json"), model);
  // The same data from another file, another budget and another rate are no other problem.
  fs::rename("points.csv", "moved.csv");
  EXPECT_EQ(train({"--resume", "--data", "moved.csv", "--steps", "9", "--learning-rate", "1e-3", "--ema",
                   "0.9", "--checkpoint-every", "2", "--weight-decay", "0.1", "--gradient-clip", "0"}),
            0);
  EXPECT_TRUE(fs::exists("run/checkpoints/step-000000009"));
}

// It ended in a crash, after the run had been removed.
TEST_F(CliResume, DoesNotOverwriteWhatItContinues) {
  ASSERT_EQ(train_first(), 0);
  expect_error(
      [&] {
        train({"--resume", "--overwrite", "--steps", "9"});
      },
      ErrorKind::argument, "resume, overwrite: expected one of them");
  EXPECT_TRUE(fs::exists("run/checkpoints/step-000000006/state.json"));
  EXPECT_TRUE(fs::exists("run/fokker.json"));
}

// The minutes of the run's configuration were kept beside them, and nothing was trained.
TEST_F(CliResume, StepsReplaceTheMinutesOfTheRun) {
  ASSERT_EQ(train({"--minutes", "0.002", "--batch", "8", "--width", "8", "--no-report"}), 0);
  const auto steps = [] { return read_json("run/fokker.json")["training"]["steps_done"].get<int64_t>(); };
  const int64_t done = steps();
  ASSERT_EQ(train({"--resume", "--steps", std::to_string(done + 5)}), 0);
  EXPECT_EQ(steps(), done + 5);
  // And the other way round: 0.002 minutes are over, so nothing is left.
  ASSERT_EQ(train({"--resume", "--minutes", "0.002"}), 0);
  EXPECT_EQ(steps(), done + 5);
  expect_error(
      [&] {
        train({"--resume", "--minutes", "1", "--steps", "9"});
      },
      ErrorKind::argument, "steps: expected it or minutes, not both");
}

TEST_F(CliResume, AFinishedRunSaysItsLossAndThatNothingWasLeft) {
  ASSERT_EQ(train_first(), 0);
  const auto written = fs::last_write_time("run/checkpoints/step-000000006/state.json");
  fs::remove_all("run/network");
  const Outcome again = Cli::run("train --data points.csv --out run --resume --json --quiet");
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("nothing was left to train"));
  const Json result = Json::parse(again.out);
  std::string last;
  std::istringstream lines(read_file("run/metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) last = line;
  EXPECT_EQ(result["loss"], Json::parse(last)["loss"]);
  EXPECT_GT(result["loss"].get<double>(), 0);
  EXPECT_EQ(fs::last_write_time("run/checkpoints/step-000000006/state.json"), written);
  EXPECT_TRUE(fs::exists("run/network"));
}

TEST_F(CliResume, ARunOfAnEarlierVersionIsContinuedWithAWarning) {
  ASSERT_EQ(train_first(), 0);
  const fs::path file = "run/checkpoints/step-000000006/state.json";
  Json state = read_json(file);
  const Json problem = state["problem"];
  for (const char* key : {"problem", "format"}) state.erase(key);
  for (const char* key : {"network", "seed", "batch"}) state[key] = problem[key];
  write_file_atomically(file, state.dump());
  fs::remove("run/checkpoints/step-000000006/manifest.json");
  const Outcome again = Cli::run("train --data points.csv --out run --resume --steps 9 --quiet");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("was written by an earlier version and does not say"));
}

TEST_F(CliResume, RefusesNonsenseBeforeAnythingIsRemoved) {
  ASSERT_EQ(train_first(), 0);
  const std::string model = read_file("run/fokker.json");
  for (const char* decay : {"nan", "-100", "inf", "1e9"})
    EXPECT_THROW(train({"--overwrite", "--weight-decay", decay}), Error) << decay;
  EXPECT_THROW(train({"--overwrite", "--data", "missing.csv"}), Error);
  EXPECT_EQ(read_file("run/fokker.json"), model);
  EXPECT_TRUE(fs::exists("run/checkpoints/step-000000006/state.json"));
}

}  // namespace
}  // namespace fokker
