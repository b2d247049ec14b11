#include "fokker/train/sample_model.h"

#include "fokker/denoise/guidance.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/sample/method/ancestral/ddim.h"
#include "fokker/sample/method/exponential/unipc.h"
#include "support.h"

namespace fokker {
namespace {

/// Two columns and two classes, with weights that depend on the label.
Model table_model() {
  auto network = std::make_shared<Mlp>(
      MlpOptions{
          .dimension = 2, .width = 8, .depth = 1, .embedding_size = 4, .classes = 2, .zero_output = false},
      1);
  const Tensor rows = Rng(5).normal({40, 2}, {}, at::kDouble) * vector_of({0.5, 2.0}) + 3;
  return {.network = network,
          .spec = {.process = make_schedule("vp")},
          .normalisation = Normalisation::fit(rows, NormalisationKind::standardise),
          .columns = {"a", "b"},
          .label_names = {"cat", "dog"},
          .label_column = "kind"};
}

Model image_model() {
  return {.network = std::make_shared<UNet>(UNetOptions::for_images(1, 4, 4, 8, 0), 1),
          .spec = {.process = make_schedule("vp")},
          .normalisation = Normalisation::pixels({1, 4, 4}, at::kByte),
          .columns = {},
          .label_names = {},
          .label_column = {}};
}

TEST(SampleModel, IsTheIntegrationInTheUsersUnits) {
  const Model model = table_model();
  const Dataset rows = sample(model, 20, Rng(3), {.steps = 6});
  const Integration by_hand =
      generate(*model.denoiser(), UniPc({.order = 3}), TimeGrid::quadratic(6), {20, 2}, Rng(3));
  EXPECT_TRUE(rows.values.equal(model.normalisation.invert(by_hand.x)));
  EXPECT_EQ(rows.values.scalar_type(), at::kDouble);
  EXPECT_EQ(rows.columns, model.columns);
  EXPECT_FALSE(rows.labels.defined());
  EXPECT_EQ(sample_counted(model, 5, Rng(3), {.steps = 6}).evaluations, by_hand.evaluations);
}

TEST(SampleModel, ALabelGuides) {
  const Model model = table_model();
  const SampleOptions options{.sampler = std::make_shared<Ddim>(0.5),
                              .grid = TimeGrid::uniform(5),
                              .labels = {"dog"},
                              .guidance = 2,
                              .clip = 1.5};
  const Dataset rows = sample(model, 20, Rng(3), options);
  const auto guided =
      std::make_shared<GuidedDenoiser>(std::shared_ptr<const Denoiser>(model.denoiser()), 1, 2);
  const ClippedDenoiser clipped(guided, 1.5);
  const Tensor x = generate(clipped, Ddim(0.5), TimeGrid::uniform(5), {20, 2}, Rng(3)).x;
  EXPECT_TRUE(rows.values.equal(model.normalisation.invert(x)));
  EXPECT_TRUE(rows.labels.equal(at::ones({20}, at::kLong)));
  EXPECT_EQ(rows.label_names, model.label_names);
}

// Noise is keyed by row, so that company changes nothing; nor does the batch.
TEST(SampleModel, RowsOfAMixedBatchAreThoseOfTheirLabels) {
  const Model model = table_model();
  for (const double guidance : {1.0, 3.0}) {
    SampleOptions options{
        .sampler = std::make_shared<Ddim>(0.5), .steps = 5, .guidance = guidance, .batch = 3};
    const auto of = [&](std::vector<std::string> labels) {
      options.labels = std::move(labels);
      return sample(model, 8, Rng(3), options).values;
    };
    const Tensor cats = of({"cat"}), dogs = of({"dog"});
    const Tensor mixed = of({"cat", "dog", "dog", "cat", "cat", "dog", "cat", "dog"});
    EXPECT_GT(worst(cats, dogs), 1e-2);
    const Tensor is_dog = at::tensor({0, 1, 1, 0, 0, 1, 0, 1}).to(at::kBool).unsqueeze(1);
    EXPECT_LT(worst(mixed, at::where(is_dog, dogs, cats)), 1e-5) << guidance;
    EXPECT_TRUE(
        sample(model, 8, Rng(3), options).labels.equal(at::tensor({0, 1, 1, 0, 0, 1, 0, 1}, at::kLong)));
  }
}

TEST(SampleModel, ImagesAreClippedAsTheyAreWritten) {
  const Model model = image_model();
  const Tensor images = sample(model, 3, Rng(3), {.steps = 4}).values;
  EXPECT_EQ(images.scalar_type(), at::kFloat);
  EXPECT_LE(images.abs().max().item<double>(), 1 + 1e-6);
  const Tensor free = sample(model, 3, Rng(3), {.steps = 4, .clip = 0.0}).values;
  EXPECT_GT(free.abs().max().item<double>(), 1.1);
}

TEST(SampleModel, ComputesAsPreciselyAsAsked) {
  const Model model = table_model();
  const Tensor single = sample(model, 8, Rng(3), {.steps = 6}).values;
  const Tensor exact = sample(model, 8, Rng(3), {.steps = 6, .precision = Precision::fp64}).values;
  EXPECT_FALSE(single.equal(exact));
  EXPECT_EQ(model.network->parameters()[0].tensor.scalar_type(), at::kFloat) << "the model is left alone";
}

TEST(SampleModel, StartsWhereItIsTold) {
  const Model model = table_model();
  const Tensor start = Rng(9).normal({4, 2});
  int64_t states = 0;
  const Observer look = [&](const Observation& seen) {
    EXPECT_TRUE(seen.step > 0 || seen.x.equal(start));
    ++states;
  };
  sample(model, 4, Rng(3), {.steps = 6, .start = start, .observers = {look}});
  EXPECT_EQ(states, 7);
  expect_error([&] { sample(model, 5, Rng(3), {.start = start}); }, ErrorKind::argument,
               "start: expected rows");
}

TEST(SampleModel, RefusesLabelsThatItDoesNotKnow) {
  const Model model = table_model();
  expect_error([&] { sample(model, 3, Rng(3), {.labels = {"fox"}}); }, ErrorKind::argument,
               "expected one of those in training, cat, dog");
  expect_error(
      [&] {
        sample(model, 3, Rng(3), {.labels = {"cat", "dog"}});
      },
      ErrorKind::argument, "one of each of 3 rows, but received 2");
  expect_error([&] { sample(image_model(), 3, Rng(3), {.labels = {"cat"}}); }, ErrorKind::argument,
               "trained without labels");
}

}  // namespace
}  // namespace fokker
