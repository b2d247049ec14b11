#include "fokker/nn/network.h"

#include <atomic>
#include <latch>
#include <thread>

#include "fokker/nn/mlp/mlp.h"
#include "nn/own_network.h"
#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;
using testing::expect_error;

const MlpOptions options = {.dimension = 2, .width = 8, .depth = 1, .zero_output = false};

std::vector<NamedTensor> copies(const Network& network) {
  std::vector<NamedTensor> values;
  for (const auto& p : network.parameters()) values.push_back({p.name, p.tensor.detach().clone()});
  return values;
}

TEST(Network, LoadTakesValuesByNameInAnyOrder) {
  Mlp from(options, 1), to(options, 2);
  auto values = copies(from);
  std::reverse(values.begin(), values.end());
  to.load(values);
  for (const auto& p : from.parameters()) EXPECT_EQ(difference(p.tensor, to.parameter(p.name)), 0);
  const Tensor x = Rng(0).normal({3, 2}), t = at::full({1}, 0.2f);
  EXPECT_EQ(difference(from.forward(x, t, {}), to.forward(x, t, {})), 0);
  EXPECT_TRUE(to.parameter("input.weight").is_leaf());
  EXPECT_TRUE(to.parameter("input.weight").requires_grad());
}

TEST(Network, LoadRefusesWhatDoesNotFitAndThenChangesNothing) {
  Mlp network(options, 1);
  const auto before = copies(network);
  auto zeros = copies(network);
  for (auto& z : zeros) z.tensor.zero_();
  auto missing = zeros, extra = zeros, shape = zeros, twice = zeros;
  missing.pop_back();
  extra.push_back({"output.bia", at::zeros({1})});
  shape.back().tensor = at::zeros({3});
  twice.push_back(twice.front());
  expect_error([&] { network.load(missing); }, ErrorKind::input,
               "expected a tensor \"output.bias\" of shape (2) but received none");
  expect_error([&] { network.load(extra); }, ErrorKind::input,
               "expected no tensor \"output.bia\" (nearest: output.bias");
  expect_error([&] { network.load(shape); }, ErrorKind::input,
               "\"output.bias\" of shape (2) but received (3)");
  expect_error([&] { network.load(twice); }, ErrorKind::input, "twice");
  for (const auto& b : before) EXPECT_EQ(difference(b.tensor, network.parameter(b.name)), 0) << b.name;
}

TEST(Network, CloneIsDeep) {
  Mlp network(options, 1);
  network.to(at::kCPU, at::kDouble);
  network.set_requires_grad(false);
  const auto clone = network.clone();
  EXPECT_EQ(clone->config(), network.config());
  {
    GradientMode off(false);
    for (const auto& p : network.parameters()) {
      EXPECT_EQ(difference(clone->parameter(p.name), p.tensor), 0);
      EXPECT_EQ(clone->parameter(p.name).scalar_type(), at::kDouble);
      EXPECT_FALSE(clone->parameter(p.name).requires_grad());
      const Tensor old = p.tensor.clone();
      Tensor(p.tensor).add_(1);
      EXPECT_EQ(difference(clone->parameter(p.name), old), 0);
    }
  }
}

// The layers must see the converted tensors, and so must a caller who kept a handle.
TEST(Network, ConversionReachesLayersAndHandles) {
  Mlp network(options, 1);
  const Tensor handle = network.parameter("input.weight"), x = Rng(0).normal({3, 2}), t = at::full({1}, 0.2f);
  const Tensor single = network.forward(x, t, {});
  network.to(at::kCPU, at::kDouble);
  EXPECT_EQ(handle.scalar_type(), at::kDouble);
  EXPECT_TRUE(handle.requires_grad());
  const Tensor twice = network.forward(x.to(at::kDouble), t.to(at::kDouble), {});
  EXPECT_EQ(twice.scalar_type(), at::kDouble);
  EXPECT_LT(difference(single.to(at::kDouble), twice), 1e-4);
  EXPECT_EQ(gradients(twice, {handle}, false)[0].scalar_type(), at::kDouble);
  expect_error([&] { network.to(at::kCPU, at::kLong); }, ErrorKind::argument, "floating-point");
}

TEST(Network, RequiresGradientsAsAsked) {
  Mlp network(options, 1);
  const Tensor x = Rng(0).normal({3, 2}), t = at::full({1}, 0.2f);
  EXPECT_TRUE(network.forward(x, t, {}).requires_grad());
  network.set_requires_grad(false);
  EXPECT_FALSE(network.forward(x, t, {}).requires_grad());
}

TEST(Network, AWrongNameSuggestsTheNearest) {
  const Mlp network(options, 1);
  expect_error([&] { network.parameter("inputs.weight"); }, ErrorKind::argument, "such as input.weight");
}

TEST(Network, MakeNetworkRefusesOtherConfigurations) {
  expect_error([] { make_network(Json::array(), 0); }, ErrorKind::input,
               "expected a JSON object but received array");
  expect_error([] { make_network({{"width", 3}}, 0); }, ErrorKind::input, "_class_name");
  expect_error(
      [] {
        make_network({{"_class_name", "UNet1DModel"}}, 0);
      },
      ErrorKind::input, "\"UNet1DModel\"");
  expect_error(
      [] {
        make_network({{"_class_name", "FokkerMlp"}, {"dimension", 2.5}}, 0);
      },
      ErrorKind::input, "\"dimension\" to be an integer but received 2.5");
}

TEST(NetworkRegistry, OwnNetworksCloneByTheirMaker) {
  register_network(OwnLinear::name, OwnLinear::make);
  OwnLinear network({2}, 4);
  network.to(at::kCPU, at::kDouble);
  network.set_bf16_products(true);
  network.parameter("rate").set_requires_grad(false);
  const auto clone = network.clone();
  EXPECT_NE(dynamic_cast<OwnLinear*>(clone.get()), nullptr);
  EXPECT_TRUE(clone->bf16_products());
  EXPECT_TRUE(clone->parameter("weight").requires_grad());
  EXPECT_FALSE(clone->parameter("rate").requires_grad());
  EXPECT_EQ(clone->parameter("weight").scalar_type(), at::kDouble);
  const Tensor x = Rng(0).normal({3, 2}, {}, at::kDouble), t = at::full({1}, 0.2, at::kDouble);
  const Tensor before = network.forward(x, t, {});
  EXPECT_EQ(difference(clone->forward(x, t, {}), before), 0);
  GradientMode off(false);
  network.parameter("bias").fill_(1);
  EXPECT_EQ(difference(clone->forward(x, t, {}), before), 0);
}

/// Says that it is a network of another name.
class Named final : public Network {
 public:
  explicit Named(Json config) : config_(std::move(config)) {}
  Tensor forward(const Tensor& x, const Tensor&, const Tensor&) const override { return -x; }
  Json config() const override { return config_; }
  std::vector<int64_t> event_shape() const override { return {2}; }

 private:
  Json config_;
};

// A copy of another class would train or sample something else without a word.
TEST(NetworkRegistry, CloneRefusesWhatItCannotCopy) {
  expect_error(
      [] {
        Named(Json{{"_class_name", "Nobody"}}).clone();
      },
      ErrorKind::argument, "Named to override clone(), or \"Nobody\" to be registered");
  expect_error([] { Named(Mlp(options, 1).config()).clone(); }, ErrorKind::argument,
               "\"FokkerMlp\" to be the registered name of fokker::");
  expect_error([] { Named(Json::object()).clone(); }, ErrorKind::argument,
               "Named: expected config() to name the network as \"_class_name\"");
}

TEST(NetworkRegistry, AnUnknownNameListsTheKnownOnes) {
  register_network(OwnLinear::name, OwnLinear::make);
  expect_error(
      [] {
        make_network({{"_class_name", "Nobody"}}, 0);
      },
      ErrorKind::input,
      "one of FokkerMlp, FokkerTableNetwork, OwnLinear, UNet2DConditionModel, UNet2DModel but received "
      "\"Nobody\"; a program's own "
      "network must be "
      "registered");
}

TEST(NetworkRegistry, BadConfigurationsOfOwnNetworksAreBadInput) {
  register_network(OwnLinear::name, OwnLinear::make);
  expect_error(
      [] {
        make_network({{"_class_name", "OwnLinear"}}, 0);
      },
      ErrorKind::input, "network configuration of \"OwnLinear\"");
  expect_error(
      [] {
        make_network({{"_class_name", "OwnLinear"}, {"shape", "two"}}, 0);
      },
      ErrorKind::input, "network configuration of \"OwnLinear\"");
  register_network("OwnNothing", [](const Json&, uint64_t) { return std::unique_ptr<Network>(); });
  expect_error(
      [] {
        make_network({{"_class_name", "OwnNothing"}}, 0);
      },
      ErrorKind::input, "the maker of \"OwnNothing\" to return a network");
}

TEST(NetworkRegistry, NamesOfOursCannotBeTaken) {
  for (const char* name : {"FokkerMlp", "UNet2DModel", "UNet2DConditionModel"})
    expect_error([&] { register_network(name, OwnLinear::make); }, ErrorKind::argument, name);
  expect_error([] { register_network("", OwnLinear::make); }, ErrorKind::argument, "a name and a maker");
  expect_error([] { register_network("OwnNone", {}); }, ErrorKind::argument, "no maker for \"OwnNone\"");
  EXPECT_NE(dynamic_cast<Mlp*>(make_network(Mlp(options).config(), 0).get()), nullptr);
}

TEST(NetworkRegistry, ThreadsRegisterAndMakeAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> made = 0;
  std::latch start(4);
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&made, &start, k] {
      start.arrive_and_wait();
      for (int i = 0; i < 2000; ++i) {
        const std::string name = fmt::format("Own{}x{}", i, k);
        register_network(name, OwnLinear::make);
        if (i % 20 == 0)
          made += make_network({{"_class_name", name}, {"shape", {2}}}, 0)->event_shape()[0] == 2;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 400);
  EXPECT_GE(network_names().size(), 8000u);
}

}  // namespace
}  // namespace fokker
