// The fused form against the plain one in float64, whose gradients other tests compare with differences.
#include <torch/csrc/autograd/function.h>

#include "nn/mlp_support.h"

namespace fokker {
namespace {

using testing::difference;
using testing::expect_error;
using testing::randomise_single;
using testing::Threads;

struct Inputs {
  Tensor x, time, label;
};

class FusedMlp : public ::testing::TestWithParam<std::tuple<std::string, bool, int64_t>> {
 protected:
  MlpOptions options() const {
    const auto& [activation, residual, classes] = GetParam();
    return {.dimension = 3,
            .output_dimension = 5,
            .width = 37,
            .depth = 3,
            .activation = activation,
            .embedding = "fourier",
            .embedding_size = 10,
            .residual = residual,
            .classes = classes,
            .zero_output = false};
  }
  /// More rows than several blocks, and no multiple of any.
  Inputs inputs(int64_t rows, bool one_time, bool one_label) const {
    Tensor label;
    if (std::get<2>(GetParam()) > 0)
      label = Rng(4).integers(one_label ? 1 : rows, std::get<2>(GetParam()) + 1).sub(1);
    return {Rng(1).normal({rows, 3}), Rng(2).uniform({one_time ? 1 : rows}), label};
  }
};

Tensor exact_value(const Mlp& network, const Inputs& in) {
  const auto copy = network.clone();
  copy->to(at::kCPU, at::kDouble);
  GradientMode off(false);
  return copy->forward(in.x.to(at::kDouble), in.time.to(at::kDouble), in.label);
}

TEST_P(FusedMlp, ValuesAreThePlainOnes) {
  Mlp network(options());
  randomise_single(network, 7);
  for (const bool one_time : {false, true})
    for (const int64_t rows : {48, 611}) {
      const Inputs in = inputs(rows, one_time, one_time);
      const Tensor exact = exact_value(network, in);
      const Tensor recorded = network.forward(in.x, in.time, in.label);
      EXPECT_EQ(recorded.grad_fn()->name(), "FokkerMlp");
      EXPECT_LT(relative_difference(recorded.detach(), exact), 3e-6);
      GradientMode off(false);
      EXPECT_LT(relative_difference(network.forward(in.x, in.time, in.label), exact), 3e-6);
      EXPECT_LT(relative_difference(network.frozen()->forward(in.x, in.time, in.label), exact), 3e-6);
    }
}

TEST_P(FusedMlp, GradientsAreThePlainOnes) {
  Mlp network(options());
  randomise_single(network, 8);
  const auto exact_network = network.clone();
  exact_network->to(at::kCPU, at::kDouble);
  std::vector<Tensor> fused, exact;
  for (const auto& p : network.parameters()) fused.push_back(p.tensor);
  for (const auto& p : exact_network->parameters()) exact.push_back(p.tensor);
  for (const bool one_time : {false, true}) {
    // More rows than the blocks of one chunk.
    const Inputs in = inputs(1201, one_time, one_time);
    const Tensor weights = Rng(9).normal({1201, 5});
    const auto got = gradients((network.forward(in.x, in.time, in.label) * weights).sum(), fused, false);
    const auto wanted = gradients(
        (exact_network->forward(in.x.to(at::kDouble), in.time.to(at::kDouble), in.label) * weights).sum(),
        exact, false);
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_LT(relative_difference(got[i], wanted[i]), 1e-5) << network.parameters()[i].name;
  }
}

TEST_P(FusedMlp, SecondDerivativesAreThePlainOnes) {
  Mlp network(options());
  randomise_single(network, 8);
  const auto exact_network = network.clone();
  exact_network->to(at::kCPU, at::kDouble);
  const Inputs in = inputs(60, false, false);
  const auto curvature = [&](const Network& of, at::ScalarType type) {
    const Tensor first = of.parameters()[0].tensor, last = of.parameters().back().tensor;
    const Tensor y = of.forward(in.x.to(type), in.time.to(type), in.label);
    return gradients(gradients(y.square().sum(), {first}, true)[0].square().sum(), {first, last}, false);
  };
  const auto got = curvature(network, at::kFloat), wanted = curvature(*exact_network, at::kDouble);
  for (int i = 0; i < 2; ++i) EXPECT_LT(relative_difference(got[i], wanted[i]), 3e-5);
}

INSTANTIATE_TEST_SUITE_P(All, FusedMlp,
                         ::testing::Combine(::testing::Values("silu", "elu", "relu", "gelu", "tanh",
                                                              "softplus"),
                                            ::testing::Bool(), ::testing::Values(0, 4)));

Mlp usual(uint64_t seed) {
  Mlp network({.dimension = 2, .width = 64, .depth = 2, .zero_output = false});
  randomise_single(network, seed);
  return network;
}

TEST(FusedMlpRows, DoNotDependOnTheBatchOrTheThreads) {
  const Mlp network({.dimension = 2, .width = 64, .depth = 2, .zero_output = false}, 3);
  const auto frozen = network.frozen();
  const Tensor x = Rng(1).normal({517, 2}), times = Rng(2).uniform({517});
  for (const Tensor& time : {times, times.narrow(0, 0, 1)}) {
    const Tensor whole = frozen->forward(x, time, {});
    for (const int threads : {1, 2, 3}) {
      const Threads scope(threads);
      EXPECT_EQ(difference(frozen->forward(x, time, {}), whole), 0);
      for (int64_t first = 0, rows = 1; first < 517; first += rows, rows = std::min(3 * rows, 517 - first)) {
        const Tensor part_time = time.size(0) == 1 ? time : time.narrow(0, first, rows);
        EXPECT_EQ(difference(frozen->forward(x.narrow(0, first, rows), part_time, {}),
                             whole.narrow(0, first, rows)),
                  0)
            << first;
      }
    }
  }
}

// Widths and features that end inside vectors; a number's bits depend on its row alone.
TEST_P(FusedMlp, FrozenRowsDoNotDependOnTheBatchOrTheThreads) {
  Mlp network(options());
  randomise_single(network, 7);
  const auto frozen = network.frozen();
  const Inputs in = inputs(2051, false, false);
  const Tensor whole = frozen->forward(in.x, in.time, in.label);
  const auto part = [&](int64_t first, int64_t count) {
    const auto of = [&](const Tensor& t) { return t.defined() ? t.narrow(0, first, count) : t; };
    return frozen->forward(of(in.x), of(in.time), of(in.label));
  };
  for (const int threads : {1, 2, 3}) {
    const Threads scope(threads);
    EXPECT_TRUE(at::equal(part(0, 2051), whole)) << threads;
    const std::vector<std::pair<int64_t, int64_t>> ranges = {{0, 1}, {7, 1}, {100, 333}, {2050, 1}};
    for (const auto& [first, count] : ranges)
      EXPECT_TRUE(at::equal(part(first, count), whole.narrow(0, first, count))) << threads << " " << first;
  }
}

TEST(FusedMlpGradients, DoNotDependOnTheThreadsOrTheLastCall) {
  Mlp network = usual(3);
  std::vector<Tensor> parameters;
  for (const auto& p : network.parameters()) parameters.push_back(p.tensor);
  const Tensor x = Rng(1).normal({1300, 2}), t = Rng(2).uniform({1300});
  const auto at = [&](int threads) {
    const Threads scope(threads);
    return gradients(network.forward(x, t, {}).square().sum(), parameters, false);
  };
  const auto one = at(1);
  // A pass over other rows leaves its numbers in the memory that the next one takes.
  gradients(network.forward(x.narrow(0, 0, 100) * 9, t.narrow(0, 0, 100), {}).sum(), parameters, false);
  for (const int threads : {1, 2, 3})
    for (size_t i = 0; i < one.size(); ++i) EXPECT_EQ(difference(at(threads)[i], one[i]), 0);
}

TEST(FusedMlpGradients, AddToWhatIsThereAndKeepAGraphAsLibtorchDoes) {
  Mlp network = usual(5);
  const Tensor x = Rng(1).normal({100, 2}), t = Rng(2).uniform({100});
  const Tensor weight = network.parameter("blocks.0.linear_1.weight");
  const Tensor alone = gradients(network.forward(x, t, {}).square().sum(), {weight}, false)[0];
  const Tensor loss = network.forward(x, t, {}).square().sum();
  // Two forward passes are alive at once: each has its own memory.
  const Tensor other = network.forward(x * 2, t, {}).square().sum();
  loss.backward({}, /*retain_graph=*/true);
  const Tensor once = weight.grad().clone();
  EXPECT_EQ(difference(once, alone), 0);
  loss.backward();
  EXPECT_EQ(difference(weight.grad(), 2 * once), 0);
  other.backward();
  weight.mutable_grad() = Tensor();
  network.forward(x * 2, t, {}).square().sum().backward();
  const Tensor expected = 2 * once + weight.grad();
  weight.mutable_grad() = Tensor();
  EXPECT_GT(difference(expected, 2 * once), 1e-3);
  const Tensor y = network.forward(x, t, {}), ones = at::ones_like(y);
  y.backward(ones);
  expect_error([&] { y.backward(ones); }, ErrorKind::argument, "a retained graph");
}

TEST(FusedMlpGradients, RefuseInputsThatHaveChangedSince) {
  Mlp network = usual(5);
  Tensor x = Rng(1).normal({100, 2});
  const Tensor y = network.forward(x, Rng(2).uniform({100}), {});
  x.mul_(2);
  EXPECT_THROW(y.sum().backward(), std::exception);
}

TEST(FusedMlpGradients, StopWhereNoneAreWanted) {
  Mlp network = usual(5);
  const Tensor x = Rng(1).normal({100, 2}), t = Rng(2).uniform({100});
  network.set_requires_grad(false);
  EXPECT_FALSE(network.forward(x, t, {}).requires_grad());
  network.parameter("output.bias").set_requires_grad(true);
  network.forward(x, t, {}).sum().backward();
  EXPECT_NEAR(network.parameter("output.bias").grad()[0].item<double>(), 100, 1e-4);
  EXPECT_FALSE(network.parameter("input.weight").grad().defined());
}

// Likelihoods differentiate in x, and score matching once more in the weights.
TEST(FusedMlpGradients, InTheSampleTakeThePlainForm) {
  Mlp network = usual(6);
  const Tensor x = Rng(1).normal({100, 2}).set_requires_grad(true), t = Rng(2).uniform({100});
  const Tensor in_x = gradients(network.forward(x, t, {}).sum(), {x}, true)[0];
  const Tensor plain = gradients(network.forward_plain(x, t, {}).sum(), {x}, true)[0];
  EXPECT_EQ(difference(in_x, plain), 0);
  const Tensor weight = network.parameter("input.weight");
  EXPECT_GT(gradients(in_x.square().sum(), {weight}, false)[0].abs().max().item<double>(), 1e-3);
}

}  // namespace
}  // namespace fokker
