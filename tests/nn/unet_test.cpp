#include "fokker/nn/unet.h"

#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;
using testing::expect_error;
using testing::expect_gradients;
using testing::randomise;
using ::testing::UnorderedElementsAreArray;

UNetOptions tiny() {
  UNetOptions o;
  o.sample_height = 6;
  o.sample_width = 4;
  o.in_channels = 2;
  o.out_channels = 3;
  o.block_out_channels = {4, 8};
  o.down_attention = {false, true};
  o.layers_per_block = 1;
  o.norm_num_groups = 2;
  o.attention_head_dim = 4;
  o.num_class_embeds = 3;
  return o;
}

std::vector<std::string> names(const Network& network) {
  std::vector<std::string> result;
  for (const auto& p : network.parameters()) result.push_back(p.name);
  return result;
}

void both(std::vector<std::string>& names, const std::string& layer) {
  names.push_back(layer + ".weight");
  names.push_back(layer + ".bias");
}

void resnet(std::vector<std::string>& names, const std::string& block, bool shortcut) {
  for (const auto* layer : {".norm1", ".conv1", ".time_emb_proj", ".norm2", ".conv2"})
    both(names, block + layer);
  if (shortcut) both(names, block + ".conv_shortcut");
}

void attention(std::vector<std::string>& names, const std::string& block) {
  for (const auto* layer : {".group_norm", ".to_q", ".to_k", ".to_v", ".to_out.0"})
    both(names, block + layer);
}

TEST(UNet, HasDiffusersTensorNames) {
  std::vector<std::string> expected = {"class_embedding.weight"};
  for (const auto* layer : {"conv_in", "time_embedding.linear_1", "time_embedding.linear_2", "conv_norm_out",
                            "conv_out", "down_blocks.0.downsamplers.0.conv", "up_blocks.0.upsamplers.0.conv"})
    both(expected, layer);
  resnet(expected, "down_blocks.0.resnets.0", false);
  resnet(expected, "down_blocks.1.resnets.0", true);
  attention(expected, "down_blocks.1.attentions.0");
  resnet(expected, "mid_block.resnets.0", false);
  attention(expected, "mid_block.attentions.0");
  resnet(expected, "mid_block.resnets.1", false);
  for (const auto* block :
       {"up_blocks.0.resnets.0", "up_blocks.0.resnets.1", "up_blocks.1.resnets.0", "up_blocks.1.resnets.1"})
    resnet(expected, block, true);
  attention(expected, "up_blocks.0.attentions.0");
  attention(expected, "up_blocks.0.attentions.1");
  EXPECT_THAT(names(UNet(tiny())), UnorderedElementsAreArray(expected));
}

TEST(UNet, ShapesFollowDiffusersOrderOfChannels) {
  const UNet network(tiny());
  const auto shape = [&](const char* name) { return network.parameter(name).sizes().vec(); };
  using Shape = std::vector<int64_t>;
  EXPECT_EQ(shape("conv_in.weight"), (Shape{4, 2, 3, 3}));
  EXPECT_EQ(shape("time_embedding.linear_1.weight"), (Shape{16, 4}));
  EXPECT_EQ(shape("class_embedding.weight"), (Shape{3, 16}));
  EXPECT_EQ(shape("up_blocks.0.resnets.0.conv1.weight"), (Shape{8, 16, 3, 3}));
  EXPECT_EQ(shape("up_blocks.0.resnets.1.conv1.weight"), (Shape{8, 12, 3, 3}));
  EXPECT_EQ(shape("up_blocks.1.resnets.0.conv1.weight"), (Shape{4, 12, 3, 3}));
  EXPECT_EQ(shape("up_blocks.1.resnets.1.conv1.weight"), (Shape{4, 8, 3, 3}));
  EXPECT_EQ(shape("up_blocks.1.resnets.1.conv_shortcut.weight"), (Shape{4, 8, 1, 1}));
}

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

class TinyUNet : public ::testing::Test {
 protected:
  Tensor x = Rng(1).normal({3, 2, 6, 4}, {}, at::kDouble);
  Tensor t = Rng(2).uniform({3}, {}, at::kDouble).mul(5);
  Tensor label = at::tensor({0, -1, 1}, at::kLong);
};

TEST_F(TinyUNet, GradientsAgreeWithCentralDifferences) {
  UNet network(tiny());
  randomise(network, 3);
  std::vector<std::string> checked;
  for (const auto& name : names(network)) {
    if (name.find("to_k.bias") == std::string::npos) checked.push_back(name);
  }
  expect_gradients(network, x, t, label, checked);
}

// Softmax is unchanged by a constant, and a bias of the keys adds one to all scores of a query.
TEST_F(TinyUNet, KeyBiasHasNoEffect) {
  UNet network(tiny());
  randomise(network, 3);
  const Tensor before = network.forward(x, t, label);
  const Tensor bias = network.parameter("mid_block.attentions.0.to_k.bias");
  EXPECT_LT(gradients(before, {bias}, false)[0].abs().max().item<double>(), 1e-12);
  GradientMode off(false);
  Tensor(bias).add_(2.5);
  EXPECT_LT(difference(network.forward(x, t, label), before), 1e-10);
}

TEST_F(TinyUNet, GradientsWithoutPaddingAndWithAsymmetricOne) {
  UNetOptions o = tiny();
  o.downsample_padding = 0;
  o.sample_height = 5;
  o.mid_block_scale_factor = 1.4;
  o.block_out_channels = {4, 4};
  UNet network(o);
  randomise(network, 4);
  expect_gradients(
      network, Rng(1).normal({2, 2, 5, 4}, {}, at::kDouble), t.slice(0, 0, 2), {},
      {"down_blocks.0.downsamplers.0.conv.weight", "mid_block.attentions.0.to_out.0.bias", "conv_in.bias"});
}

TEST_F(TinyUNet, RowsAreIndependentAndOneTimeBroadcasts) {
  UNet network(tiny());
  randomise(network, 3);
  const Tensor together = network.forward(x, t, label);
  EXPECT_EQ(together.sizes(), (IntArrayRef{3, 3, 6, 4}));
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_LT(difference(network.forward(x.narrow(0, i, 1), t.narrow(0, i, 1), label.narrow(0, i, 1))[0],
                         together[i]),
              1e-12);
  const Tensor one = t.narrow(0, 1, 1);
  EXPECT_LT(difference(network.forward(x, one, {}), network.forward(x, one.expand({3}), {})), 1e-12);
}

TEST_F(TinyUNet, ClassesChangeTheOutputAndTheLastIsUnconditional) {
  UNet network(tiny());
  randomise(network, 3);
  const auto at_label = [&](int64_t k) { return network.forward(x, t, at::full({3}, k, at::kLong)); };
  const Tensor none = network.forward(x, t, {});
  EXPECT_LT(difference(at_label(-1), none), 1e-13);
  EXPECT_LT(difference(at_label(2), none), 1e-13);
  EXPECT_GT(difference(at_label(0), none), 1e-3);
  EXPECT_GT(difference(at_label(0), at_label(1)), 1e-3);
}

TEST_F(TinyUNet, ForwardLeavesItsInputsAlone) {
  UNet network(tiny());
  randomise(network, 3);
  const Tensor recorded = network.forward(x, t, label), x_before = x.clone(), t_before = t.clone();
  GradientMode off(false);
  EXPECT_LT(difference(network.forward(x, t, label), recorded), 1e-13);
  EXPECT_EQ(difference(x, x_before), 0);
  EXPECT_EQ(difference(t, t_before), 0);
}

// 5 x 3 with three levels: padded by hand to 8 x 4, run through the same weights, cropped by hand.
TEST_F(TinyUNet, OddSidesArePaddedWithZerosAndCropped) {
  UNetOptions odd = tiny();
  odd.block_out_channels = {4, 4, 4};
  odd.down_attention = {false, false, true};
  odd.sample_height = 5;
  odd.sample_width = 3;
  UNetOptions even = odd;
  even.sample_height = 8;
  even.sample_width = 4;
  UNet small(odd), large(even);
  randomise(small, 8);
  randomise(large, 8);
  const Tensor input = Rng(4).normal({2, 2, 5, 3}, {}, at::kDouble);
  Tensor framed = at::zeros({2, 2, 8, 4}, at::kDouble);
  framed.narrow(2, 0, 5).narrow(3, 0, 3).copy_(input);
  const Tensor y = small.forward(input, t.slice(0, 0, 2), {});
  const Tensor expected = large.forward(framed, t.slice(0, 0, 2), {}).narrow(2, 0, 5).narrow(3, 0, 3);
  EXPECT_EQ(y.sizes(), (IntArrayRef{2, 3, 5, 3}));
  EXPECT_LT(difference(y, expected), 1e-12);
}

// Centring maps [0, 1] to [-1, 1] before anything else.
TEST_F(TinyUNet, CentringIsAnAffineMapOfTheInput) {
  UNetOptions centred = tiny();
  centred.center_input_sample = true;
  UNet a(tiny()), b(centred);
  randomise(a, 3);
  randomise(b, 3);
  EXPECT_LT(difference(b.forward((x + 1) / 2, t, label), a.forward(x, t, label)), 1e-12);
}

TEST_F(TinyUNet, StartsAtZeroAndSeedFixesTheRest) {
  const UNet a(tiny(), 1), b(tiny(), 1), c(tiny(), 2);
  EXPECT_EQ(a.forward(x.to(at::kFloat), t.to(at::kFloat), {}).abs().max().item<float>(), 0);
  for (const auto& p : a.parameters()) EXPECT_EQ(difference(p.tensor, b.parameter(p.name)), 0);
  EXPECT_GT(difference(a.parameter("conv_in.weight"), c.parameter("conv_in.weight")), 0.01);
  const Tensor weight =
      UNet(UNetOptions::for_images(1, 28, 28)).parameter("mid_block.resnets.0.conv1.weight");
  const double fan_in = static_cast<double>(weight[0].numel());
  EXPECT_NEAR(weight.square().mean().item<double>() * 3 * fan_in, 1, 0.02);
}

TEST(UNet, DefaultsForImages) {
  for (const auto& [channels, height, width] :
       {std::array<int64_t, 3>{1, 28, 28}, {3, 32, 32}, {4, 20, 11}}) {
    const UNet network(UNetOptions::for_images(channels, height, width, 0, 10));
    EXPECT_EQ(network.event_shape(), (std::vector<int64_t>{channels, height, width}));
    EXPECT_EQ(network.parameter("class_embedding.weight").size(0), 11);
    GradientMode off(false);
    const Tensor y = network.forward(Rng(0).normal({1, channels, height, width}), at::full({1}, 10.0f), {});
    EXPECT_EQ(y.sizes(), (IntArrayRef{1, channels, height, width}));
  }
  expect_error([] { UNetOptions::for_images(1, 28, 28, 12); }, ErrorKind::argument,
               "multiple of 8 but received 12");
}

TEST(UNet, RefusesImagesOfAnotherSize) {
  const UNet network(tiny());
  expect_error(
      [&] {
        network.forward(at::zeros({1, 2, 4, 6}), at::zeros({1}), {});
      },
      ErrorKind::argument, "UNet: expected x of shape (n, 2, 6, 4) but received (1, 2, 4, 6)");
}

}  // namespace
}  // namespace fokker
