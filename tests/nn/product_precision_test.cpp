#include "fokker/nn/product_precision.h"

#include "fokker/nn/mlp/mlp.h"
#include "fokker/nn/unet/unet.h"
#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;

constexpr double bf16_step = 0x1p-8;  // relative spacing of bfloat16's numbers

Tensor forward_in_bf16(const Network& network, const Tensor& x, const Tensor& t) {
  const Bf16Products on(true);
  return network.forward(x, t, {});
}

TEST(Bf16Products, TakeRoundedFactorsAndSumInFloat32) {
  const Tensor a = Rng(1).normal({7, 300}), b = Rng(2).normal({300, 5});
  const Tensor exact = a.to(at::kBFloat16).to(at::kDouble).matmul(b.to(at::kBFloat16).to(at::kDouble));
  const Bf16Products on(true);
  const Tensor c = product(a, b);
  EXPECT_EQ(c.scalar_type(), at::kFloat);
  // A processor that stores the result in bfloat16 rounds it once more.
  const double rounding = has_bf16_products() ? bf16_step : 1e-6;
  EXPECT_LT(difference(c.to(at::kDouble), exact), rounding * exact.abs().max().item<double>());
  EXPECT_GT(difference(c, at::matmul(a, b)), 1e-3);
}

TEST(Bf16Products, EndWithTheirScopeAndLeaveFloat64Alone) {
  const Tensor a = Rng(1).normal({3, 4}), d = a.to(at::kDouble);
  {
    const Bf16Products on(true);
    {
      const Bf16Products inner(false);  // what encloses it decides
      EXPECT_TRUE(Bf16Products::active());
    }
    EXPECT_EQ(difference(factor(d), d), 0);
    EXPECT_GT(difference(factor(a).to(at::kFloat), a), 1e-4);
  }
  EXPECT_FALSE(Bf16Products::active());
  EXPECT_EQ(difference(factor(a), a), 0);
}

/// The angle between two gradients, as its cosine.
double cosine(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  double dot = 0, norm_a = 0, norm_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += (a[i] * b[i]).sum().item<double>();
    norm_a += a[i].square().sum().item<double>();
    norm_b += b[i].square().sum().item<double>();
  }
  return dot / std::sqrt(norm_a * norm_b);
}

void expect_close_in_bf16(const Network& network, const Tensor& x, const Tensor& t) {
  const Tensor single = network.forward(x, t, {}), rounded = forward_in_bf16(network, x, t);
  const double size = single.detach().square().mean().sqrt().item<double>();
  const double error = (rounded - single).detach().square().mean().sqrt().item<double>();
  EXPECT_GT(error, 1e-4 * size);
  EXPECT_LT(error, 2e-2 * size);
  std::vector<Tensor> parameters;
  for (const auto& p : network.parameters()) parameters.push_back(p.tensor);
  const auto exact = gradients(single.square().mean(), parameters, false);
  const auto approximate = gradients(rounded.square().mean(), parameters, false);
  EXPECT_GT(cosine(exact, approximate), 0.9995);
}

TEST(Bf16Products, KeepAnMlpAndItsGradient) {
  const Mlp network({.dimension = 2, .width = 64, .depth = 3, .zero_output = false}, 1);
  expect_close_in_bf16(network, Rng(3).normal({64, 2}), Rng(4).uniform({64}));
}

TEST(Bf16Products, AreAFrozenMlpsToo) {
  Mlp network({.dimension = 2, .width = 64, .depth = 3, .zero_output = false}, 1);
  const Tensor x = Rng(3).normal({300, 2}), t = Rng(4).uniform({300});
  network.set_bf16_products(true);
  const GradientMode no_gradients(false);
  const auto frozen = network.frozen();
  const Tensor y = frozen->forward(x, t, {}), rounded = forward_in_bf16(network, x, t);
  EXPECT_EQ(difference(y, rounded), 0);
  EXPECT_GT(difference(y, network.forward(x, t, {})), 1e-4);
  for (const int64_t first : {0, 7, 299})  // no row depends on the batch
    EXPECT_EQ(
        difference(frozen->forward(x.narrow(0, first, 1), t.narrow(0, first, 1), {}), y.narrow(0, first, 1)),
        0);
}

TEST(Bf16Products, KeepAUNetAndItsGradient) {
  UNetOptions options = UNetOptions::for_images(1, 12, 12, 8);
  options.zero_output = false;
  const UNet network(options, 1);
  expect_close_in_bf16(network, Rng(3).normal({4, 1, 12, 12}), Rng(4).uniform({4}) * 1000);
}

// Two ways through the same layers: a number that float32 rounds otherwise may round otherwise in bfloat16,
// but few do.
TEST(Bf16Products, AreAFrozenUNetsToo) {
  if (kernel::bf16_unit() == kernel::Bf16Unit::none)
    GTEST_SKIP() << "this processor does not multiply bfloat16";
  UNetOptions options = UNetOptions::for_images(1, 12, 12, 8);
  options.zero_output = false;
  // Groups of one channel take away what time adds: the product of its few rows is libtorch's in one of the
  // two ways, which rounds the result once more.
  options.norm_num_groups = 8;
  UNet network(options, 1);
  network.set_bf16_products(true);
  const Tensor x = Rng(3).normal({4, 1, 12, 12}), t = Rng(4).uniform({4}) * 1000;
  const GradientMode no_gradients(false);
  const auto frozen = network.frozen();
  const Tensor y = frozen->forward(x, t, {}), fused = forward_in_bf16(network, x, t),
               single = network.forward(x, t, {});
  const auto rms = [](const Tensor& d) { return d.square().mean().sqrt().item<double>(); };
  EXPECT_GT(rms(y - single), 1e-4 * rms(single));
  EXPECT_LT(rms(y - fused), 0.2 * rms(y - single));
  for (const int64_t i : {0, 3})  // no image depends on the batch
    EXPECT_EQ(difference(frozen->forward(x.narrow(0, i, 1), t.narrow(0, i, 1), {}), y.narrow(0, i, 1)), 0);
}

TEST(Bf16Products, AreCopiedWithANetwork) {
  Mlp network({.dimension = 2, .width = 8, .depth = 1}, 1);
  EXPECT_FALSE(network.clone()->bf16_products());
  network.set_bf16_products(true);
  EXPECT_TRUE(network.clone()->bf16_products());
}

}  // namespace
}  // namespace fokker
