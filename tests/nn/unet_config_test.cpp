#include "fokker/nn/layers.h"
#include "nn/unet_support.h"

namespace fokker {
namespace {

using testing::expect_error;
using testing::names;
using testing::tiny;

// The published configuration of google/ddpm-cifar10-32, which has 35,746,307 parameters.
Json cifar_configuration() {
  return Json::parse(R"({"_class_name": "UNet2DModel", "_diffusers_version": "0.0.4", "act_fn": "silu",
    "attention_head_dim": null, "block_out_channels": [128, 256, 256, 256], "center_input_sample": false,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"], "downsample_padding": 0,
    "flip_sin_to_cos": false, "freq_shift": 1, "in_channels": 3, "layers_per_block": 2, "mid_block_scale_factor": 1,
    "norm_eps": 1e-06, "norm_num_groups": 32, "out_channels": 3, "sample_size": 32, "time_embedding_type": "positional",
    "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"]})");
}

TEST(UNet, ReadsAPublishedConfiguration) {
  const auto network = make_network(cifar_configuration(), 0);
  EXPECT_EQ(network->parameter_count(), 35746307);
  EXPECT_EQ(network->event_shape(), (std::vector<int64_t>{3, 32, 32}));
  const auto& o = dynamic_cast<UNet&>(*network).options();
  EXPECT_EQ(o.down_attention, (std::vector<bool>{false, true, false, false}));
  EXPECT_EQ(o.up_attention, (std::vector<bool>{false, true, false, false}));
  EXPECT_EQ(o.attention_head_dim, 0);
  EXPECT_EQ(o.freq_shift, 1);
  EXPECT_FALSE(o.flip_sin_to_cos);
  EXPECT_EQ(o.norm_eps, 1e-6);
  EXPECT_TRUE(o.mid_attention);
  const Json written = network->config(), published = cifar_configuration();
  for (const auto& [key, value] : published.items())
    if (key != "_diffusers_version") {
      EXPECT_EQ(written[key], value) << key;
    }
}

// google/ddpm-celebahq-256: 450 tensors of 113,673,219 numbers, which are laid out here and not drawn.
TEST(UNet, HasTheLayoutOfAPublishedNetworkWithoutDrawingIt) {
  Json config = cifar_configuration();
  config["block_out_channels"] = {128, 128, 256, 256, 512, 512};
  config["down_block_types"] = {"DownBlock2D", "DownBlock2D",     "DownBlock2D",
                                "DownBlock2D", "AttnDownBlock2D", "DownBlock2D"};
  config["up_block_types"] = {"UpBlock2D", "AttnUpBlock2D", "UpBlock2D",
                              "UpBlock2D", "UpBlock2D",     "UpBlock2D"};
  config["sample_size"] = 256;
  const UndrawnWeights undrawn;
  const auto network = make_network(config, 0);
  EXPECT_EQ(network->parameters().size(), 450u);
  EXPECT_EQ(network->parameter_count(), 113673219);
  EXPECT_EQ(network->parameter("down_blocks.4.attentions.1.to_out.0.weight").sizes(),
            (at::IntArrayRef{512, 512}));
  EXPECT_EQ(network->parameter("up_blocks.1.attentions.2.to_q.bias").sizes(), (at::IntArrayRef{512}));
  EXPECT_EQ(make_network(cifar_configuration(), 0)->parameters().size(), 328u);
}

TEST(UNet, ConfigurationOfEveryOptionRoundTrips) {
  Json config = UNet(tiny()).config();
  const std::vector<std::pair<const char*, Json>> changes = {
      {"time_embedding_type", "fourier"}, {"resnet_time_scale_shift", "scale_shift"},
      {"class_embed_type", "timestep"},   {"act_fn", "mish"},
      {"mid_block_type", nullptr},        {"downsample_type", "resnet"},
      {"attn_norm_num_groups", 4},        {"dropout", 0.25}};
  for (const auto& [key, value] : changes) {
    Json changed = config;
    changed["num_class_embeds"] = nullptr;
    changed.erase("unconditional_class");
    changed[key] = value;
    const Json written = make_network(changed, 0)->config();
    EXPECT_EQ(written[key], value) << key;
    EXPECT_EQ(make_network(written, 0)->config(), written) << key;
  }
  config["down_block_types"] = {"ResnetDownsampleBlock2D", "AttnDownBlock2D"};
  config["up_block_types"] = {"ResnetUpsampleBlock2D", "UpBlock2D"};
  const Json written = make_network(config, 0)->config();
  EXPECT_EQ(written["down_block_types"], config["down_block_types"]);
  EXPECT_EQ(written["up_block_types"], config["up_block_types"]);
}

TEST(UNet, ConfigurationRoundTrips) {
  UNetOptions o = tiny();
  o.up_attention = {true, false};
  o.mid_attention = false;
  o.center_input_sample = true;
  o.mid_block_scale_factor = 1.5;
  o.time_embedding_dim = 10;
  const UNet network(o);
  EXPECT_EQ(network.config()["sample_size"], Json::array({6, 4}));
  EXPECT_EQ(network.config()["up_block_types"], Json::array({"UpBlock2D", "AttnUpBlock2D"}));
  const auto again = make_network(Json::parse(network.config().dump()), 0);
  EXPECT_EQ(again->config(), network.config());
  EXPECT_EQ(names(*again), names(network));
}

TEST(UNet, MissingKeysHaveDiffusersDefaults) {
  const auto o = UNetOptions::from_config({{"_class_name", "UNet2DModel"}, {"sample_size", 64}});
  EXPECT_EQ(o.block_out_channels, (std::vector<int64_t>{224, 448, 672, 896}));
  EXPECT_EQ(o.down_attention, (std::vector<bool>{false, true, true, true}));
  EXPECT_EQ(o.up_attention, o.down_attention);
  EXPECT_EQ(o.attention_head_dim, 8);
  EXPECT_EQ(o.layers_per_block, 2);
  EXPECT_EQ(o.norm_num_groups, 32);
  EXPECT_EQ(o.downsample_padding, 1);
  EXPECT_TRUE(o.flip_sin_to_cos);
}

TEST(UNet, RefusesWhatItDoesNotHave) {
  const auto with = [](const char* key, Json value) {
    Json config = cifar_configuration();
    config[key] = std::move(value);
    return [config] { make_network(config, 0); };
  };
  const std::vector<std::pair<const char*, Json>> unsupported = {
      {"time_embedding_type", "rotary"},
      {"act_fn", "tanh"},
      {"resnet_time_scale_shift", "spatial"},
      {"downsample_type", "fir"},
      {"upsample_type", "fir"},
      {"mid_block_type", "UNetMidBlock2DCrossAttn"},
      {"class_embed_type", "projection"},
      {"norm_num_groups", "32"},
      {"sample_size", nullptr}};
  for (const auto& [key, value] : unsupported)
    expect_error(with(key, value), ErrorKind::input, fmt::format("expected \"{}\" to be", key));
  expect_error(with("down_block_types", {"DownBlock2D", "SkipDownBlock2D", "DownBlock2D", "DownBlock2D"}),
               ErrorKind::input,
               "AttnDownBlock2D or ResnetDownsampleBlock2D but received \"SkipDownBlock2D\"");
  expect_error(with("time_embedding_type", "learned"), ErrorKind::input,
               "num_train_timesteps from 1 to 1000000");
  expect_error(with("attn_norm_num_groups", 48), ErrorKind::input, "multiple of attn_norm_num_groups 48");
  expect_error(with("block_out_channels", {128, 256}), ErrorKind::input, "2, but received 4 and 4");
  expect_error(with("norm_num_groups", 48), ErrorKind::input,
               "multiples of norm_num_groups 48 but received 128");
  expect_error(with("attention_head_dim", 96), ErrorKind::input,
               "multiples of attention_head_dim 96 but received 256");
  expect_error(with("layers_per_block", 0), ErrorKind::input, "layers_per_block from 1 to 64 but received 0");
  expect_error(with("in_channels", -3), ErrorKind::input, "received -3 in");
}

}  // namespace
}  // namespace fokker
