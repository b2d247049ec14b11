// Training, sampling and evaluation on an accelerator: everything runs there, and agrees with the processor.
#include <gtest/gtest.h>

#include "device/pretend_device.h"
#include "fokker/denoise/analytic.h"
#include "fokker/evaluate/likelihood.h"
#include "fokker/evaluate/loss_profile.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/objective/registry.h"
#include "fokker/sample/samplers.h"
#include "fokker/train/sample_model.h"
#include "fokker/train/trainer.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

using testing::accelerator;
using testing::tolerance_there;

void expect_agreement(const Tensor& there, const Tensor& here, const std::string& what) {
  ASSERT_EQ(there.sizes(), here.sizes()) << what;
  EXPECT_LT(relative_difference(there.cpu(), here.to(at::kDouble)), tolerance_there()) << what;
}

std::unique_ptr<Network> network_of(bool images) {
  // cuDNN's convolutions would round float32 factors to 10 bits.
  at::globalContext().setAllowTF32CuDNN(false);
  if (!images)
    return std::make_unique<Mlp>(
        MlpOptions{
            .dimension = 2, .width = 16, .depth = 2, .embedding_size = 8, .classes = 2, .zero_output = false},
        3);
  UNetOptions o = UNetOptions::for_images(1, 8, 8, 8, 2);
  o.norm_num_groups = 4;
  return std::make_unique<UNet>(o, 3);
}

Dataset rows_of_two_classes(bool images, int64_t rows) {
  const Tensor values =
      images ? Rng(1).normal({rows, 1, 8, 8}, {}, at::kDouble) : Rng(1).normal({rows, 2}, {}, at::kDouble);
  return {.values = values,
          .columns = images ? std::vector<std::string>{} : std::vector<std::string>{"a", "b"},
          .labels = at::arange(rows, at::kLong).remainder(2),
          .label_names = {"cat", "dog"},
          .source = "test"};
}

Normalisation normalisation_of(bool images) {
  return images ? Normalisation::pixels({1, 8, 8}, at::kFloat)
                : Normalisation::fit(rows_of_two_classes(false, 40).values, NormalisationKind::standardise);
}

Model model_on(at::Device device, bool images) {
  std::shared_ptr<Network> network = network_of(images);
  network->to(device, at::kFloat);
  return {.network = network,
          .spec = {.process = make_schedule("vp")},
          .normalisation = normalisation_of(images),
          .columns = images ? std::vector<std::string>{} : std::vector<std::string>{"a", "b"},
          .label_names = {"cat", "dog"}};
}

std::shared_ptr<const Objective> objective_named(const std::string& name, bool images, at::Device device) {
  const auto law = [device] {
    return GaussianMixture::empirical(rows_of_two_classes(false, 40).values).to(device);
  };
  return make_objective({.objective = name,
                         .weighting = "auto",
                         .times = {},
                         .denoising_weighting = "uniform",
                         .labels = name == "denoising",
                         .event_shape = images ? std::vector<int64_t>{1, 8, 8} : std::vector<int64_t>{2},
                         .data_law = law})
      .objective;
}

Trainer trainer_on(at::Device device, bool images, const std::string& objective) {
  std::unique_ptr<Network> network = network_of(images);
  network->to(device, at::kFloat);
  return Trainer(
      std::move(network), {.process = make_schedule("vp")}, objective_named(objective, images, device),
      {rows_of_two_classes(images, 40), rows_of_two_classes(images, 10)}, normalisation_of(images),
      {.steps = 4, .batch = 16, .learning_rate = 1e-3, .warm_up = 2, .log_every = 1, .held_out_every = 2},
      Rng(7));
}

TrainHooks recording(std::vector<double>& losses) {
  TrainHooks hooks;
  hooks.on_metrics = [&](const TrainMetrics& m) { losses.push_back(m.loss); };
  return hooks;
}

Tensor flat_weights(const Trainer& trainer) {
  std::vector<Tensor> flat;
  for (const auto& [name, tensor] : trainer.averaged_network().parameters()) flat.push_back(tensor.flatten());
  return at::cat(flat);
}

class OnADevice : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(PointsAndImages, OnADevice, ::testing::Bool());

TEST_P(OnADevice, TrainingAgrees) {
  for (const std::string& name : GetParam() ? std::vector<std::string>{"denoising"} : objective_names()) {
    SCOPED_TRACE(name);
    Trainer here = trainer_on(at::kCPU, GetParam(), name),
            there = trainer_on(accelerator(), GetParam(), name);
    std::vector<double> losses[2];
    here.run(recording(losses[0]));
    there.run(recording(losses[1]));
    expect_agreement(vector_of(losses[1]), vector_of(losses[0]), name + ": losses");
    expect_agreement(flat_weights(there), flat_weights(here), name + ": weights");
    EXPECT_EQ(flat_weights(there).device(), accelerator());
    EXPECT_NEAR(there.held_out_loss(), here.held_out_loss(), 10 * tolerance_there());
  }
}

TEST_P(OnADevice, AStateGoesFromOneDeviceToTheOther) {
  Trainer there = trainer_on(accelerator(), GetParam(), "denoising");
  there.run({});
  const TestFolder folder;
  there.save_state(folder.path());
  Trainer here = trainer_on(at::kCPU, GetParam(), "denoising");
  ASSERT_TRUE(here.load_state(folder.path()));
  EXPECT_TRUE(at::equal(flat_weights(here), flat_weights(there).cpu()));
  Trainer again = trainer_on(accelerator(), GetParam(), "denoising");
  ASSERT_TRUE(again.load_state(folder.path()));
  EXPECT_TRUE(at::equal(flat_weights(again).cpu(), flat_weights(there).cpu()));
}

TEST_P(OnADevice, EverySamplerAgrees) {
  const Model here = model_on(at::kCPU, GetParam()), there = model_on(accelerator(), GetParam());
  for (const std::string& name : sampler_names()) {
    if (!is_sampler(name)) continue;
    SCOPED_TRACE(name);
    const SamplerChoice choice = make_sampler(name, here.spec.process);
    SampleOptions options{.sampler = make_sampler(name, here.spec.process).sampler,
                          .grid = sampler_grid(choice, here.spec.process, "",
                                               choice.steps_set_by.empty() && !choice.grid.empty() ? 6 : 0)};
    if (name == "ddim") options.labels = {"dog"}, options.guidance = 2, options.clip = 2;
    const Dataset expected = sample(here, 6, Rng(3), options), found = sample(there, 6, Rng(3), options);
    EXPECT_TRUE(found.values.device().is_cpu());
    EXPECT_LT(relative_difference(found.values, expected.values.to(at::kDouble)), 30 * tolerance_there());
  }
}

TEST_P(OnADevice, LikelihoodsAndLossesAgree) {
  if (GetParam()) return;
  const Model here = model_on(at::kCPU, false), there = model_on(accelerator(), false);
  const Tensor x = Rng(2).normal({5, 2});
  for (const auto divergence : {FlowDivergence::exact, FlowDivergence::hutchinson}) {
    const LikelihoodOptions options{.divergence = divergence, .type = at::kFloat};
    const Likelihood a = log_likelihood(*here.denoiser(), x, options, Rng(4)),
                     b = log_likelihood(*there.denoiser(), x.to(accelerator()), options, Rng(4));
    expect_agreement(b.log_density, a.log_density, "likelihood");
  }
  const LossProfile a = loss_profile(*here.denoiser(), Weighting::uniform(), x, {0.2, 0.9}, Rng(5)),
                    b = loss_profile(*there.denoiser(), Weighting::uniform(), x.to(accelerator()), {0.2, 0.9},
                                     Rng(5));
  expect_agreement(vector_of(b.loss), vector_of(a.loss), "loss profile");
}

TEST(OnADeviceExactly, TheExactDenoiserAgrees) {
  const GaussianProcess process(make_schedule("vp"));
  const Tensor data = Rng(1).normal({50, 3}, {}, at::kDouble), x = Rng(2).normal({7, 3}, {}, at::kDouble);
  for (const double variance : {0.0, 0.1}) {
    const GaussianMixture law(at::ones({50}), data, at::full({}, variance, at::kDouble));
    const AnalyticDenoiser here(law, process), there(law.to(accelerator()), process);
    expect_agreement(there.estimate(x.to(accelerator()), 0.3).denoised(), here.estimate(x, 0.3).denoised(),
                     "mean");
    expect_agreement(there.estimate(x.to(accelerator()), 0.3).score(), here.estimate(x, 0.3).score(),
                     "score");
  }
}

TEST(OnADeviceExactly, ALawOfAnotherDeviceIsRefused) {
  const AnalyticDenoiser here(GaussianMixture::standard_normal(2), GaussianProcess(make_schedule("vp")));
  expect_error(
      [&] {
        here.estimate(at::zeros({3, 2}).to(accelerator()), 0.3).denoised();
      },
      ErrorKind::argument, "GaussianMixture: expected x on cpu");
}

TEST(OnADeviceExactly, NoiseComesFromTheSameBits) {
  for (const auto type : {at::kFloat, at::kDouble})
    for (const int64_t columns : {1, 2, 3, 64}) {
      const Tensor here = Rng(3).normal({9, columns}, {.first_sample = 5, .step = 2}, type);
      const Tensor there = Rng(3).normal({9, columns}, {.first_sample = 5, .step = 2},
                                         at::TensorOptions(type).device(accelerator()));
      EXPECT_EQ(there.device(), accelerator());
      EXPECT_LT(worst(there.cpu(), here), type == at::kFloat ? 1.5e-6 : 1e-14) << columns;
    }
}

}  // namespace
}  // namespace fokker
