#include "fokker/nn/mlp/mlp.h"

#include "fokker/nn/time_embedding.h"
#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;
using ::testing::ElementsAre;
using testing::expect_error;
using testing::expect_gradients;
using testing::names;
using testing::randomise;

const MlpOptions notebook = {
    .dimension = 1, .activation = "elu", .embedding = "raw", .residual = false, .zero_output = false};

TEST(Mlp, PlainFormHasTheNamesAndShapesOfTheNotebooksSequential) {
  const Mlp network(notebook);
  EXPECT_THAT(names(network), ElementsAre("0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias",
                                          "6.weight", "6.bias", "8.weight", "8.bias"));
  EXPECT_EQ(network.parameter("0.weight").sizes(), (IntArrayRef{256, 2}));
  EXPECT_EQ(network.parameter("6.weight").sizes(), (IntArrayRef{256, 256}));
  EXPECT_EQ(network.parameter("8.weight").sizes(), (IntArrayRef{1, 256}));
  EXPECT_EQ(network.parameter_count(), 2 * 256 + 256 + 3 * (256 * 256 + 256) + 256 + 1);
}

// Two hidden units by hand: h = elu(W0 (x, t) + b0), y = W2 h + b2, with the time unscaled.
TEST(Mlp, PlainFormByHand) {
  Mlp network(
      {.dimension = 1, .width = 2, .depth = 1, .activation = "elu", .embedding = "raw", .residual = false});
  network.to(at::kCPU, at::kDouble);
  network.load({{"0.weight", at::tensor({1.0, 0.5, -2.0, 0.25}, at::kDouble).view({2, 2})},
                {"0.bias", at::tensor({0.1, -0.2}, at::kDouble)},
                {"2.weight", at::tensor({3.0, -1.5}, at::kDouble).view({1, 2})},
                {"2.bias", at::tensor({0.7}, at::kDouble)}});
  // At t = 2 the second unit is -0.8 + 0.5 - 0.2 = -0.5; at t = 8 it is 1.
  const Tensor y =
      network.forward(at::full({2, 1}, 0.4, at::kDouble), at::tensor({2.0, 8.0}, at::kDouble), {});
  EXPECT_NEAR(y[0][0].item<double>(), 3 * 1.5 - 1.5 * std::expm1(-0.5) + 0.7, 1e-14);
  EXPECT_NEAR(y[1][0].item<double>(), 3 * 4.5 - 1.5 * 1.0 + 0.7, 1e-14);
}

TEST(Mlp, DeepPlainFormIsAChainOfItsLayers) {
  Mlp network(notebook, 3);
  const Tensor x = Rng(1).normal({5, 1}), t = at::arange(5, at::kFloat) * 10;
  Tensor h = at::cat({x, t.unsqueeze(1)}, 1);
  for (int i = 0; i < 10; i += 2) {
    h = at::matmul(h, network.parameter(fmt::format("{}.weight", i)).t()) +
        network.parameter(fmt::format("{}.bias", i));
    if (i < 8) h = at::where(h > 0, h, at::expm1(h));
  }
  EXPECT_LT(difference(network.forward(x, t, {}), h), 1e-5);
}

TEST(Mlp, ResidualFormByItsEquations) {
  Mlp network({.dimension = 3, .width = 6, .depth = 2, .embedding_size = 8, .classes = 2, .time_scale = 10});
  randomise(network, 5);
  const auto p = [&](const std::string& name) { return network.parameter(name); };
  const auto linear = [&](const Tensor& x, const std::string& name) {
    return at::matmul(x, p(name + ".weight").t()) + p(name + ".bias");
  };
  const auto act = [](const Tensor& x) { return x * at::sigmoid(x); };
  const Tensor x = Rng(2).normal({4, 3}, {}, at::kDouble), t = Rng(3).uniform({4}, {}, at::kDouble);
  const Tensor label = at::tensor({1, -1, 0, 1}, at::kLong), rows = at::tensor({1, 2, 0, 1}, at::kLong);
  const Tensor hidden = linear(sinusoidal_embedding(t * 10, 8), "time_embedding.linear_1") +
                        p("class_embedding.weight").index_select(0, rows);
  const Tensor shifts = linear(act(hidden), "time_embedding.linear_2");
  Tensor h = linear(x, "input");
  for (int i = 0; i < 2; ++i) {
    const std::string block = fmt::format("blocks.{}", i);
    h = h + linear(act(linear(h, block + ".linear_1") + shifts.narrow(1, 6 * i, 6)), block + ".linear_2");
  }
  EXPECT_LT(difference(network.forward(x, t, label), linear(act(h), "output")), 1e-12);
}

class MlpForms : public ::testing::TestWithParam<std::tuple<std::string, std::string, bool>> {
 protected:
  MlpOptions options() const {
    const auto& [activation, embedding, residual] = GetParam();
    return {.dimension = 2,
            .output_dimension = 3,
            .width = 7,
            .depth = 2,
            .activation = activation,
            .embedding = embedding,
            .embedding_size = 6,
            .residual = residual,
            .classes = 3};
  }
  Tensor x = Rng(1).normal({5, 2}, {}, at::kDouble);
  Tensor t = Rng(2).uniform({5}, {}, at::kDouble);
  Tensor label = at::tensor({0, 1, 2, -1, 1}, at::kLong);
};

TEST_P(MlpForms, GradientsAgreeWithCentralDifferences) {
  Mlp network(options());
  randomise(network, 7);
  expect_gradients(network, x, t, label, names(network));
}

TEST_P(MlpForms, RowsAreIndependent) {
  Mlp network(options());
  randomise(network, 7);
  const Tensor together = network.forward(x, t, label);
  for (int64_t i = 0; i < 5; ++i)
    EXPECT_LT(difference(network.forward(x.narrow(0, i, 1), t.narrow(0, i, 1), label.narrow(0, i, 1))[0],
                         together[i]),
              1e-13);
}

TEST_P(MlpForms, OneTimeBroadcastsOverTheBatch) {
  Mlp network(options());
  randomise(network, 7);
  const Tensor one = t.narrow(0, 2, 1);
  EXPECT_LT(difference(network.forward(x, one, label), network.forward(x, one.expand({5}), label)), 1e-13);
  EXPECT_LT(difference(network.forward(x, one, {}), network.forward(x, one.expand({5}), {})), 1e-13);
}

TEST_P(MlpForms, UndefinedLabelIsTheUnconditionalClass) {
  Mlp network(options());
  randomise(network, 7);
  const Tensor none = network.forward(x, t, {});
  EXPECT_LT(difference(network.forward(x, t, at::full({5}, -1, at::kLong)), none), 1e-13);
  EXPECT_LT(difference(network.forward(x, t, at::full({5}, 3, at::kLong)), none), 1e-13);
  for (int64_t k = 0; k < 3; ++k)
    EXPECT_GT(difference(network.forward(x, t, at::full({5}, k, at::kLong)), none), 1e-3);
}

TEST_P(MlpForms, SameValuesWithAndWithoutGradients) {
  Mlp network(options());
  randomise(network, 7);
  const Tensor recorded = network.forward(x, t, label);
  const Tensor kept = x.clone();
  GradientMode off(false);
  EXPECT_EQ(difference(network.forward(x, t, label), recorded), 0);
  EXPECT_EQ(difference(x, kept), 0);
}

INSTANTIATE_TEST_SUITE_P(All, MlpForms,
                         ::testing::Combine(::testing::Values("silu", "elu", "gelu", "tanh", "softplus"),
                                            ::testing::Values("raw", "fourier", "sinusoidal"),
                                            ::testing::Bool()));

// The gradient of an energy is differentiated again in training: d/dW of grad_x E must exist and be right.
TEST(Mlp, EnergyHasSecondDerivatives) {
  for (const auto* activation : {"silu", "elu", "tanh", "softplus", "gelu"}) {
    Mlp network({.dimension = 2, .width = 8, .depth = 2, .activation = activation, .energy = true});
    randomise(network, 11);
    const Tensor x = Rng(1).normal({4, 2}, {}, at::kDouble).set_requires_grad(true),
                 t = at::full({1}, 0.3, at::kDouble);
    const Tensor weight = network.parameter("input.weight");
    const auto score_norm = [&] {
      const Tensor energy = network.forward(x, t, {});
      EXPECT_EQ(energy.sizes(), (IntArrayRef{4}));
      return gradients(energy, {x}, true)[0].square().sum();
    };
    const double exact = gradients(score_norm(), {weight}, false)[0].flatten()[3].item<double>();
    const auto shifted = [&](double h) {
      {
        GradientMode off(false);
        weight.view(-1)[3] += h;
      }
      const double value = score_norm().item<double>();
      GradientMode off(false);
      weight.view(-1)[3] -= h;
      return value;
    };
    const double numeric = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
    EXPECT_NEAR(exact, numeric, 1e-6 * (1 + std::abs(numeric))) << activation;
    EXPECT_GT(std::abs(numeric), 1e-6) << activation;
  }
}

TEST(Mlp, StartsAtZeroWhereAsked) {
  const Mlp zero({.dimension = 2}), random({.dimension = 2, .zero_output = false});
  const Tensor x = Rng(1).normal({3, 2}), t = at::full({1}, 0.5f);
  EXPECT_EQ(zero.forward(x, t, {}).abs().max().item<float>(), 0);
  EXPECT_GT(random.forward(x, t, {}).abs().max().item<float>(), 1e-3);
}

// Uniform in +-1/sqrt(fan in): the variance is 1/(3 fan in); 65536 draws give it within 2 %.
TEST(Mlp, InitialWeightsHavePyTorchsDistribution) {
  const Mlp network(notebook, 4);
  const Tensor weight = network.parameter("2.weight").detach();
  EXPECT_LE(weight.abs().max().item<double>(), 1.0 / 16);
  EXPECT_GT(weight.abs().max().item<double>(), 0.999 / 16);
  EXPECT_NEAR(weight.square().mean().item<double>() * 3 * 256, 1, 0.02);
  EXPECT_NEAR(weight.mean().item<double>(), 0, 4.0 / 16 / std::sqrt(3.0) / 256);
  EXPECT_LE(network.parameter("0.bias").abs().max().item<double>(), M_SQRT1_2);
}

TEST(Mlp, SeedFixesTheWeights) {
  const Mlp a({.dimension = 2}, 5), b({.dimension = 2}, 5), c({.dimension = 2}, 6);
  for (const auto& p : a.parameters()) EXPECT_EQ(difference(p.tensor, b.parameter(p.name)), 0);
  EXPECT_GT(difference(a.parameter("input.weight"), c.parameter("input.weight")), 0.1);
  // Weights are drawn by name, so another depth leaves the common layers alone.
  const Mlp deeper({.dimension = 2, .depth = 6}, 5);
  EXPECT_EQ(difference(a.parameter("blocks.3.linear_1.weight"), deeper.parameter("blocks.3.linear_1.weight")),
            0);
}

TEST(Mlp, ConfigurationRoundTrips) {
  const Mlp network({.dimension = 3,
                     .output_dimension = 5,
                     .width = 12,
                     .depth = 3,
                     .activation = "gelu",
                     .embedding = "fourier",
                     .embedding_size = 10,
                     .residual = false,
                     .classes = 4,
                     .time_scale = 2.5,
                     .zero_output = false});
  EXPECT_EQ(network.config()["_class_name"], "FokkerMlp");
  const auto again = make_network(Json::parse(network.config().dump()), 0);
  EXPECT_EQ(again->config(), network.config());
  EXPECT_EQ(names(*again), names(network));
  EXPECT_EQ(again->event_shape(), std::vector<int64_t>{3});
}

TEST(Mlp, RefusesBadOptions) {
  expect_error([] { Mlp({.dimension = 0}); }, ErrorKind::argument, "dimension > 0 but received 0");
  expect_error([] { Mlp({.dimension = 2, .width = -1}); }, ErrorKind::argument, "width > 0 but received -1");
  expect_error([] { Mlp({.dimension = 2, .depth = 0}); }, ErrorKind::argument, "depth > 0 but received 0");
  expect_error([] { Mlp({.dimension = 2, .activation = "swoosh"}); }, ErrorKind::argument,
               "received \"swoosh\"");
  expect_error([] { Mlp({.dimension = 2, .embedding = "time"}); }, ErrorKind::argument, "received \"time\"");
  expect_error([] { Mlp({.dimension = 2, .output_dimension = 2, .energy = true}); }, ErrorKind::argument,
               "energy");
}

TEST(Mlp, RefusesBadInputs) {
  const Mlp network({.dimension = 2}), classes({.dimension = 2, .classes = 3});
  const Tensor x = at::zeros({4, 2}), t = at::zeros({4});
  expect_error(
      [&] {
        network.forward(at::zeros({4, 3}), t, {});
      },
      ErrorKind::argument, "Mlp: expected x of shape (n, 2) but received (4, 3)");
  expect_error([&] { network.forward(x, at::zeros({3}), {}); }, ErrorKind::argument,
               "expected time of shape (4) or (1) but received (3)");
  expect_error([&] { network.forward(x, at::zeros({4}, at::kDouble), {}); }, ErrorKind::argument, "Float");
  expect_error([&] { network.forward(x, t, at::zeros({4}, at::kLong)); }, ErrorKind::argument, "no classes");
  expect_error([&] { classes.forward(x, t, at::zeros({4})); }, ErrorKind::argument, "int64");
  expect_error(
      [&] {
        classes.forward(x, t, at::tensor({0, 1, 2, 4}, at::kLong));
      },
      ErrorKind::argument, "expected labels in [-1, 3] but received 0 to 4");
  expect_error(
      [&] {
        classes.forward(x, t, at::tensor({0, 1, 2, -2}, at::kLong));
      },
      ErrorKind::argument, "-2 to 2");
}

}  // namespace
}  // namespace fokker
