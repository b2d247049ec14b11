// A network that a program brings of its own goes the way of ours: trained, saved, read back, sampled.
#include "nn/own_network.h"

#include "data/damage.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ode/probability_flow.h"
#include "fokker/train/train.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

class OwnNetwork : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    register_network(OwnLinear::name, OwnLinear::make);
  }
};

Tensor draws(const Model& model) {
  const auto denoiser = model.denoiser();
  std::vector<int64_t> shape = model.event_shape();
  shape.insert(shape.begin(), 40);
  return generate(*denoiser, Euler(), TimeGrid::uniform(8), shape, Rng(3)).x;
}

double held_out_error(const Model& model) {
  const Tensor x0 = model.normalisation.apply(small_table(2000, 5).values);
  const Tensor noise = Rng(6).normal(x0.sizes());
  const Tensor x = x0 * model.spec.process.alpha(0.5) + noise * model.spec.process.sigma(0.5);
  GradientMode off(false);
  return average((model.denoiser()->estimate(x, 0.5).denoised() - x0).square());
}

TEST_F(OwnNetwork, TrainsSavesLoadsAndSamples) {
  const auto trained = [](int64_t steps) {
    return train(small_table(400),
                 {.network = std::make_unique<OwnLinear>(std::vector<int64_t>{2}, 1),
                  .options = {.steps = steps, .batch = 64, .learning_rate = 2e-2, .ema_decay = 0.9}},
                 Rng(2));
  };
  const Model start = trained(1), model = trained(200);
  // Standardised columns at alpha = cos, sigma = sin: the best linear denoiser leaves sigma^2 of each.
  const double best = std::pow(model.spec.process.sigma(0.5), 2);
  EXPECT_LT(held_out_error(model), 1.3 * best);
  EXPECT_GT(held_out_error(start), 2 * best);
  save_model(path("m"), model);
  const Model back = load_model(path("m"));
  EXPECT_NE(dynamic_cast<OwnLinear*>(back.network.get()), nullptr);
  EXPECT_EQ(back.network->config(), model.network->config());
  EXPECT_TRUE(at::equal(draws(back), draws(model)));
  EXPECT_FALSE(at::equal(draws(back), draws(start)));
}

// Only a U-Net is laid out for diffusers, whose loader knows nothing else.
TEST_F(OwnNetwork, OfImagesIsNoUNetToDiffusers) {
  const auto network = std::make_shared<OwnLinear>(std::vector<int64_t>{1, 4, 4}, 1);
  const Normalisation pixels = Normalisation::identity({1, 4, 4});
  const DenoiserSpec spec{.process = VariancePreserving{},
                          .prediction = Prediction::noise(),
                          .time_input = {.scale = 1000, .offset = -1}};
  const Model model{.network = network,
                    .spec = spec,
                    .normalisation = pixels,
                    .columns = {},
                    .label_names = {},
                    .label_column = "",
                    .training = TrainingRecord::from_json(Json::object())};
  save_model(path("m"), model);
  EXPECT_TRUE(fs::exists(path("m/network/config.json")));
  for (const char* name : {"unet", "scheduler", "model_index.json"})
    EXPECT_FALSE(fs::exists(path("m") / name)) << name;
  EXPECT_TRUE(at::equal(draws(load_model(path("m"))), draws(model)));
}

TEST_F(OwnNetwork, MustBeRegisteredBeforeItIsLoaded) {
  Model model = train(small_table(40),
                      {.network = std::make_unique<OwnLinear>(std::vector<int64_t>{2}, 1),
                       .options = {.steps = 1, .batch = 8}},
                      Rng(2));
  save_model(path("m"), model);
  Json config = Json::parse(read("m/network/config.json"));
  config["_class_name"] = "OwnOfAnother";
  write("m/network/config.json", config.dump());
  fs::remove(path("m/manifest.json"));
  EXPECT_THAT([&] { load_model(path("m")); }, message("\"OwnOfAnother\"; a program's own network must be"));
}

}  // namespace
}  // namespace fokker
