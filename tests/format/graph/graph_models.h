#pragma once
#include "fokker/core/file/files.h"
#include "fokker/format/model.h"
#include "fokker/nn/layers.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/train/defaults.h"

namespace fokker {

/// A model, by what is special of it, and labels of three rows.
struct GraphCase {
  std::string name;
  Model model;
  Tensor label = {};
};

inline Model with_defaults(std::shared_ptr<Network> network, const std::string& process,
                           const std::string& prediction, const Normalisation& normalisation) {
  const GaussianProcess p(make_schedule(process));
  DenoiserSpec spec = default_denoiser(p, network->event_shape().size() == 3);
  spec.prediction = Prediction::from_name(prediction);
  network->set_requires_grad(false);
  return {.network = std::move(network),
          .spec = spec,
          .normalisation = normalisation,
          .columns = {},
          .label_names = {}};
}

inline Model mlp_model(MlpOptions options, const std::string& process, const std::string& prediction) {
  options.zero_output = false;
  const Tensor rows = Rng(2).normal({64, options.dimension}, {}, at::kDouble) * 3 + 1;
  return with_defaults(std::make_shared<Mlp>(options, 3), process, prediction,
                       Normalisation::fit(rows.matmul(at::eye(options.dimension, at::kDouble) + 0.5),
                                          NormalisationKind::whiten));
}

inline Model unet_model(UNetOptions options, const std::string& process, const std::string& prediction) {
  options.zero_output = false;
  const std::vector<int64_t> event = {options.in_channels, options.sample_height, options.sample_width};
  return with_defaults(std::make_shared<UNet>(options, 4), process, prediction,
                       Normalisation::pixels(event, at::kFloat));
}

/// Of two columns given two numbers, beside a regression on them.
inline Model regressed_model() {
  Model model = mlp_model({.dimension = 2, .width = 16, .depth = 1, .condition_size = 2}, "vp", "velocity");
  model.condition = {.columns = {"a", "b"},
                     .regression = at::tensor({0.5, -2.0, 1.5, 0.25}, at::kDouble).view({2, 2})};
  return model;
}

/// What diffusers' configurations may ask for beside.
inline std::vector<GraphCase> diffusers_models() {
  using Time = UNetOptions::TimeKind;
  UNetOptions shifted = UNetOptions::for_images(1, 8, 8, 8);
  shifted.time_scale_shift = true;
  shifted.activation = "mish";
  shifted.down_residual.assign(shifted.block_out_channels.size(), true);
  shifted.up_residual = shifted.down_residual;
  UNetOptions learned = UNetOptions::for_images(1, 4, 4, 8);
  learned.time_kind = Time::learned;
  learned.num_train_timesteps = 1000;
  learned.mid_block = false;
  UNetOptions named = UNetOptions::for_images(1, 4, 4, 8, 3);
  named.unconditional_row = 1;
  UNetOptions fourier = UNetOptions::for_images(1, 4, 4, 8);
  fourier.time_kind = Time::fourier;
  return {{"unet, scale and shift", unet_model(shifted, "ddpm", "noise")},
          {"unet, learned times", unet_model(learned, "ddpm", "noise")},
          {"unet, classes by row", unet_model(named, "ddpm", "noise"), at::tensor({0, -1, 2}, at::kLong)},
          {"unet, fourier", unet_model(fourier, "ddpm:steps=10", "noise")}};
}

/// Told what no row may be without: a number, a vector, a token that is attended to, or both.
inline std::vector<GraphCase> told_models() {
  using Label = UNetOptions::LabelKind;
  UNetOptions number = UNetOptions::for_images(1, 4, 4, 8);
  number.label_kind = Label::number;
  UNetOptions vector = number;
  vector.label_kind = Label::vector;
  vector.time_embedding_dim = 6;
  UNetOptions crossed = UNetOptions::for_images(1, 8, 4, 8);
  crossed.block_out_channels = {8, 16};
  crossed.down_attention = {false, false};
  crossed.of_conditions = true;
  crossed.activation = "gelu";
  crossed.mid_attention = false;
  crossed.transformers = {.token_size = 3,
                          .down = {true, false},
                          .up = {false, true},
                          .middle = true,
                          .heads = {2, 4},
                          .layers = {1, 2}};
  UNetOptions both = crossed;
  both.label_kind = Label::projection;
  both.label_size = 2;
  both.transformers.middle = false;
  both.transformers.linear_projection = true;
  UNetOptions linear = both;
  linear.label_kind = Label::linear;
  linear.transformers = {};
  const auto label = [](int64_t size) { return Rng(8).normal({3, size}, {}); };
  return {{"unet, number", unet_model(number, "ddpm", "noise"), label(1).abs() * 20},
          {"unet, vector", unet_model(vector, "ddpm", "noise"), label(6)},
          {"unet, token", unet_model(crossed, "ddpm", "noise"), label(3)},
          {"unet, projection and token", unet_model(both, "flow", "velocity"), label(5)},
          {"unet, linear", unet_model(linear, "ddpm", "velocity"), label(2)}};
}

inline std::vector<GraphCase> unet_models(const Tensor& classes, const Tensor& conditions) {
  UNetOptions plain = UNetOptions::for_images(1, 8, 8, 8);
  UNetOptions odd = UNetOptions::for_images(3, 6, 10, 8, 3);
  odd.downsample_padding = 0;
  odd.flip_sin_to_cos = false;
  odd.freq_shift = 1;
  odd.center_input_sample = true;
  odd.mid_block_scale_factor = 1.5;
  odd.attention_head_dim = 4;
  odd.down_attention.assign(odd.block_out_channels.size(), true);
  odd.up_attention = odd.down_attention;
  const UNetOptions told = UNetOptions::for_images(1, 4, 4, 8, 0, 2);
  return {{"unet", unet_model(plain, "ddpm", "noise")},
          {"unet, odd sides, classes", unet_model(odd, "vp", "velocity"), classes},
          {"unet, condition", unet_model(told, "flow", "velocity"), conditions}};
}

inline std::vector<GraphCase> mlp_models(const Tensor& classes, const Tensor& conditions) {
  std::vector<GraphCase> cases = {
      {"residual", mlp_model({.dimension = 3, .width = 16, .depth = 2}, "vp", "noise")},
      {"fourier",
       mlp_model({.dimension = 2, .width = 16, .depth = 2, .embedding = "fourier", .embedding_size = 5},
                 "flow", "velocity")},
      {"odd features",
       mlp_model({.dimension = 2, .width = 8, .depth = 1, .embedding_size = 7}, "vp-cosine", "data")},
      {"edm", mlp_model({.dimension = 2, .width = 16, .depth = 3, .embedding = "raw"}, "edm", "edm")},
      {"classes", mlp_model({.dimension = 2, .width = 16, .depth = 1, .classes = 3}, "vp", "noise"), classes},
      {"condition", mlp_model({.dimension = 2, .width = 16, .depth = 1, .condition_size = 2}, "vp", "noise"),
       conditions},
      {"chain, classes",
       mlp_model({.dimension = 2, .width = 16, .depth = 2, .residual = false, .classes = 3}, "ddpm", "noise"),
       classes},
      {"chain, condition",
       mlp_model({.dimension = 2, .width = 16, .depth = 2, .residual = false, .condition_size = 2}, "vp",
                 "noise"),
       conditions},
      {"regression", regressed_model(), conditions}};
  for (const char* activation : {"elu", "relu", "gelu", "tanh", "softplus"})
    cases.push_back({activation, mlp_model({.dimension = 2, .width = 8, .depth = 1, .activation = activation},
                                           "vp", "noise")});
  return cases;
}

inline std::vector<GraphCase> graph_models() {
  const Tensor classes = at::tensor({0, -1, 2}, at::kLong);
  const Tensor conditions = at::tensor({0.5F, -1.0F, 2.0F, 0.25F, NAN, 0.0F}).view({3, 2});
  std::vector<GraphCase> cases = mlp_models(classes, conditions);
  for (const auto& more : {unet_models(classes, conditions), diffusers_models(), told_models()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace fokker
