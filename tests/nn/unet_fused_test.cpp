#include "fokker/nn/unet/unet_fused.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>

#include <limits>

#include "nn/unet_support.h"

namespace fokker {
namespace {

using testing::names;
using testing::randomise;
using testing::tiny;
using testing::uneven;
using testing::uneven_without_attention;

/// A network with random weights in float32, and the same in float64, which runs the plain form.
struct Forms {
  UNet exact, single;
  Tensor x, t, label;

  explicit Forms(const UNetOptions& options, int64_t n = 3, bool one_time = false)
      : exact(options), single(options) {
    randomise(exact, 6, 0.2);
    single.load(exact.parameters());
    for (UNet* network : {&exact, &single}) network->set_requires_grad(true);
    std::vector<int64_t> sizes = single.event_shape();
    sizes.insert(sizes.begin(), n);
    x = Rng(1).normal(sizes);
    t = Rng(2).uniform({one_time ? 1 : n}).mul(5);
    if (options.num_class_embeds) label = at::arange(n).remainder(options.num_class_embeds).sub(1);
  }
  static std::vector<Tensor> tensors(const UNet& network) {
    std::vector<Tensor> tensors;
    for (const auto& p : network.parameters()) tensors.push_back(p.tensor);
    return tensors;
  }
  /// Of sum(w y) for fixed w, with respect to x and then all parameters.
  static std::vector<Tensor> gradients_of(const UNet& network, const Tensor& at_x, const Tensor& time,
                                          const Tensor& label) {
    const Tensor input = at_x.detach().clone().requires_grad_(true);
    const Tensor y = network.forward(input, time, label);
    std::vector<Tensor> variables = tensors(network);
    variables.insert(variables.begin(), input);
    return gradients(y * Rng(3).normal(y.sizes()), variables, false);
  }
  std::vector<Tensor> found() const { return gradients_of(single, x, t, label); }
};

void expect_gradients_agree(const UNetOptions& options, int64_t n, bool one_time) {
  const Forms forms(options, n, one_time);
  ASSERT_EQ(forms.single.forward(forms.x, forms.t, forms.label).grad_fn()->name(), "FokkerUNet");
  const auto found = forms.found();
  const auto wanted =
      Forms::gradients_of(forms.exact, forms.x.to(at::kDouble), forms.t.to(at::kDouble), forms.label);
  std::vector<std::string> name = names(forms.single);
  name.insert(name.begin(), "x");
  double largest = 0;
  for (const Tensor& g : wanted) largest = std::max(largest, g.abs().max().item<double>());
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double size = wanted[i].abs().max().item<double>() + 1e-2 * largest;  // biases of keys have none
    EXPECT_LT(testing::difference(found[i].to(at::kDouble), wanted[i]), 1e-4 * size) << name[i];
  }
}

TEST(FusedUNet, GradientsAgreeWithFloat64) {
  expect_gradients_agree(tiny(), 3, false);
  expect_gradients_agree(tiny(), 5, true);
  expect_gradients_agree(uneven(), 2, false);
  expect_gradients_agree(uneven_without_attention(), 1, true);
  expect_gradients_agree(UNetOptions::for_images(3, 32, 32, 24, 2), 3, false);
}

// Channels that end inside vectors of any length, on images of one pixel and a few.
TEST(FusedUNet, GradientsOfAnyNumberOfChannelsAgree) {
  for (int64_t channels = 2; channels <= 17; ++channels) {
    UNetOptions o = tiny();
    o.in_channels = channels % 3 + 1;
    o.block_out_channels = {channels, 19 - channels};
    o.norm_num_groups = 1;
    o.attention_head_dim = 0;
    o.time_embedding_dim = 6;
    o.sample_height = channels % 5 + 1;
    o.sample_width = channels % 4 + 1;
    SCOPED_TRACE(channels);
    expect_gradients_agree(o, 2, false);
  }
}

TEST(FusedUNet, NothingDependsOnThreadsNorAnImageOnTheBatch) {
  const Forms forms(UNetOptions::for_images(1, 28, 28, 16), 19);
  const auto together = forms.found();
  const int threads = at::get_num_threads();
  for (const int count : {1, 2, 3}) {
    at::set_num_threads(count);
    const auto again = forms.found();
    for (size_t i = 0; i < again.size(); ++i)
      EXPECT_TRUE(at::equal(again[i], together[i])) << count << ' ' << i;
  }
  at::set_num_threads(threads);
  GradientMode off(false);
  // Times go through libtorch's products, whose rows may depend on their number: one time for all.
  const Tensor time = forms.t.narrow(0, 0, 1), whole = forms.single.forward(forms.x, time, {});
  for (const int64_t i : {0, 18})
    EXPECT_TRUE(at::equal(forms.single.forward(forms.x.narrow(0, i, 1), time, {})[0], whole[i]));
}

// More images than pass together where nothing is recorded.
TEST(FusedUNet, WithoutGradientsItIsTheSameFunction) {
  const Forms forms(tiny(), 70);
  const Tensor recorded = forms.single.forward(forms.x, forms.t, forms.label).detach();
  GradientMode off(false);
  EXPECT_TRUE(at::equal(forms.single.forward(forms.x, forms.t, forms.label), recorded));
}

TEST(FusedUNet, GivesOnlyTheGradientsThatAreWanted) {
  const Forms forms(tiny());
  const auto all = forms.found();
  const Tensor weights = Rng(3).normal({3, 3, 6, 4});
  const Tensor input = forms.x.clone().requires_grad_(true);
  const auto of_x = gradients(forms.single.forward(input, forms.t, forms.label) * weights, {input}, false);
  EXPECT_TRUE(at::equal(of_x[0], all[0]));
  const Tensor first = forms.single.parameter("conv_in.weight");
  const auto of_first =
      gradients(forms.single.forward(forms.x, forms.t, forms.label) * weights, {first}, false);
  ASSERT_EQ(names(forms.single)[0], "conv_in.weight");
  EXPECT_TRUE(at::equal(of_first[0], all[1]));
}

// The gradient of |d sum(y^2)/dx|^2: first derivatives are recorded, and differentiated again.
TEST(FusedUNet, SecondDerivativesAgreeWithFloat64) {
  const Forms forms(tiny());
  const auto second = [&](const UNet& network, at::ScalarType type) {
    const Tensor input = forms.x.to(type).requires_grad_(true);
    const Tensor y = network.forward(input, forms.t.to(type), forms.label);
    const Tensor penalty = gradients(y.square() / y.numel(), {input}, true)[0].square().sum();
    return gradients(penalty,
                     {input, network.parameter("mid_block.resnets.0.conv1.weight"),
                      network.parameter("time_embedding.linear_1.weight")},
                     false);
  };
  const auto found = second(forms.single, at::kFloat), wanted = second(forms.exact, at::kDouble);
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_LT(relative_difference(found[i], wanted[i]), 1e-4) << i;
}

TEST(FusedUNet, AGraphThatIsKeptCanBeAskedAgain) {
  const Forms forms(tiny());
  const Tensor weight = forms.single.parameter("up_blocks.1.resnets.0.conv1.weight");
  const Tensor y = forms.single.forward(forms.x, forms.t, forms.label).sum();
  const Tensor once = torch::autograd::grad({y}, {weight}, {}, /*retain_graph=*/true)[0].clone();
  EXPECT_TRUE(at::equal(torch::autograd::grad({y}, {weight}, {}, false)[0], once));
  EXPECT_THAT([&] { torch::autograd::grad({y}, {weight}, {}, false); },
              ::testing::ThrowsMessage<std::exception>(
                  ::testing::HasSubstr("one backward pass, or a retained graph")));
}

TEST(FusedUNet, RefusesWeightsThatHaveChangedSince) {
  const Forms forms(tiny());
  const Tensor y = forms.single.forward(forms.x, forms.t, forms.label).sum();
  const Tensor weight = forms.single.parameter("conv_out.weight");
  {
    GradientMode off(false);
    Tensor(weight).mul_(2);
  }
  EXPECT_THAT(
      [&] { torch::autograd::grad({y}, {weight}); },
      ::testing::ThrowsMessage<std::exception>(::testing::HasSubstr("modified by an inplace operation")));
}

TEST(FusedUNet, NanReachesTheResultOfItsImageAlone) {
  Forms forms(tiny());
  forms.x[1][0][2][3] = std::numeric_limits<float>::quiet_NaN();
  const auto found = forms.found();
  EXPECT_TRUE(found[0][1].isnan().any().item<bool>());
  EXPECT_FALSE(found[0][0].isnan().any().item<bool>());
  const Tensor y = forms.single.forward(forms.x, forms.t, forms.label);
  EXPECT_TRUE(y[1].isnan().all().item<bool>());
  EXPECT_FALSE(y[2].isnan().any().item<bool>());
}

}  // namespace
}  // namespace fokker
