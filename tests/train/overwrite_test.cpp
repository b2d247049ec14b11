// A run is replaced once there is something to replace it by.
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "fokker/core/file/files.h"
#include "fokker/train/train_into.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

Recipe one_thread_recipe(int64_t steps) {
  Recipe recipe;
  recipe.mlp.width = 8;
  recipe.mlp.depth = 1;
  recipe.options.steps = steps;
  recipe.options.batch = 8;
  recipe.threads = 1;  // none that a forked process would miss
  return recipe;
}

Tensor saved_weights(const fs::path& run) {
  const Model model = load_model(run);
  std::vector<Tensor> flat;
  for (const auto& [name, tensor] : model.network->parameters()) flat.push_back(tensor.flatten());
  return at::cat(flat);
}

/// A run in whose folder the user has a file too.
class Overwriting : public FolderTest {
 protected:
  void SetUp() override {
    train_into(run_, data_, one_thread_recipe(6), Rng(3));
    write("run/notes.txt", "mine");
    write("run/report.html", "old");
    before_ = saved_weights(run_.path());
  }
  TrainedRun overwrite(const std::function<void(int64_t step)>& on_step) const {
    Recipe recipe = one_thread_recipe(8);
    recipe.hooks.on_step = [&](int64_t step, double, double) { on_step(step); };
    RunOptions options{.overwrite = true};
    options.on_begin = [](const Trainer&, const fs::path& place) {
      write_file_atomically(place / "config.toml", "new");
    };
    return train_into(run_, data_, recipe, Rng(4), options);
  }
  /// Of the newest line of metrics; -1 where there is none.
  int64_t last_step() const {
    const auto metrics = run_.metrics();
    return metrics.empty() ? -1 : metrics.back().step;
  }
  void expect_old_run() const {
    EXPECT_TRUE(saved_weights(run_.path()).equal(before_));
    EXPECT_EQ(read("run/report.html"), "old");
    EXPECT_EQ(last_step(), 6);
    EXPECT_FALSE(fs::exists(path("run/config.toml")));
    RunFolder(run_).check_usable(/*resume=*/true, /*overwrite=*/false);
  }
  /// But for "." and "..": what is not to be seen.
  int64_t hidden() const {
    return std::ranges::count_if(fs::directory_iterator(run_.path()), [](const auto& entry) {
      return entry.path().filename().string().starts_with('.');
    });
  }

  const Dataset data_ = small_table(50);
  const RunFolder run_{path("run")};
  Tensor before_;
};

TEST_F(Overwriting, KeepsTheOldRunUntilTheNewOneHasAModel) {
  bool kept = true;
  const TrainedRun run = overwrite([&](int64_t) { kept = kept && last_step() == 6; });
  EXPECT_TRUE(kept);
  EXPECT_EQ(run.steps, 8);
  EXPECT_FALSE(saved_weights(run_.path()).equal(before_));
  EXPECT_EQ(last_step(), 8);
  EXPECT_EQ(Checkpoints(path("run/checkpoints")).all().size(), 1u);
  EXPECT_EQ(read("run/config.toml"), "new");
  EXPECT_FALSE(fs::exists(path("run/report.html")));
  EXPECT_EQ(read("run/notes.txt"), "mine");
  EXPECT_EQ(hidden(), 0);
}

TEST_F(Overwriting, AFailureLeavesTheOldRun) {
  const auto fail_at_3 = [](int64_t step) {
    if (step == 3) throw std::runtime_error("no power");
  };
  EXPECT_THROW(overwrite(fail_at_3), std::runtime_error);
  expect_old_run();
  EXPECT_EQ(hidden(), 0);
}

TEST_F(Overwriting, AKillLeavesTheOldRun) {
  const pid_t child = ::fork();
  if (child == 0) {
    overwrite([](int64_t step) {
      if (step == 3) ::raise(SIGKILL);
    });
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  expect_old_run();
  EXPECT_EQ(hidden(), 1);
  overwrite([](int64_t) {});
  EXPECT_EQ(last_step(), 8);
  EXPECT_EQ(hidden(), 0);
}

}  // namespace
}  // namespace fokker
