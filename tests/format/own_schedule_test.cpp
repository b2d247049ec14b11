#include "data/damage.h"
#include "fokker/core/file/files.h"
#include "fokker/denoise/analytic.h"
#include "fokker/evaluate/likelihood.h"
#include "fokker/format/diffusers/scheduler.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ode/probability_flow.h"
#include "fokker/train/defaults.h"
#include "fokker/train/train.h"
#include "process/own_schedules.h"
#include "support.h"

namespace fokker {
namespace {

class OwnSchedule : public FolderTest {
 protected:
  OwnSchedule() { register_arcs(); }
  static Model model(const Schedule& schedule) {
    return {.network = std::make_shared<Mlp>(MlpOptions{.dimension = 2, .width = 8, .depth = 1}, 2),
            .spec = {.process = GaussianProcess(schedule)},
            .normalisation = Normalisation::identity({2}),
            .columns = {"a", "b"},
            .label_names = {},
            .label_column = {}};
  }
};

TEST_F(OwnSchedule, OfAModelComesBackWithIt) {
  const Model saved = model(make_schedule("test-plain-arc:angle=1.2"));
  save_model(path("m"), saved);
  const Model back = load_model(path("m"));
  for (const double t : {0.0, 0.1, 0.7, 1.0}) {
    EXPECT_EQ(back.spec.process.log_snr(t), saved.spec.process.log_snr(t));
    EXPECT_EQ(back.spec.process.schedule()->drift(t), saved.spec.process.schedule()->drift(t));
  }
  const Tensor x = Rng(1).normal({4, 2});
  EXPECT_TRUE(
      at::equal(back.denoiser()->estimate(x, 0.4).denoised(), saved.denoiser()->estimate(x, 0.4).denoised()));
}

TEST_F(OwnSchedule, IsRefusedWhereItCouldNotBeReadBack) {
  const Schedule nameless = alpha_and_sigma([](double t) { return 1 - t; }, [](double t) { return t; });
  EXPECT_THAT([&] { save_model(path("m"), model(nameless)); }, message("registered name"));
  save_model(path("m"), model(make_schedule("test-arc")));
  Json json = read_json(path("m/fokker.json"));
  json["process"]["type"] = "theirs";
  write("m/fokker.json", json.dump());
  std::filesystem::remove(path("m/manifest.json"));
  expect_error([&] { load_model(path("m")); }, ErrorKind::input, "unknown type 'theirs'; valid types: vp");
}

// Trained on N(0.5, 0.25) in each column: the samples' moments are those of the data.
TEST_F(OwnSchedule, TrainsAndSamplesByTheOneRoute) {
  const Tensor values = Rng(3).normal({4000, 2}) * 0.5 + 0.5;
  const Dataset data{
      .values = values, .columns = {"a", "b"}, .labels = {}, .label_names = {}, .source = "rows"};
  Recipe recipe{.process = make_schedule("test-plain-arc:angle=1.55")};
  recipe.options.steps = 400;
  recipe.options.batch = 256;
  recipe.options.ema_decay = 0.98;
  const Model trained = train(data, std::move(recipe), Rng(4));
  EXPECT_EQ(trained.spec.process.schedule()->config()["type"], "test-plain-arc");
  save_model(path("m"), trained);
  const Model back = load_model(path("m"));
  const Tensor x = back.normalisation.invert(
      generate(*back.denoiser(), Heun(), TimeGrid::uniform_log_snr(back.spec.process, 20), {4000, 2}, Rng(5))
          .x);
  EXPECT_LT(worst(x.mean(0), values.mean(0)), 0.05);
  EXPECT_LT(worst(x.std(0), values.std(0)), 0.05);
}

// The flow of an own schedule gives a Gaussian its density, with derivatives by differences.
TEST_F(OwnSchedule, GivesTheLikelihood) {
  const GaussianMixture law = GaussianMixture::gaussian(vector_of({0.5, -0.2}), vector_of({0.3, 1.4}));
  const AnalyticDenoiser denoiser(law, make_schedule("test-plain-arc"));
  const Tensor x = law.sample(20, Rng(6));
  const LikelihoodOptions options{.tolerance = {.rtol = 1e-8, .atol = 1e-8}};
  EXPECT_LT(worst(log_likelihood(denoiser, x, options, Rng(7)).log_density, law.log_density(x)), 1e-5);
}

/// A model of images as training would set it up.
Model images_of(const Schedule& schedule, const Prediction& prediction) {
  DenoiserSpec spec = default_denoiser(GaussianProcess(schedule), true);
  spec.prediction = prediction;
  return {.network = std::make_shared<UNet>(UNetOptions::for_images(1, 4, 4, 8, 0), 1),
          .spec = spec,
          .normalisation = Normalisation::pixels({1, 4, 4}, at::kByte),
          .columns = {},
          .label_names = {},
          .label_column = {}};
}

std::string scheduler_of(AlphaAndSigma::Function alpha, AlphaAndSigma::Function sigma,
                         const Prediction& prediction) {
  const auto config =
      scheduler_config(images_of(alpha_and_sigma(std::move(alpha), std::move(sigma)), prediction));
  return config ? (*config)["_class_name"].get<std::string>() : "none";
}

// diffusers' chain starts at the data and preserves the variance at every step: a schedule that does not has
// no scheduler file, rather than a false one.
TEST_F(OwnSchedule, HasASchedulerOnlyWhereItIsTrue) {
  const auto cosine = [](double a) { return [a](double t) { return std::cos(a * t); }; };
  const auto sine = [](double a) { return [a](double t) { return std::sin(a * t); }; };
  EXPECT_EQ(scheduler_of(cosine(1.5), sine(1.5), Prediction::noise()), "DDPMScheduler");
  EXPECT_EQ(scheduler_of(cosine(1.5), sine(1.5), Prediction::score()), "none");
  const double quarter = std::numbers::pi / 2;
  EXPECT_EQ(scheduler_of(cosine(quarter), sine(quarter), Prediction::velocity()), "none") << "a beta of 1";
  const auto late = [](double t) { return std::cos(0.1 + 1.4 * t); };
  EXPECT_EQ(scheduler_of(
                late, [](double t) { return std::sin(0.1 + 1.4 * t); }, Prediction::noise()),
            "none")
      << "noisy at the start, which betas cannot say";
  // On the circle at the tenths of t, and off it between.
  const auto bump = [](double t) { return 1 + 0.01 * std::pow(std::sin(10 * std::numbers::pi * t), 2); };
  EXPECT_EQ(scheduler_of([=](double t) { return std::cos(1.5 * t) * bump(t); },
                         [=](double t) { return std::sin(1.5 * t) * bump(t); }, Prediction::noise()),
            "none");
  // The straight line by another name: diffusers' flow matching is told by the name of ours alone.
  EXPECT_EQ(scheduler_of([](double t) { return 1 - t; }, [](double t) { return t; }, Prediction::velocity()),
            "none");
  const auto additive = [](double t) { return 0.01 + 30 * t * t; };
  const auto one = [](double) { return 1.0; };
  EXPECT_EQ(scheduler_of(one, additive, Prediction::edm()), "EDMEulerScheduler");
  const Json config = *scheduler_config(images_of(alpha_and_sigma(one, additive), Prediction::edm()));
  EXPECT_EQ(config["sigma_max"], 30.01);
  EXPECT_EQ(config["rho"], 7.0) << "the spacing of levels is the sampler's";
  const auto dips = [](double t) { return t == 0.5 || t == 1 ? 1.0 : 0.99; };
  EXPECT_EQ(scheduler_of(dips, additive, Prediction::edm()), "none");
}

// What training chooses for it follows from alpha and sigma alone.
TEST_F(OwnSchedule, GetsItsDefaults) {
  const GaussianProcess arc(make_schedule("test-arc"));
  EXPECT_EQ(default_prediction(arc).name(), "velocity");
  EXPECT_EQ(default_weighting(arc), "uniform");
  const GaussianProcess additive(
      alpha_and_sigma([](double) { return 1.0; }, [](double t) { return 0.01 + 30 * t; }));
  EXPECT_EQ(default_prediction(additive).name(), "edm");
  EXPECT_EQ(default_weighting(additive), "edm");
  EXPECT_TRUE(default_denoiser(additive, false).scale_input);
  const GaussianProcess ends(alpha_and_sigma([](double t) { return std::cos(std::numbers::pi / 2 * t); },
                                             [](double t) { return std::sin(std::numbers::pi / 2 * t); }));
  EXPECT_THAT([&] { check_prediction(Prediction::noise(), ends); }, message("ends in noise alone"));
}

}  // namespace
}  // namespace fokker
