#include "fokker/nn/ema.h"

#include "fokker/nn/mlp.h"
#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;
using testing::expect_error;

Mlp small_network(uint64_t seed) {
  return Mlp({.dimension = 2, .width = 8, .depth = 1, .zero_output = false}, seed);
}

void fill(Network& network, double value) {
  GradientMode off(false);
  for (const auto& p : network.parameters()) Tensor(p.tensor).fill_(value);
}

// From a_0, n updates with a constant p: a_n = p + d^n (a_0 - p).
TEST(Ema, ConstantParametersGiveTheGeometricForm) {
  Mlp network = small_network(0);
  network.to(at::kCPU, at::kDouble);
  fill(network, 3.0);
  Ema ema(network, 0.9, /*warm_up=*/false);
  fill(network, -1.0);
  for (int n = 1; n <= 20; ++n) {
    ema.update(network);
    for (const auto& a : ema.parameters())
      EXPECT_LT(difference(a.tensor, at::full_like(a.tensor, -1 + std::pow(0.9, n) * 4)), 1e-13);
  }
  EXPECT_EQ(ema.steps(), 20);
}

TEST(Ema, WarmUpFollowsItsClosedForm) {
  Mlp network = small_network(0);
  network.to(at::kCPU, at::kDouble);
  fill(network, 1.0);
  Ema ema(network, 0.5);
  fill(network, 0.0);
  double expected = 1;
  for (int k = 0; k < 15; ++k) {
    const double decay = std::min(0.5, (1.0 + k) / (10.0 + k));
    EXPECT_DOUBLE_EQ(ema.next_decay(), decay);
    expected *= decay;
    ema.update(network);
    EXPECT_NEAR(ema.parameters().front().tensor.flatten()[0].item<double>(), expected, 1e-15);
  }
  EXPECT_DOUBLE_EQ(ema.next_decay(), 0.5);
}

TEST(Ema, ZeroDecayIsACopy) {
  Mlp a = small_network(1), b = small_network(2);
  Ema ema(a, 0, false);
  ema.update(b);
  for (const auto& p : ema.parameters()) EXPECT_EQ(difference(p.tensor, b.parameter(p.name)), 0);
}

TEST(Ema, OwnsItsTensorsAndWritesThemBack) {
  Mlp network = small_network(1);
  const Tensor before = network.parameter("input.weight").detach().clone();
  const Ema ema(network, 0.9);
  fill(network, 7);
  EXPECT_EQ(difference(ema.parameters()[4].tensor, before), 0);
  ema.copy_to(network);
  EXPECT_EQ(difference(network.parameter("input.weight"), before), 0);
  EXPECT_TRUE(network.parameter("input.weight").requires_grad());
  EXPECT_FALSE(ema.parameters().front().tensor.requires_grad());
}

TEST(Ema, HalfPrecisionParametersAreAveragedInFloat) {
  Mlp network = small_network(1);
  network.to(at::kCPU, at::kBFloat16);
  fill(network, 1);
  Ema ema(network, 0.999, false);
  fill(network, 0);
  for (int i = 0; i < 10; ++i) ema.update(network);
  EXPECT_EQ(ema.parameters().front().tensor.scalar_type(), at::kFloat);
  EXPECT_NEAR(ema.parameters().front().tensor.flatten()[0].item<double>(), std::pow(0.999, 10), 1e-6);
}

TEST(Ema, RestoreContinuesExactly) {
  Mlp network = small_network(1);
  Ema whole(network, 0.99);
  fill(network, 0.25);
  for (int i = 0; i < 3; ++i) whole.update(network);
  Ema resumed(small_network(5), 0.99);
  resumed.restore(whole.parameters(), whole.steps());
  fill(network, -0.5);
  whole.update(network);
  resumed.update(network);
  EXPECT_EQ(resumed.steps(), 4);
  for (size_t i = 0; i < whole.parameters().size(); ++i)
    EXPECT_EQ(difference(whole.parameters()[i].tensor, resumed.parameters()[i].tensor), 0);
}

TEST(Ema, RefusesWhatDoesNotFit) {
  Mlp network = small_network(0);
  expect_error([&] { Ema(network, 1.0); }, ErrorKind::argument, "0 <= decay < 1 but received 1");
  expect_error([&] { Ema(network, -0.1); }, ErrorKind::argument, "received -0.1");
  Ema ema(network, 0.9);
  Mlp wider({.dimension = 2, .width = 9, .depth = 1});
  expect_error([&] { ema.update(wider); }, ErrorKind::argument, "but received");
  expect_error([&] { ema.restore({}, 1); }, ErrorKind::input, "averages but received 0");
}

}  // namespace
}  // namespace fokker
