// What the command can do in training a program does in a few lines.
#include "data/damage.h"
#include "fokker/core/file/files.h"
#include "fokker/core/runtime.h"
#include "fokker/data/load.h"
#include "fokker/kernel/matrix/bf16_gemm.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/target/gaussian_mixture.h"
#include "fokker/train/train_into.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

/// Few steps of a small network.
Recipe small_recipe(int64_t steps = 6) {
  Recipe recipe;
  recipe.mlp.width = 8;
  recipe.mlp.depth = 1;
  recipe.options.steps = steps;
  recipe.options.batch = 8;
  return recipe;
}

Tensor weights_of(const Network& network) {
  std::vector<Tensor> flat;
  for (const auto& [name, tensor] : network.parameters()) flat.push_back(tensor.detach().flatten());
  return at::cat(flat);
}

Dataset labelled_table(int64_t rows = 40) {
  Dataset data = small_table(rows);
  data.labels = at::arange(rows).remainder(2);
  data.label_names = {"cat", "dog"};
  data.label_column = "kind";
  return data;
}

class Route : public FolderTest {};

TEST_F(Route, ResumesAStoppedRunAsIfItHadNotStopped) {
  const Dataset data = small_table(50);
  const TrainedRun whole = train_into(RunFolder(path("whole")), data, small_recipe(), Rng(3));
  EXPECT_EQ(whole.model.training.steps_done, 6);
  Recipe stopped = small_recipe();
  int64_t left = 3;
  stopped.hooks.should_stop = [&] { return left-- == 0; };
  const RunFolder folder(path("part"));
  EXPECT_EQ(train_into(folder, data, stopped, Rng(3)).outcome, TrainOutcome::stopped);
  EXPECT_EQ(load_model(folder.path()).training.steps_done, 3);
  expect_error([&] { train_into(folder, data, small_recipe(), Rng(3)); }, ErrorKind::argument, "resume it");
  expect_error([&] { train_into(folder, data, small_recipe(), Rng(4), {.resume = true}); }, ErrorKind::input,
               "seed was 3 and is now 4");
  const TrainedRun resumed = train_into(folder, data, small_recipe(), Rng(3), {.resume = true});
  EXPECT_EQ(resumed.first_step, 3);
  EXPECT_TRUE(weights_of(*resumed.model.network).equal(weights_of(*whole.model.network)));
  EXPECT_EQ(folder.metrics().size(), 1u);  // of the last step
  EXPECT_EQ(train_into(folder, data, small_recipe(), Rng(4), {.overwrite = true}).first_step, 0);
  EXPECT_EQ(Checkpoints(folder.path() / "checkpoints").all().size(), 1u);
}

TEST_F(Route, SaysThatNothingWasLeftToTrain) {
  std::vector<std::string> said;
  RunOptions options{.on_warning = [&](const std::string& text) { said.push_back(text); }};
  train_into(RunFolder(path("run")), small_table(50), small_recipe(), Rng(3), options);
  EXPECT_TRUE(said.empty());
  options.resume = true;
  train_into(RunFolder(path("run")), small_table(50), small_recipe(), Rng(3), options);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], ::testing::HasSubstr("nothing was left to train: the run has 6 steps"));
}

// Before an hour of training, and without a trace.
TEST_F(Route, RefusesNamesThatCannotBeSaved) {
  Dataset data = small_table(50);
  data.columns[0] = "a\xff";
  expect_error([&] { train_into(RunFolder(path("run")), data, small_recipe(), Rng(3)); }, ErrorKind::input,
               "UTF-8");
  EXPECT_FALSE(fs::exists(path("run")));
}

TEST(Recipes, AWarmStartKeepsWhatTheModelKnows) {
  Recipe first = small_recipe();
  first.process = make_schedule("ve:sigma_max=20");
  const auto model = std::make_shared<Model>(train(labelled_table(), first, Rng(3)));
  Recipe again = small_recipe(2);
  again.warm_start = model;
  Dataset other = labelled_table(30);
  other.values = other.values * 3 + 7;
  other.labels = at::zeros({30}, at::kLong);  // cats alone
  const TrainingPlan plan = resolve(other, again, Rng(4));
  EXPECT_TRUE(weights_of(*plan.network).equal(weights_of(*model->network)));
  EXPECT_EQ(plan.spec.to_json(), model->spec.to_json());
  EXPECT_EQ(plan.normalisation.to_json(), model->normalisation.to_json());
  EXPECT_EQ(plan.label_names, model->label_names);
  again.normalisation = NormalisationKind::whiten;  // plays no part
  EXPECT_TRUE(resolve(other, again, Rng(4)).warnings.empty());
  const Model trained = train(other, again, Rng(4));
  EXPECT_FALSE(weights_of(*trained.network).equal(weights_of(*model->network)));
  EXPECT_TRUE(weights_of(*plan.network).equal(weights_of(*model->network))) << "the start is left alone";
  again.process = make_schedule("vp");
  expect_error([&] { resolve(other, again, Rng(4)); }, ErrorKind::argument, "the model brings its process");
  again.process.reset();
  other.columns = {"a", "c"};
  expect_error([&] { resolve(other, again, Rng(4)); }, ErrorKind::argument, "columns");
}

TEST(Recipes, LearnAnEnergy) {
  Recipe recipe = small_recipe();
  recipe.energy = true;
  const Model model = train(small_table(50), recipe, Rng(3));
  EXPECT_EQ(model.training.prediction, "energy");
  EXPECT_NE(dynamic_cast<const EnergyDenoiser*>(model.denoiser().get()), nullptr);
  const Dataset images{.values = at::zeros({4, 1, 8, 8}, at::kByte)};
  expect_error([&] { resolve(images, recipe, Rng(3)); }, ErrorKind::argument, "an energy needs a table");
}

TEST(Recipes, WhitenATableWhereItHasRowsEnough) {
  Recipe recipe = small_recipe();
  recipe.normalisation = NormalisationKind::whiten;
  EXPECT_EQ(resolve(small_table(50), recipe, Rng(3)).normalisation.kind(), NormalisationKind::whiten);
  const TrainingPlan few = resolve(small_table(3), recipe, Rng(3));
  EXPECT_EQ(few.normalisation.kind(), NormalisationKind::standardise);
  EXPECT_THAT(few.warnings, ::testing::ElementsAre(::testing::HasSubstr("cannot be whitened")));
  EXPECT_THAT(few.notes, ::testing::ElementsAre(::testing::HasSubstr("no row is held out")));
}

TEST(Recipes, LearnClassesOrLeaveThemOut) {
  Recipe recipe = small_recipe();
  const Model model = train(labelled_table(), recipe, Rng(3));
  EXPECT_EQ(model.network->classes(), 2);
  EXPECT_EQ(model.label_column, "kind");
  EXPECT_EQ(model.training.classes, 2);
  recipe.labels = false;
  const Model without = train(labelled_table(), recipe, Rng(3));
  EXPECT_EQ(without.network->classes(), 0);
  EXPECT_TRUE(without.label_names.empty());
}

TEST(Recipes, ChoosePrecisionAndThreads) {
  Recipe recipe = small_recipe();
  recipe.precision = Precision::fp64;
  const int before = thread_count();
  recipe.threads = before + 1;
  std::vector<int> seen;
  recipe.hooks.on_step = [&](int64_t, double, double) { seen.push_back(thread_count()); };
  const Model exact = train(small_table(50), recipe, Rng(3));
  EXPECT_EQ(exact.network->parameters()[0].tensor.scalar_type(), at::kDouble);
  EXPECT_EQ(seen, std::vector<int>(6, before + 1));
  EXPECT_EQ(thread_count(), before);
  recipe.precision = Precision::bf16;
  EXPECT_TRUE(resolve(small_table(50), recipe, Rng(3)).network->bf16_products());
}

// For training, that is: the model that comes of it computes likelihoods in float32.
TEST(Recipes, ChooseBfloat16WhereItIsFaster) {
  Recipe recipe = small_recipe();
  recipe.mlp.width = 64;
  const bool faster = kernel::bf16_unit_is_faster();
  EXPECT_EQ(resolve(small_table(50), recipe, Rng(3)).network->bf16_products(), faster);
  const Model model = train(small_table(50), recipe, Rng(3));
  EXPECT_TRUE(model.network->chooses_products());
  EXPECT_EQ(model.training.machine["products"] == "bfloat16", faster);
  recipe.precision = Precision::fp32;
  EXPECT_FALSE(resolve(small_table(50), recipe, Rng(3)).network->bf16_products());
  recipe.precision = Precision::automatic;
  recipe.mlp.width = 8;  // little of its time are products
  EXPECT_FALSE(resolve(small_table(50), recipe, Rng(3)).network->bf16_products());
}

TEST(Recipes, TakeAnObjectiveByNameOrAsAnObject) {
  Recipe named = small_recipe(), own = small_recipe();
  named.objective = "sliced:projections=2";
  EXPECT_EQ(train(small_table(50), named, Rng(3)).training.weighting, "simple");
  own.objective = std::make_shared<DenoisingObjective>();
  const Model model = train(small_table(50), own, Rng(3));
  EXPECT_EQ(model.training.objective, "custom");
  // What it is by name: uniform weights and times.
  EXPECT_TRUE(
      weights_of(*model.network).equal(weights_of(*train(small_table(50), small_recipe(), Rng(3)).network)));
  own.weighting = "uniform";
  expect_error([&] { resolve(small_table(50), own, Rng(3)); }, ErrorKind::argument, "has its own weights");
}

TEST(Recipes, LeaveTheSizesToTheData) {
  const TrainingPlan table = resolve(small_table(50), Recipe(), Rng(3));
  EXPECT_EQ(table.options.batch, 512);
  EXPECT_EQ(table.options.steps, 3000);
  Recipe recipe;
  recipe.unet_channels = 8;
  const TrainingPlan images = resolve({.values = at::zeros({4, 1, 8, 8}, at::kByte)}, recipe, Rng(3));
  EXPECT_EQ(images.options.batch, 32);
  EXPECT_EQ(images.options.checkpoint_every, 500);
}

// A loss that is not defined for the network is known before the work.
TEST(Recipes, AreTriedBeforeTheWork) {
  class Failing final : public Objective {
   public:
    Tensor loss(const Denoiser&, const Batch&, const Rng&) const override {
      throw Error(ErrorKind::argument, "no such loss");
    }
  };
  Recipe recipe = small_recipe();
  recipe.objective = std::make_shared<Failing>();
  expect_error([&] { resolve(small_table(50), recipe, Rng(3)); }, ErrorKind::argument, "no such loss");
}

// A later report finds the rows where a seed alone has split them.
TEST_F(Route, RecordsWhereTheRowsAre) {
  write("points.csv", "a,b\n1,2\n2,3\n4,5\n0,1\n");
  const Dataset data = load_data(path("points.csv"), {});
  const Json found = resolve(data, small_recipe(), Rng(3)).data_options;
  EXPECT_EQ(found["path"], path("points.csv").string());
  EXPECT_EQ(found["seed"], 3);
  EXPECT_TRUE(resolve(data, small_recipe(), Rng(3).stream("own")).data_options.is_null());
  EXPECT_TRUE(resolve(small_table(9), small_recipe(), Rng(3)).data_options.is_null());
  // Labels of another file would be missing, and with them the split.
  Dataset labelled = data;
  labelled.labels = at::tensor({0, 1, 0, 1}, at::kLong);
  EXPECT_TRUE(resolve(labelled, small_recipe(), Rng(3)).data_options.is_null());
}

// Rows without a name are compared by their content, whatever law they are said to have.
TEST_F(Route, AKnownLawDoesNotHideOtherRows) {
  Recipe recipe = small_recipe();
  recipe.law = std::make_shared<GaussianMixture>(GaussianMixture::standard_normal(2));
  Dataset data = small_table(50);
  data.source.clear();
  train_into(RunFolder(path("run")), data, recipe, Rng(3));
  data.values = data.values + 1;
  expect_error([&] { train_into(RunFolder(path("run")), data, recipe, Rng(3), {.resume = true}); },
               ErrorKind::input, "data.values was");
}

}  // namespace
}  // namespace fokker
