#include "fokker/train/defaults.h"

#include <gtest/gtest.h>

#include "fokker/process/variance_exploding.h"
#include "fokker/train/train.h"

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
  EXPECT_EQ(default_denoiser_options(ve, false).time_input.kind, TimeInput::Kind::quarter_log_sigma);
  EXPECT_TRUE(default_denoiser_options(ve, true).scale_input);
  EXPECT_EQ(default_denoiser_options(vp, true).time_input.scale, 1000);
  EXPECT_EQ(default_denoiser_options(ddpm, true).time_input.offset, -1);
  EXPECT_FALSE(default_denoiser_options(vp, false).scale_input);
}

// What a program trains is what the command trains: the process decides how the network is fed.
TEST(TrainDefaults, ReachTheModel) {
  for (const char* spec : {"vp", "ve"}) {
    const GaussianProcess process(make_schedule(spec));
    Recipe recipe{.process = process};
    recipe.options.steps = 2;
    recipe.options.batch = 16;
    const Model model = train(table(), std::move(recipe), Rng(3));
    EXPECT_EQ(model.prediction.name(), default_prediction(process).name()) << spec;
    EXPECT_EQ(model.denoiser_options.scale_input, is_additive(process)) << spec;
    EXPECT_EQ(model.normalisation.kind(), NormalisationKind::standardise) << spec;
  }
}

}  // namespace
}  // namespace fokker
