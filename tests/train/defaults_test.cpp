#include "fokker/train/defaults.h"

#include <gtest/gtest.h>

#include "fokker/process/variance_exploding.h"
#include "fokker/train/train.h"
#include "support.h"

namespace fokker {
namespace {

Dataset table() {
  return {.values = Rng(1).normal({400, 2}, {}, at::kDouble), .columns = {"a", "b"}};
}

TEST(TrainDefaults, FollowTheProcess) {
  const GaussianProcess vp(make_schedule("vp")), ve(make_schedule("ve")), ddpm(make_schedule("ddpm"));
  EXPECT_FALSE(is_additive(vp));
  EXPECT_TRUE(is_additive(ve));
  EXPECT_EQ(default_prediction(vp).name(), "velocity");
  EXPECT_EQ(default_prediction(ve).name(), "edm");
  EXPECT_EQ(default_times(ve), TimeSampling::Law::log_normal);
  EXPECT_EQ(default_denoiser(ve, false).time_input.kind, TimeInput::Kind::quarter_log_sigma);
  EXPECT_TRUE(default_denoiser(ve, true).scale_input);
  EXPECT_EQ(default_denoiser(vp, true).time_input.scale, 1000);
  EXPECT_EQ(default_denoiser(ddpm, true).time_input.offset, -1);
  EXPECT_FALSE(default_denoiser(vp, false).scale_input);
}

TEST(TrainDefaults, HoldOutNothingWhereThatIsLessThanHalfARow) {
  for (const auto& [rows, fraction, kept] : std::vector<std::tuple<int64_t, double, int64_t>>{
           {1, 0.05, 0}, {3, 0.05, 0}, {9, 0.05, 0}, {10, 0.05, 1}, {3, 0.3, 1}, {2, 0.9, 1}, {100, 0, 0}}) {
    const Dataset data{.values = at::arange(rows, at::kDouble).unsqueeze(1), .columns = {"a"}};
    const Split parts = hold_out(data, fraction, Rng(1));
    EXPECT_EQ(parts.held_out.size(), kept) << rows << " " << fraction;
    EXPECT_EQ(at::cat({parts.training.values, parts.held_out.values}).sum().item<double>(),
              data.values.sum().item<double>());
  }
}

TEST(TrainDefaults, RecordTheSpreadOfTheData) {
  Recipe recipe{.process = make_schedule("vp")};
  recipe.options.steps = 1;
  Dataset data = table();
  data.values.select(1, 1).copy_(3 * data.values.select(1, 0));  // one direction of two standardised columns
  const Model model = train(data, std::move(recipe), Rng(3));
  EXPECT_NEAR(recorded_spread(model.training), std::sqrt(2), 1e-6);
  EXPECT_EQ(recorded_spread(TrainingRecord()), 1);
}

// x_1 of the flow is noise alone, of which the noise and the score say everything and nothing of the data.
TEST(TrainDefaults, RefuseAPredictionThatSaysNothingAtTheEnd) {
  for (const char* process : {"flow", "vp:beta_max=100"})
    for (const char* prediction : {"noise", "score"}) {
      Recipe recipe{.process = make_schedule(process), .prediction = Prediction::from_name(prediction)};
      recipe.options.steps = 1;
      EXPECT_THAT([&] { train(table(), std::move(recipe), Rng(3)); },
                  ::testing::ThrowsMessage<Error>(::testing::HasSubstr("says nothing of the data")))
          << process << prediction;
    }
  EXPECT_NO_THROW(check_prediction(Prediction::noise(), make_schedule("vp")));
  EXPECT_NO_THROW(check_prediction(Prediction::velocity(), make_schedule("flow")));
}

// What a program trains is what the command trains: the process decides how the network is fed.
TEST(TrainDefaults, ReachTheModel) {
  for (const char* spec : {"vp", "ve"}) {
    const GaussianProcess process(make_schedule(spec));
    Recipe recipe{.process = process};
    recipe.options.steps = 2;
    recipe.options.batch = 16;
    const Model model = train(table(), std::move(recipe), Rng(3));
    EXPECT_EQ(model.spec.prediction.name(), default_prediction(process).name()) << spec;
    EXPECT_EQ(model.spec.scale_input, is_additive(process)) << spec;
    EXPECT_EQ(model.normalisation.kind(), NormalisationKind::standardise) << spec;
  }
}

// Ids of any size are classes by their order: 2e9 does not ask for as many vectors.
TEST(TrainDefaults, LabelsAreNamedByTheData) {
  Dataset data = table();
  data.labels = at::arange(400).remainder(2).mul(2'000'000'000).sub(1);
  Recipe recipe;
  recipe.options.steps = 2;
  recipe.options.batch = 16;
  const Model model = train(data, std::move(recipe), Rng(3));
  EXPECT_EQ(model.label_names, (std::vector<std::string>{"-1", "1999999999"}));
  EXPECT_EQ(model.network->classes(), 2);
  expect_error([&] { class_count(data); }, ErrorKind::argument, "labels that count from 0");
  data.labels = at::full({400}, 2'000'000'000, at::kLong);
  expect_error([&] { class_count(data); }, ErrorKind::argument, "received 2000000000");
}

}  // namespace
}  // namespace fokker
