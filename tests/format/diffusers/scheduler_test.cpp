#include "fokker/format/diffusers/scheduler.h"

#include <gtest/gtest.h>

#include "fokker/nn/unet/unet.h"
#include "fokker/train/defaults.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

/// A U-Net of 4 x 4 pixels with what training chooses for the process.
Model image_model(const std::string& process, const std::string& prediction) {
  const GaussianProcess p(make_schedule(process));
  DenoiserSpec spec = default_denoiser(p, true);
  spec.prediction = Prediction::from_name(prediction);
  return {.network = std::make_shared<UNet>(UNetOptions::for_images(1, 4, 4, 8, 0), 1),
          .spec = spec,
          .normalisation = Normalisation::pixels({1, 4, 4}, at::kByte),
          .columns = {},
          .label_names = {}};
}

std::string class_of(const std::string& process, const std::string& prediction) {
  const auto config = scheduler_config(image_model(process, prediction));
  return config ? (*config)["_class_name"].get<std::string>() : "none";
}

// diffusers' DDPMScheduler: alphabar_i = prod (1 - beta_j), told i - 1; "epsilon", "sample" (x_0) and
// "v_prediction" (alpha eps - sigma x_0).
TEST(Scheduler, OfVariancePreservingProcessesIsTheirChain) {
  for (const char* process : {"vp", "vp-cosine", "vp-constant", "ddpm", "ddpm:steps=50"})
    for (const auto& [prediction, type] : std::vector<std::pair<const char*, const char*>>{
             {"noise", "epsilon"}, {"data", "sample"}, {"velocity", "v_prediction"}}) {
      const Model model = image_model(process, prediction);
      const auto config = scheduler_config(model);
      ASSERT_TRUE(config) << process;
      EXPECT_EQ((*config)["_class_name"], "DDPMScheduler");
      EXPECT_EQ((*config)["prediction_type"], type);
      const auto betas = (*config)["trained_betas"].get<std::vector<double>>();
      const auto n = static_cast<double>(betas.size());
      EXPECT_EQ(n, (*config)["num_train_timesteps"].get<double>());
      double alphabar = 1;
      for (size_t i = 0; i < betas.size(); ++i) {
        EXPECT_TRUE(betas[i] > 0 && betas[i] < 1) << process << " " << betas[i];
        alphabar *= 1 - betas[i];
        const double t = static_cast<double>(i + 1) / n;
        ASSERT_NEAR(std::sqrt(alphabar), model.spec.process.alpha(t), 1e-9) << process << " at " << t;
        ASSERT_NEAR(std::sqrt(1 - alphabar), model.spec.process.sigma(t), 1e-9);
        const Tensor told = network_time(model.spec.time_input, model.spec.process, t, at::zeros({1}));
        ASSERT_NEAR(told.item<double>(), static_cast<double>(i), 1e-3);
      }
    }
}

// FlowMatchEulerDiscreteScheduler: x + (sigma' - sigma) v, told 1000 sigma.
TEST(Scheduler, OfTheFlowIsFlowMatching) {
  const Model model = image_model("flow", "velocity");
  EXPECT_EQ(class_of("flow", "velocity"), "FlowMatchEulerDiscreteScheduler");
  EXPECT_EQ((*scheduler_config(model))["shift"], 1);
  for (const double sigma : {1.0, 0.6, 0.1}) {
    const PathCoefficients v = model.spec.prediction.target(model.spec.process.schedule().model(), sigma);
    EXPECT_EQ(v.data, -1);
    EXPECT_EQ(v.noise, 1);
    const Tensor told = network_time(model.spec.time_input, model.spec.process, sigma, at::zeros({1}));
    EXPECT_NEAR(told.item<double>(), 1000 * sigma, 1e-3);
  }
}

// EDMEulerScheduler: D = c_skip x + c_out F(c_in x, log(sigma)/4), from sqrt(sigma_max^2 + 1) eps.
TEST(Scheduler, OfProcessesThatOnlyAddNoiseIsEdm) {
  for (const char* process : {"edm", "ve", "brownian:sigma=20"}) {
    const Model model = image_model(process, "edm");
    const auto config = scheduler_config(model);
    ASSERT_TRUE(config) << process;
    EXPECT_EQ((*config)["_class_name"], "EDMEulerScheduler");
    EXPECT_FALSE(suits_pipeline(*config)) << "DDPMPipeline does not scale its start";
    const double sd = (*config)["sigma_data"].get<double>();
    EXPECT_EQ((*config)["sigma_max"].get<double>(), model.spec.process.sigma(1));
    EXPECT_NEAR(model.spec.process.prior_variance(), std::pow((*config)["sigma_max"].get<double>(), 2) + 1,
                1e-9);
    EXPECT_TRUE(model.spec.scale_input);
    for (const double t : {0.2, 0.6, 1.0}) {
      const double sigma = model.spec.process.sigma(t), rho2 = sigma * sigma + sd * sd;
      const Conversion denoised = model.spec.prediction.to_denoised(model.spec.process.schedule().model(), t);
      EXPECT_NEAR(denoised.state, sd * sd / rho2, 1e-12);
      EXPECT_NEAR(denoised.value, sigma * sd / std::sqrt(rho2), 1e-12);
      const Tensor told = network_time(model.spec.time_input, model.spec.process, t, at::zeros({1}));
      EXPECT_NEAR(told.item<double>(), 0.25 * std::log(sigma), 1e-5);
    }
  }
  EXPECT_EQ((*scheduler_config(image_model("ve", "edm")))["sigma_schedule"], "exponential");
}

TEST(Scheduler, IsNoneWhereDiffusersHasNone) {
  for (const char* process : {"vp", "ddpm", "ve", "edm", "flow", "sub-vp", "brownian"})
    EXPECT_EQ(class_of(process, "score"), "none") << process;
  for (const char* prediction : {"noise", "data", "velocity", "edm"})
    EXPECT_EQ(class_of("sub-vp", prediction), "none") << prediction;
  for (const char* prediction : {"noise", "data", "velocity"})
    for (const char* process : {"ve", "edm", "brownian"}) EXPECT_EQ(class_of(process, prediction), "none");
  for (const char* process : {"vp", "ddpm", "flow"}) EXPECT_EQ(class_of(process, "edm"), "none");
  EXPECT_EQ(class_of("flow", "data"), "none");
}

TEST(Scheduler, IsInTheFolderOnlyWhereItIsTrue) {
  const TestFolder folder;
  const auto has = [&](const char* part) { return std::filesystem::exists(folder / part); };
  save_model(folder, image_model("vp", "velocity"));
  EXPECT_TRUE(has("scheduler/scheduler_config.json") && has("model_index.json"));
  save_model(folder, image_model("ve", "edm"));
  EXPECT_TRUE(has("scheduler/scheduler_config.json"));
  EXPECT_FALSE(has("model_index.json")) << "left by the model before";
  save_model(folder, image_model("vp", "score"));
  EXPECT_FALSE(has("scheduler") || has("model_index.json"));
  EXPECT_EQ(load_model(folder).spec.prediction.name(), "score");
}

}  // namespace
}  // namespace fokker
