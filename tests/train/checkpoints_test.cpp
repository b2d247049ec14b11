#include "fokker/train/checkpoints.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "fokker/core/file/files.h"
#include "fokker/format/model.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/objective/denoising.h"
#include "kill_points.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

/// A small run that is saved as `fokker train` saves it.
class SavedRun : public ::testing::TestWithParam<bool> {
 protected:
  /// Hundreds of saves: in memory where there is such a place, as each syncs its files.
  static fs::path place() {
    const fs::path memory = "/dev/shm";
    return ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
  }

  static std::unique_ptr<Trainer> trainer(int64_t steps) {
    const Tensor values = Rng(1).normal({40, 2}, {}, at::kDouble);
    const Dataset data{.values = values, .columns = {"a", "b"}, .source = "test"};
    return std::make_unique<Trainer>(
        std::make_unique<Mlp>(MlpOptions{.dimension = 2, .width = 8, .depth = 1}, 3),
        DenoiserSpec{.process = VariancePreserving{}}, std::make_shared<DenoisingObjective>(),
        Split{data, data}, Normalisation::identity({2}),
        TrainOptions{.steps = steps, .batch = 8, .checkpoint_every = 1000}, Rng(7));
  }
  static void save(const Trainer& trainer, const fs::path& run) {
    Checkpoints(run / "checkpoints").save(trainer, 1);
    save_model(run, {.network = trainer.averaged_network().clone(),
                     .spec = trainer.spec(),
                     .normalisation = trainer.normalisation(),
                     .columns = {"a", "b"},
                     .label_names = {},
                     .training = {.steps = trainer.step()}});
  }
  static std::vector<std::string> hidden_in(const fs::path& folder) {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().filename().string().starts_with('.')) found.push_back(entry.path().string());
    return found;
  }
  /// What a user has after the kill: a model that opens, and a run that goes on and saves.
  static void expect_usable(const fs::path& run, int point) {
    ASSERT_NO_THROW(load_model(run)) << "killed before call " << point;
    const auto resumed = trainer(10);
    ASSERT_NO_THROW(Checkpoints(run / "checkpoints").load_newest(*resumed)) << "killed before call " << point;
    EXPECT_TRUE(resumed->step() == 4 || resumed->step() == 8) << resumed->step();
    EXPECT_EQ(resumed->run({}), TrainOutcome::completed);
    recover_contents(run);
    save(*resumed, run);
    EXPECT_EQ(load_model(run).training.steps, 10);
    EXPECT_EQ(Checkpoints(run / "checkpoints").all().size(), 1u);
    EXPECT_EQ(hidden_in(run), std::vector<std::string>()) << "killed before call " << point;
  }

  const TestFolder folder_{place()};
};

TEST_P(SavedRun, SurvivesAKillBetweenAnyTwoCallsOfASave) {
  const auto first = trainer(4), second = trainer(8);
  first->run({});
  second->run({});
  const fs::path before = folder_ / "before";
  save(*first, before);
  for (int point = 1;; ++point) {
    const fs::path run = folder_ / "run";
    fs::remove_all(run);
    fs::copy(before, run, fs::copy_options::recursive);
    const KillResult result = run_killed(point, GetParam(), [&] { save(*second, run); });
    if (result == KillResult::not_permitted) GTEST_SKIP() << "this system does not permit to trace a process";
    ASSERT_NE(result, KillResult::failed) << point;
    expect_usable(run, point);
    if (HasFatalFailure()) return;
    if (result == KillResult::killed) continue;
    RecordProperty("kill_points", point - 1);
    std::printf("killed before each of %d calls that change files\n", point - 1);
    EXPECT_GT(point, 50);
    return;
  }
}

// By an exchange of names, and by two renames where the file system has none.
INSTANTIATE_TEST_SUITE_P(Exchange, SavedRun, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "ByTwoRenames" : "ByExchange"; });

using Saved = SavedRun;

// Earlier versions named what they left ".NAME.old-PROCESS".
TEST_F(Saved, RecoversWhatEarlierVersionsLeft) {
  const auto whole = trainer(4);
  whole->run({});
  save(*whole, folder_);
  const pid_t dead = ::fork();
  if (dead == 0) ::_exit(0);
  ::waitpid(dead, nullptr, 0);
  fs::rename(folder_ / "network", folder_ / fmt::format(".network.old-{}", dead));
  fs::rename(folder_ / "checkpoints/step-000000004",
             folder_ / "checkpoints" / fmt::format(".step-000000004.old-{}", dead));
  fs::create_directories(folder_ / "checkpoints" / fmt::format(".step-000000008.tmp-{}", dead));
  expect_usable(folder_, 0);
}

// A resumed run had its only checkpoint written anew at once.
TEST_F(Saved, WhatWasLoadedIsNotWrittenAgain) {
  const auto whole = trainer(4);
  whole->run({});
  const Checkpoints checkpoints(folder_);
  checkpoints.save(*whole, 2);
  const fs::path state = checkpoints.all().back() / "state.json";
  const auto written = fs::last_write_time(state);
  const auto again = trainer(4);
  EXPECT_TRUE(checkpoints.load_newest(*again));
  int calls = 0;
  TrainHooks hooks;
  hooks.on_checkpoint = [&](const Trainer& t) {
    checkpoints.save(t, 2);
    ++calls;
  };
  EXPECT_EQ(again->run(hooks), TrainOutcome::completed);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(fs::last_write_time(state), written);
  // One of the same step that was not loaded is another's.
  checkpoints.save(*whole, 2);
  EXPECT_NE(fs::last_write_time(state), written);
}

TEST_F(Saved, KeepsTheNewestByNumber) {
  const auto whole = trainer(4);
  whole->run({});
  for (const char* name : {"step-999999999", "step-1000000000", "step-12"})
    fs::create_directories(folder_ / name);
  const auto all = Checkpoints(folder_).all();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all.back().filename(), "step-1000000000");
  Checkpoints(folder_).save(*whole, 3);
  EXPECT_FALSE(fs::exists(folder_ / "step-000000004"));
}

}  // namespace
}  // namespace fokker
