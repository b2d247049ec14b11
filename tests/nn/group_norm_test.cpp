#include "fokker/nn/group_norm.h"

#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;

struct Case {
  int64_t channels, groups, height, width;
};

class GroupNormKernel : public ::testing::TestWithParam<std::tuple<Case, NormActivation, at::ScalarType>> {
 protected:
  Case shape = std::get<0>(GetParam());
  NormActivation activation = std::get<1>(GetParam());
  at::ScalarType type = std::get<2>(GetParam());
  double tolerance = type == at::kFloat ? 2e-5 : 1e-12;

  Tensor random(uint64_t seed, IntArrayRef sizes) const {
    return Rng(seed).normal(sizes, {}, at::kDouble).to(type);
  }
  Tensor x = random(1, {3, shape.channels, shape.height, shape.width}).mul(2).add(0.5);
  Tensor scale = random(2, {shape.channels}), shift = random(3, {shape.channels});
  Tensor last(const Tensor& t) const { return t.contiguous(at::MemoryFormat::ChannelsLast); }
};

TEST_P(GroupNormKernel, AgreesWithThePlainComposition) {
  const Tensor y = group_norm(last(x), shape.groups, scale, shift, 1e-5, activation);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  const auto wide = [](const Tensor& t) { return t.to(at::kDouble); };
  const Tensor exact = plain_group_norm(wide(x), shape.groups, wide(scale), wide(shift), 1e-5, activation);
  EXPECT_LT(difference(wide(y), exact), tolerance);
}

TEST_P(GroupNormKernel, GradientsAgreeWithThePlainComposition) {
  const auto run = [&](const Tensor& input, bool plain, at::ScalarType run_type) {
    std::vector<Tensor> in = {input.to(run_type), scale.to(run_type), shift.to(run_type)};
    for (auto& v : in) v = v.detach().clone().set_requires_grad(true);
    const Tensor y = plain ? plain_group_norm(in[0], shape.groups, in[1], in[2], 1e-5, activation)
                           : group_norm(in[0], shape.groups, in[1], in[2], 1e-5, activation);
    return gradients(y * random(4, x.sizes()).to(run_type), in, false);
  };
  const auto fused = run(last(x), false, type), exact = run(x, true, at::kDouble);
  for (int i = 0; i < 3; ++i)
    EXPECT_LT(difference(fused[i].to(at::kDouble), exact[i]) / (1 + exact[i].abs().max().item<double>()),
              tolerance)
        << i;
}

INSTANTIATE_TEST_SUITE_P(All, GroupNormKernel,
                         ::testing::Combine(::testing::Values(Case{4, 2, 3, 5}, Case{8, 8, 4, 4},
                                                              Case{24, 8, 7, 7}, Case{6, 1, 2, 1},
                                                              Case{32, 8, 28, 28}),
                                            ::testing::Values(NormActivation::none, NormActivation::silu),
                                            ::testing::Values(at::kFloat, at::kDouble)));

// A mean of 1000 and a deviation of 1e-2: sums of squares in float32 would lose the variance altogether.
TEST(GroupNorm, KeepsTheVarianceOfValuesFarFromZero) {
  const Tensor noise = Rng(1).normal({2, 8, 16, 16}, {}, at::kDouble);
  const Tensor x = (noise * 1e-2 + 1000).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor one = at::ones({8}), zero = at::zeros({8});
  const Tensor y = group_norm(x, 2, one, zero, 1e-12, NormActivation::none).to(at::kDouble);
  EXPECT_LT(y.reshape({2, 2, -1}).mean(2).abs().max().item<double>(), 1e-2);
  EXPECT_LT(difference(y.reshape({2, 2, -1}).square().mean(2), at::ones({2, 2}, at::kDouble)), 1e-2);
}

TEST(GroupNorm, SiluKeepsItsTails) {
  const Tensor one = at::ones({1}), zero = at::zeros({1});
  // One pixel at 100 among 10^4 zeros normalises to about 100; scales of +-10 push silu to its ends.
  Tensor x = at::zeros({1, 1, 100, 100}).contiguous(at::MemoryFormat::ChannelsLast);
  x[0][0][3][3] = 5;
  const Tensor high = group_norm(x, 1, one * 10, zero, 1e-12, NormActivation::silu);
  const Tensor low = group_norm(x, 1, one * -10, zero, 1e-12, NormActivation::silu);
  EXPECT_NEAR(high[0][0][3][3].item<double>() / (10 * std::sqrt(9999.0)), 1, 1e-5);
  EXPECT_NEAR(low[0][0][3][3].item<double>(), 0, 1e-30);
}

TEST(GroupNorm, ConstantInputGivesTheShift) {
  const Tensor x = at::full({1, 4, 3, 3}, 7.25).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor shift = at::tensor({1.0f, -2.0f, 3.0f, 0.5f});
  const Tensor y = group_norm(x, 2, at::ones({4}), shift, 1.0, NormActivation::none);
  EXPECT_LT(difference(y, shift.view({1, 4, 1, 1}).expand_as(y)), 5e-6);
}

// d/dx of |grad_x L|^2, against central differences of the fused first gradient.
TEST(GroupNorm, SecondDerivativesExistAndAgree) {
  for (const auto activation : {NormActivation::none, NormActivation::silu}) {
    const Tensor scale = Rng(2).normal({4}, {}, at::kDouble).set_requires_grad(true);
    const Tensor shift = Rng(3).normal({4}, {}, at::kDouble);
    const Tensor weights = Rng(4).normal({2, 4, 3, 2}, {}, at::kDouble);
    const Tensor x = Rng(1).normal({2, 4, 3, 2}, {}, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
    const auto penalty = [&](const Tensor& at_x, const Tensor& at_scale, bool create_graph) {
      const Tensor y = group_norm(at_x, 2, at_scale, shift, 1e-2, activation);
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
