// What a program learns of work that it stopped.
#include "fokker/core/stop.h"
#include "fokker/train/sample_model.h"
#include "fokker/train/train_into.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

Dataset small_data() {
  return {.values = Rng(1).normal({64, 2}, {}, at::kDouble), .columns = {"x", "y"}};
}

Recipe short_recipe(int64_t steps) {
  Recipe recipe;
  recipe.options.steps = steps;
  recipe.options.batch = 16;
  return recipe;
}

/// Trains, makes a request at the fifth step and expects to be told of it.
void expect_stop_after_5(Recipe recipe, const std::string& told) {
  StopRequest request;
  const StopScope scope(&request);
  int64_t last = 0;
  recipe.hooks.on_step = [&](int64_t step, double, double) {
    last = step;
    if (step == 5) request.make();
  };
  expect_error([&] { train(small_data(), recipe, Rng(0)); }, ErrorKind::stopped, told);
  EXPECT_EQ(last, 5);
}

TEST(Stopped, TrainingSaysItsStepsAndMakesNoFurtherOne) {
  expect_stop_after_5(short_recipe(50), "stopped on request: training had made 5 of 50 steps");
  Recipe by_time = short_recipe(50);
  by_time.options.minutes = 60;
  expect_stop_after_5(std::move(by_time),
                      "stopped on request: training had made 5 steps, in 0.0 of 60 minutes");
}

// Of a stop that a file's writer notices at a checkpoint.
TEST(Stopped, TrainingSaysItsStepsWhereverItIsStopped) {
  const TestFolder folder;
  StopRequest request;
  const StopScope scope(&request);
  Recipe recipe = short_recipe(50);
  recipe.options.checkpoint_every = 4;
  recipe.hooks.on_metrics = [&](const TrainMetrics&) { request.make(); };
  recipe.options.log_every = 4;
  expect_error([&] { train_into(RunFolder(folder / "run"), small_data(), recipe, Rng(0)); },
               ErrorKind::stopped, "stopped on request: training had made 4 of 50 steps");
}

TEST(Stopped, SamplingSaysHowManyRowsAreFinished) {
  const Model model = train(small_data(), short_recipe(2), Rng(0));
  StopRequest request;
  const StopScope scope(&request);
  SampleOptions options{.steps = 8, .batch = 10};
  options.observers = {[&](const Observation& seen) {
    if (seen.first_sample == 20 && seen.step == 3) request.make();
  }};
  expect_error([&] { sample(model, 40, Rng(0), options); }, ErrorKind::stopped,
               "20 rows are finished, those that follow at step 3 of 8");
}

}  // namespace
}  // namespace fokker
