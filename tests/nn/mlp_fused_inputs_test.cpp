// What the fused and the frozen form of an Mlp do with many rows, and with inputs that change or do not fit.
#include "fokker/nn/mlp/mlp_fused.h"
#include "nn/mlp_support.h"

namespace fokker {
namespace {

using testing::difference;
using testing::expect_error;
using testing::randomise_single;
using testing::Threads;

// A time or label that the caller fills again for the next batch.
TEST(FusedMlpGradients, RefuseTimesAndLabelsThatHaveChangedSince) {
  Mlp network({.dimension = 2, .width = 64, .depth = 2, .classes = 3, .zero_output = false});
  randomise_single(network, 5);
  const Tensor x = Rng(1).normal({100, 2}), label = at::ones({100}, at::kLong), time = Rng(2).uniform({100});
  const Tensor by_label = network.forward(x, time, label), by_time = network.forward(x, time, label.clone());
  by_time.sum().backward({}, /*retain_graph=*/true);
  label.fill_(2);
  EXPECT_THROW(by_label.sum().backward(), std::exception);
  time.mul_(2);
  EXPECT_THROW(by_time.sum().backward(), std::exception);
}

// Rows that are alike, in more than one run of parts: each sum in float32 alone would lose 1e-4 and more.
TEST(FusedMlpGradients, OfManyRowsKeepTheirDigitsAndTheirBits) {
  constexpr int64_t rows = 100'000;
  Mlp network({.dimension = 2,
               .width = 8,
               .depth = 1,
               .embedding = "fourier",
               .embedding_size = 4,
               .classes = 3,
               .zero_output = false});
  randomise_single(network, 5);
  const auto exact_network = network.clone();
  exact_network->to(at::kCPU, at::kDouble);
  const Tensor x = 0.4 + 1e-3 * Rng(1).normal({rows, 2}), time = at::full({rows}, 0.3f);
  const Tensor label = at::ones({rows}, at::kLong);
  const auto of = [&](const Network& n, at::ScalarType type) {
    std::vector<Tensor> parameters;
    for (const auto& p : n.parameters()) parameters.push_back(p.tensor);
    return gradients(n.forward(x.to(type), time.to(type), label).sum(), parameters, false);
  };
  const auto found = of(network, at::kFloat), exact = of(*exact_network, at::kDouble);
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_LT(relative_difference(found[i], exact[i]), 5e-6) << network.parameters()[i].name;
  for (const int threads : {1, 3}) {
    const Threads scope(threads);
    const auto again = of(network, at::kFloat);
    for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(at::equal(again[i], found[i])) << threads;
  }
}

TEST(FusedMlpCall, ChecksWhatItIsGiven) {
  LayerBuilder builder(1);
  const auto layers = std::make_shared<const MlpLayers>(
      MlpOptions{.dimension = 2, .width = 64, .depth = 2, .classes = 3}, builder);
  std::vector<Tensor> parameters;
  for (const auto& p : builder.take()) parameters.push_back(p.tensor);
  const auto call = [&](const Tensor& x, const Tensor& time, const Tensor& label) {
    return [=] { fused_mlp(layers, parameters, x, time, label); };
  };
  const Tensor x = at::zeros({50, 2}), time = at::zeros({50}), label = at::zeros({50}, at::kLong);
  EXPECT_NO_THROW(call(x, time, label)());
  EXPECT_THAT(call(at::zeros({50, 3}), time, label), message("x of shape (n, 2)"));
  EXPECT_THAT(call(x, at::zeros({49}), label), message("time of shape (50)"));
  EXPECT_THAT(call(x, time, at::zeros({49}, at::kLong)), message("label of shape (50)"));
  EXPECT_THAT(call(x, time, label + 9), message("labels in [-1, 3]"));
  EXPECT_THAT(call(x.to(at::kDouble), time.to(at::kDouble), label), message("float32 on the CPU"));
}

TEST(FrozenMlp, KeepsTheWeightsAsTheyWere) {
  Mlp network({.dimension = 2, .classes = 3, .zero_output = false}, 3);
  const Tensor x = Rng(1).normal({5, 2}), t = at::full({1}, 0.3f), label = at::full({1}, 2, at::kLong);
  GradientMode off(false);
  const Tensor before = network.forward(x, t, label).clone();
  const auto frozen = network.frozen();
  for (const auto& p : network.parameters()) Tensor(p.tensor).mul_(1.5);
  EXPECT_LT(difference(frozen->forward(x, t, label), before), 1e-5);
  EXPECT_GT(difference(network.forward(x, t, label), before), 1e-2);
}

TEST(FrozenMlp, IsNotThereForEnergiesOrFloat64) {
  EXPECT_EQ(Mlp({.dimension = 2, .energy = true}).frozen(), nullptr);
  Mlp network({.dimension = 2});
  network.to(at::kCPU, at::kDouble);
  EXPECT_EQ(network.frozen(), nullptr);
}

TEST(FrozenMlp, RefusesWhatItCannotAnswer) {
  const auto frozen = Mlp({.dimension = 2, .classes = 2}).frozen();
  const Tensor x = at::zeros({4, 2}), t = at::zeros({4});
  expect_error(
      [&] {
        frozen->forward(at::zeros({4, 3}), t, {});
      },
      ErrorKind::argument, "expected x of shape (n, 2) but received (4, 3)");
  expect_error([&] { frozen->forward(x, t, at::full({4}, 3, at::kLong)); }, ErrorKind::argument,
               "labels in [-1, 2]");
  expect_error(
      [&] {
        frozen->forward(at::zeros({4, 2}).set_requires_grad(true), t, {});
      },
      ErrorKind::argument, "without gradients");
}

}  // namespace
}  // namespace fokker
