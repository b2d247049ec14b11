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
  const std::vector<std::pair<const char*, Json>> unsupported = {{"time_embedding_type", "fourier"},
                                                                 {"act_fn", "gelu"},
                                                                 {"resnet_time_scale_shift", "scale_shift"},
                                                                 {"downsample_type", "resnet"},
                                                                 {"upsample_type", "resnet"},
                                                                 {"class_embed_type", "timestep"},
                                                                 {"attn_norm_num_groups", 16},
                                                                 {"norm_num_groups", "32"},
                                                                 {"sample_size", nullptr}};
  for (const auto& [key, value] : unsupported)
    expect_error(with(key, value), ErrorKind::input, fmt::format("expected \"{}\" to be", key));
  expect_error(with("down_block_types", {"DownBlock2D", "SkipDownBlock2D", "DownBlock2D", "DownBlock2D"}),
               ErrorKind::input, "DownBlock2D or AttnDownBlock2D but received \"SkipDownBlock2D\"");
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
