#include "fokker/nn/unet/unet.h"

#include "nn/unet_support.h"

namespace fokker {
namespace {

using testing::difference;
using testing::expect_error;
using testing::expect_gradients;
using testing::names;
using testing::randomise;
using testing::tiny;
using ::testing::UnorderedElementsAreArray;

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
      UNet(UNetOptions::for_images(1, 28, 28, 32)).parameter("mid_block.resnets.0.conv1.weight");
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
  using Channels = std::vector<int64_t>;
  EXPECT_EQ(UNetOptions::for_images(1, 28, 28).block_out_channels, (Channels{16, 32, 64}));
  EXPECT_EQ(UNetOptions::for_images(3, 32, 32, 32).block_out_channels, (Channels{32, 64, 128}));
  EXPECT_EQ(UNetOptions::for_images(3, 128, 64).block_out_channels, (Channels{16, 32, 64, 64}));
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
