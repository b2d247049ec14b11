#include "fokker/nn/group_norm.h"

#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;

Tensor normal(uint64_t seed, IntArrayRef sizes) {
  return Rng(seed).normal(sizes, {}, at::kDouble);
}

// In one graph: channels-last float64 takes the fused loops, any other layout and type the plain functions.
TEST(GroupNorm, IsOneFunctionWhateverTheLayout) {
  const kernel::GroupNormShape shape{2, 1e-5, kernel::NormActivation::silu};
  const Tensor weights = normal(4, {3, 6, 4, 5});
  const auto run = [&](at::MemoryFormat layout) {
    const Tensor x = normal(1, {3, 6, 4, 5}).contiguous(layout);
    std::vector<Tensor> in = {x, normal(2, {6}), normal(3, {6})};
    for (auto& v : in) v.set_requires_grad(true);
    const Tensor y = group_norm(in[0], in[1], in[2], shape);
    auto results = gradients(y * weights, in, false);
    results.push_back(y.detach());
    return results;
  };
  const auto fused = run(at::MemoryFormat::ChannelsLast), plain = run(at::MemoryFormat::Contiguous);
  for (size_t i = 0; i < 4; ++i) EXPECT_LT(difference(fused[i], plain[i]), 1e-12) << i;
}

// d/dx of |grad_x L|^2, against central differences of the fused first gradient.
TEST(GroupNorm, SecondDerivativesExistAndAgree) {
  for (const auto activation : {kernel::NormActivation::none, kernel::NormActivation::silu}) {
    const Tensor scale = Rng(2).normal({4}, {}, at::kDouble).set_requires_grad(true);
    const Tensor shift = Rng(3).normal({4}, {}, at::kDouble);
    const Tensor weights = Rng(4).normal({2, 4, 3, 2}, {}, at::kDouble);
    const Tensor x = Rng(1).normal({2, 4, 3, 2}, {}, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
    const auto penalty = [&](const Tensor& at_x, const Tensor& at_scale, bool create_graph) {
      const Tensor y = group_norm(at_x, at_scale, shift, {2, 1e-2, activation});
      return gradients(y.square() * weights, {at_x}, create_graph)[0].square().sum();
    };
    const Tensor input = x.clone().set_requires_grad(true);
    const auto exact = gradients(penalty(input, scale, true), {input, scale}, false);
    const Tensor direction = Rng(5).normal(x.sizes(), {}, at::kDouble);
    const Tensor scale_direction = Rng(6).normal({4}, {}, at::kDouble);
    const auto shifted = [&](double h) {
      const Tensor moved =
          (x + h * direction).contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
      return penalty(moved, scale.detach() + h * scale_direction, false).item<double>();
    };
    const double numeric = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
    const double along = ((exact[0] * direction).sum() + (exact[1] * scale_direction).sum()).item<double>();
    EXPECT_NEAR(along, numeric, 1e-5 * (1 + std::abs(numeric)));
    EXPECT_GT(std::abs(numeric), 1e-3);
  }
}

}  // namespace
}  // namespace fokker
