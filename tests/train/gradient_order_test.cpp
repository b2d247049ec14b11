// Gradients are told of as soon as nothing is added to them, and no sooner.
#include <gmock/gmock.h>

#include "fokker/core/random/rng.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/train/flat_parameters.h"
#include "support.h"

namespace fokker {
namespace {

/// What was told of, in the order, and whether the pass was over: then nothing of the graph is left to run.
struct Heard {
  std::vector<size_t> order;
  Tensor gathered, whole;
};

Heard hear(FlatParameters& parameters, const Tensor& loss) {
  Heard heard;
  heard.gathered = at::full_like(parameters.values(), NAN);
  heard.whole = parameters
                    .gradient(loss,
                              [&](size_t i, const Tensor& gradient) {
                                heard.order.push_back(i);
                                const auto& place = parameters.places()[i];
                                heard.gathered.narrow(0, place.first, place.count).copy_(gradient);
                              })
                    .clone();
  return heard;
}

/// Of each parameter once, with its last value.
void expect_whole(const Heard& heard, FlatParameters& parameters) {
  std::vector<size_t> sorted = heard.order;
  std::sort(sorted.begin(), sorted.end());
  ASSERT_EQ(sorted.size(), parameters.places().size());
  for (size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(sorted[i], i);
  EXPECT_TRUE(heard.gathered.equal(heard.whole));
}

std::unique_ptr<UNet> small_unet() {
  UNetOptions net = UNetOptions::for_images(1, 8, 8, 8);
  net.zero_output = false;
  auto network = std::make_unique<UNet>(net, 3);
  network->set_requires_grad(true);
  return network;
}

TEST(GradientOrder, OfAUNetIsThatOfItsBackwardPass) {
  const auto made = small_unet();
  UNet& network = *made;
  FlatParameters parameters(network);
  const auto loss = [&] {
    return network.forward(Rng(1).normal({4, 1, 8, 8}), at::full({4}, 0.3), {}).square().mean();
  };
  const Heard heard = hear(parameters, loss());
  expect_whole(heard, parameters);
  EXPECT_TRUE(heard.whole.equal(parameters.gradient(loss())));
  const auto place_of = [&](const std::string& name) {
    size_t i = 0;
    while (network.parameters()[i].name != name) ++i;
    return std::find(heard.order.begin(), heard.order.end(), i) - heard.order.begin();
  };
  // From the output to the input, and what the time is fed through after all others.
  EXPECT_LT(place_of("conv_out.weight"), place_of("up_blocks.0.resnets.0.conv1.weight"));
  EXPECT_LT(place_of("up_blocks.0.resnets.0.conv1.weight"), place_of("down_blocks.0.resnets.0.conv1.weight"));
  EXPECT_LT(place_of("down_blocks.0.resnets.0.conv1.weight"), place_of("conv_in.weight"));
  EXPECT_LT(place_of("conv_in.weight"), place_of("time_embedding.linear_1.weight"));
}

// Two passes add to each gradient: nobody may hear of the first alone.
TEST(GradientOrder, WaitsForEveryUseOfAParameter) {
  const auto unet = small_unet();
  FlatParameters of_unet(*unet);
  const auto at_time = [&](double t) {
    return unet->forward(Rng(1).normal({4, 1, 8, 8}), at::full({4}, t), {}).square().mean();
  };
  expect_whole(hear(of_unet, at_time(0.3) + at_time(0.6)), of_unet);
  Mlp mlp(MlpOptions{.dimension = 2, .width = 16, .depth = 1}, 3);
  mlp.set_requires_grad(true);
  FlatParameters of_mlp(mlp);
  for (const int64_t rows : {10, 64}) {  // the plain form and the fused one
    const auto once = [&](uint64_t seed) {
      return mlp.forward(Rng(seed).normal({rows, 2}), at::full({rows}, 0.5), {}).square().mean();
    };
    expect_whole(hear(of_mlp, once(1)), of_mlp);
    expect_whole(hear(of_mlp, once(1) + once(2)), of_mlp);
  }
}

}  // namespace
}  // namespace fokker
