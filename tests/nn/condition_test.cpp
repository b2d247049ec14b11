// Networks that are conditioned on vectors.
#include <torch/csrc/autograd/function.h>

#include <limits>

#include "nn/mlp_support.h"
#include "nn/unet_support.h"

namespace fokker {
namespace {

using testing::difference;
using testing::expect_error;
using testing::randomise;
using testing::randomise_single;

/// (n, k) with every third row none.
Tensor mixed_conditions(int64_t n, int64_t k) {
  Tensor rows = Rng(4).normal({n, k});
  rows.masked_fill_(at::arange(n).remainder(3).eq(2).unsqueeze(1), std::numeric_limits<double>::quiet_NaN());
  return rows;
}

MlpOptions mlp_options(bool residual) {
  return {.dimension = 3,
          .width = 37,
          .depth = 3,
          .embedding = "fourier",
          .embedding_size = 10,
          .residual = residual,
          .condition_size = 5,
          .zero_output = false};
}

class ConditionedMlp : public ::testing::TestWithParam<bool> {};

TEST_P(ConditionedMlp, FormsAgreeWithThePlainOneInFloat64) {
  Mlp network(mlp_options(GetParam()));
  randomise_single(network, 7);
  const auto exact = network.clone();
  exact->to(at::kCPU, at::kDouble);
  const int64_t n = 611;
  const Tensor x = Rng(1).normal({n, 3}), time = Rng(2).uniform({n}), rows = mixed_conditions(n, 5);
  const Tensor weights = Rng(9).normal({n, 3});
  for (const Tensor& label : {rows, rows.narrow(0, 1, 1), Tensor()}) {
    const Tensor wide = label.defined() ? label.to(at::kDouble) : label;
    const Tensor wanted = exact->forward(x.to(at::kDouble), time.to(at::kDouble), wide);
    const Tensor found = network.forward(x, time, label);
    EXPECT_EQ(found.grad_fn()->name(), "FokkerMlp");
    EXPECT_LT(relative_difference(found.detach(), wanted.detach()), 3e-6);
    std::vector<Tensor> fused, plain;
    for (const auto& p : network.parameters()) fused.push_back(p.tensor);
    for (const auto& p : exact->parameters()) plain.push_back(p.tensor);
    const auto got = gradients((found * weights).sum(), fused, false);
    const auto true_ones = gradients((wanted * weights).sum(), plain, false);
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_LT(relative_difference(got[i], true_ones[i]), 1e-5) << network.parameters()[i].name;
    const GradientMode off(false);
    EXPECT_LT(relative_difference(network.frozen()->forward(x, time, label), wanted), 3e-6);
  }
}

TEST_P(ConditionedMlp, GradientsAreThoseOfDifferences) {
  Mlp network(mlp_options(GetParam()));
  randomise(network, 3);
  const int64_t n = 7;
  std::vector<std::string> names{"output.weight", "condition_embedding.weight", "condition_input.weight"};
  if (!GetParam()) names = {"0.weight", "6.weight"};
  testing::expect_gradients(network, Rng(1).normal({n, 3}, {}, at::kDouble),
                            Rng(2).uniform({n}, {}, at::kDouble), mixed_conditions(n, 5).to(at::kDouble),
                            names);
}

TEST_P(ConditionedMlp, RowsOfAMixedBatchAreThoseOfTheirOwn) {
  Mlp network(mlp_options(GetParam()));
  randomise_single(network, 5);
  const int64_t n = 9;
  const Tensor x = Rng(1).normal({n, 3}), time = Rng(2).uniform({1}), rows = mixed_conditions(n, 5);
  const auto frozen = network.frozen();
  const Tensor whole = frozen->forward(x, time, rows);
  for (int64_t i = 0; i < n; ++i) {
    const Tensor own = i % 3 == 2 ? Tensor() : rows.narrow(0, i, 1);
    EXPECT_LT(difference(frozen->forward(x.narrow(0, i, 1), time, own), whole.narrow(0, i, 1)), 2e-6) << i;
    EXPECT_EQ(difference(frozen->forward(x.narrow(0, i, 1), time.expand({1}), rows.narrow(0, i, 1)),
                         frozen->forward(x.narrow(0, i, 1), time, own)),
              0)
        << i;
  }
  EXPECT_GT(difference(frozen->forward(x, time, {}), whole), 1e-3);  // what is given matters
}

INSTANTIATE_TEST_SUITE_P(Forms, ConditionedMlp, ::testing::Bool());

// d output / d condition is recorded, though the weights' own node gives no gradient of it.
TEST(ConditionedMlp, GradientsOfTheConditionAreThoseOfDifferences) {
  Mlp network(mlp_options(true));
  randomise(network, 3);
  const Tensor x = Rng(1).normal({60, 3}, {}, at::kDouble), time = Rng(2).uniform({60}, {}, at::kDouble);
  const Tensor condition = Rng(3).normal({60, 5}, {}, at::kDouble).requires_grad_(true);
  const auto loss = [&](const Tensor& c) { return network.forward(x, time, c).square().sum(); };
  const Tensor found = gradients(loss(condition), {condition}, false)[0];
  const Tensor direction = Rng(4).normal({60, 5}, {}, at::kDouble);
  const double h = 1e-5;
  const GradientMode off(false);
  const double along =
      (loss(condition + h * direction) - loss(condition - h * direction)).item<double>() / (2 * h);
  EXPECT_NEAR((found * direction).sum().item<double>(), along, 1e-6 * std::abs(along));
  network.to(at::kCPU, at::kFloat);
  const GradientMode on(true);
  const Tensor single = condition.detach().to(at::kFloat).requires_grad_(true);
  const Tensor y = network.forward(x.to(at::kFloat), time.to(at::kFloat), single).square().sum();
  EXPECT_LT(relative_difference(gradients(y, {single}, false)[0], found), 1e-4);
}

TEST(ConditionedMlp, RefusesWhatDoesNotFit) {
  const Mlp network(mlp_options(true)), plain({.dimension = 3, .width = 8, .depth = 1});
  const Tensor x = at::zeros({4, 3}), time = at::zeros({1});
  expect_error(
      [&] {
        network.forward(x, time, at::zeros({4, 6}));
      },
      ErrorKind::argument,
      "expected conditions of shape (4, 5) and the type of x, Float, but received (4, 6) of Float");
  expect_error([&] { network.forward(x, time, at::zeros({4}, at::kLong)); }, ErrorKind::argument,
               "expected conditions of shape");
  expect_error(
      [&] {
        network.forward(x, time, at::zeros({3, 5}));
      },
      ErrorKind::argument, "expected conditions of shape");
  expect_error(
      [&] {
        network.forward(x, time, at::zeros({4, 5}, at::kDouble));
      },
      ErrorKind::argument, "of Double");
  expect_error([&] { plain.forward(x, time, at::zeros({4, 5})); }, ErrorKind::argument, "expected no label");
  expect_error([] { Mlp({.dimension = 3, .classes = 2, .condition_size = 1}); }, ErrorKind::argument,
               "expected classes or a condition, not both");
}

TEST(ConditionedMlp, IsMadeAgainFromItsConfiguration) {
  Mlp network(mlp_options(true), 4);
  const auto copy = make_network(network.config(), 9);
  copy->load(network.parameters());
  EXPECT_EQ(copy->condition_size(), 5);
  const Tensor x = Rng(1).normal({5, 3}), time = Rng(2).uniform({5}), rows = mixed_conditions(5, 5);
  EXPECT_EQ(difference(copy->forward(x, time, rows), network.forward(x, time, rows)), 0);
}

UNetOptions conditioned_unet() {
  UNetOptions o = testing::tiny();
  o.num_class_embeds = 0;
  o.condition_size = 3;
  return o;
}

TEST(ConditionedUNet, FormsAgreeAndMixedBatchesEqualSingleOnes) {
  UNet network(conditioned_unet()), single(conditioned_unet());
  randomise(network, 6, 0.2);
  single.load(network.parameters());
  const int64_t n = 5;
  const Tensor x = Rng(1).normal({n, 2, 6, 4}), time = Rng(2).uniform({n}).mul(5),
               rows = mixed_conditions(n, 3);
  const Tensor exact =
      network.forward(x.to(at::kDouble), time.to(at::kDouble), rows.to(at::kDouble)).detach();
  const Tensor fused = single.forward(x, time, rows);
  EXPECT_EQ(fused.grad_fn()->name(), "FokkerUNet");
  EXPECT_LT(relative_difference(fused.detach(), exact), 1e-5);
  const auto frozen = single.frozen();
  const Tensor whole = frozen->forward(x, time, rows);
  EXPECT_LT(relative_difference(whole, exact), 1e-5);
  for (int64_t i = 0; i < n; ++i)
    EXPECT_EQ(difference(frozen->forward(x.narrow(0, i, 1), time.narrow(0, i, 1),
                                         i % 3 == 2 ? Tensor() : rows.narrow(0, i, 1)),
                         whole.narrow(0, i, 1)),
              0)
        << i;
  std::vector<Tensor> of_single, of_exact;
  for (const auto& p : single.parameters()) of_single.push_back(p.tensor);
  for (const auto& p : network.parameters()) of_exact.push_back(p.tensor);
  const Tensor weights = Rng(3).normal(exact.sizes());
  const auto found = gradients((fused * weights).sum(), of_single, false);
  const auto wanted = gradients(
      (network.forward(x.to(at::kDouble), time.to(at::kDouble), rows.to(at::kDouble)) * weights).sum(),
      of_exact, false);
  for (size_t i = 0; i < found.size(); ++i) {
    const std::string& name = network.parameters()[i].name;
    if (!name.starts_with("condition")) continue;
    EXPECT_LT(relative_difference(found[i], wanted[i]), 1e-4) << name;
  }
}

TEST(ConditionedUNet, GradientsAreThoseOfDifferences) {
  UNet network(conditioned_unet());
  randomise(network, 6, 0.2);
  testing::expect_gradients(network, Rng(1).normal({3, 2, 6, 4}, {}, at::kDouble),
                            Rng(2).uniform({3}, {}, at::kDouble).mul(5),
                            mixed_conditions(3, 3).to(at::kDouble),
                            {"condition_embedding.weight", "condition_embedding.bias", "conv_in.weight"});
}

// diffusers knows an embedding that is made outside of its network, and ignores what it does not know.
TEST(ConditionedUNet, IsDescribedToDiffusersAsAnIdentityEmbedding) {
  const UNet network(conditioned_unet());
  EXPECT_EQ(network.config().at("class_embed_type"), "identity");
  EXPECT_EQ(network.config().at("num_class_embeds"), nullptr);
  EXPECT_EQ(UNetOptions::from_config(network.config()).condition_size, 3);
  // Without it the vector is added as it is, which is what diffusers does.
  Json other = network.config();
  other.erase("condition_size");
  const auto added = UNetOptions::from_config(other);
  EXPECT_EQ(added.label_kind, UNetOptions::LabelKind::vector);
  EXPECT_EQ(added.condition_numbers(), added.time_size());
  other["class_embed_type"] = nullptr;
  other["condition_size"] = 3;
  expect_error([&] { UNetOptions::from_config(other); }, ErrorKind::input,
               "expected \"class_embed_type\" to be \"identity\"");
}

}  // namespace
}  // namespace fokker
