// What a program learns of work that it stopped.
#include "fokker/core/stop.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/train/sample_model.h"
#include "fokker/train/train_into.h"
#include "train/small_trainer.h"

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

/// The denoising loss, which makes a request at one step: what is left to do then is the way back.
class Interrupting final : public Objective {
 public:
  Interrupting(StopRequest& request, uint64_t step) : request_(request), step_(step) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override {
    const Tensor losses = inner_.loss(denoiser, batch, rng);
    if (batch.step == step_) request_.make();
    return losses;
  }

 private:
  DenoisingObjective inner_;
  StopRequest& request_;
  uint64_t step_;
};

/// A trainer of a network whose passes are in blocks of rows, or of images.
Trainer trainer_of(bool images, std::shared_ptr<const Objective> objective) {
  const Tensor values = images ? Rng(1).normal({40, 1, 8, 8}, {}, at::kFloat) : small_table(200).values;
  std::unique_ptr<Network> network;
  if (images)
    network = std::make_unique<UNet>(UNetOptions::for_images(1, 8, 8, 8), 3);
  else
    network = std::make_unique<Mlp>(MlpOptions{.dimension = 2, .width = 32, .depth = 2}, 3);
  Split data{{.values = values.slice(0, 0, 30)}, {.values = values.slice(0, 30)}};
  if (!images) data = {{.values = values.slice(0, 0, 150)}, {.values = values.slice(0, 150)}};
  return Trainer(std::move(network), {.process = VariancePreserving{}}, std::move(objective), data,
                 Normalisation::fit(values, NormalisationKind::standardise),
                 {.steps = 8, .batch = images ? 16 : 100}, Rng(7));
}

// A step that takes long is not waited for, and nothing of it stays: what continues has the same bits.
class AbandonedStep : public testing::TestWithParam<bool> {};

TEST_P(AbandonedStep, IsAsIfItHadNotBegun) {
  const TestFolder folder;
  Trainer whole = trainer_of(GetParam(), std::make_shared<DenoisingObjective>());
  whole.run({});
  StopRequest request;
  Trainer first = trainer_of(GetParam(), std::make_shared<Interrupting>(request, 5));
  TrainHooks hooks;
  hooks.abandon = &request;
  int rewound = 0;
  hooks.on_rewind = [&](int64_t) { ++rewound; };
  hooks.on_checkpoint = [&](const Trainer& trainer) { trainer.save_state(folder.path()); };
  EXPECT_EQ(first.run(hooks), TrainOutcome::stopped);
  EXPECT_EQ(first.step(), 5) << "the sixth is left";
  EXPECT_EQ(rewound, 0);
  Trainer second = trainer_of(GetParam(), std::make_shared<DenoisingObjective>());
  second.load_state(folder.path());
  second.run({});
  EXPECT_TRUE(at::equal(weights(whole), weights(second)));
}

INSTANTIATE_TEST_SUITE_P(MlpAndUNet, AbandonedStep, testing::Bool());

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
