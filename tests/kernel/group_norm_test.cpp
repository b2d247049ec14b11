#include "fokker/kernel/image/group_norm.h"

#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "instruction_sets.h"
#include "support.h"

namespace fokker::kernel {
namespace {

Tensor fused(const Tensor& x, const Tensor& scale, const Tensor& shift, const GroupNormShape& shape) {
  return fused_group_norm(x, scale, shift, shape).y;
}
Tensor wide(const Tensor& t) {
  return t.to(at::kDouble);
}

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
  GroupNormShape options{shape.groups, 1e-5, activation};
  Tensor scale = random(2, {shape.channels}), shift = random(3, {shape.channels});
  Tensor last(const Tensor& t) const { return t.contiguous(at::MemoryFormat::ChannelsLast); }
};

TEST_P(GroupNormKernel, AgreesWithThePlainComposition) {
  ASSERT_TRUE(suits_fused_group_norm(last(x), scale));
  const Tensor y = fused(last(x), scale, shift, options);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_LT(worst(wide(y), plain_group_norm(wide(x), wide(scale), wide(shift), options)), tolerance);
}

TEST_P(GroupNormKernel, GradientsAgreeWithThePlainComposition) {
  const Tensor dy = random(4, x.sizes());
  const GroupNormForward forward = fused_group_norm(last(x), scale, shift, options);
  const auto [dx, dscale, dshift] = fused_group_norm_gradients(dy, last(x), scale, shift, forward, options);
  std::vector<Tensor> inputs = {wide(x), wide(scale), wide(shift)};
  for (auto& v : inputs) v = v.detach().clone().set_requires_grad(true);
  const auto exact =
      gradients(plain_group_norm(inputs[0], inputs[1], inputs[2], options) * wide(dy), inputs, false);
  const auto expect_close = [&](const Tensor& found, const Tensor& expected) {
    EXPECT_LT(worst(wide(found), expected) / (1 + expected.abs().max().item<double>()), tolerance);
  };
  expect_close(dx, exact[0]);
  expect_close(dscale, exact[1]);
  expect_close(dshift, exact[2]);
}

INSTANTIATE_TEST_SUITE_P(All, GroupNormKernel,
                         ::testing::Combine(::testing::Values(Case{4, 2, 3, 5}, Case{8, 8, 4, 4},
                                                              Case{24, 8, 7, 7}, Case{6, 1, 2, 1},
                                                              Case{32, 8, 28, 28}),
                                            ::testing::Values(NormActivation::none, NormActivation::silu),
                                            ::testing::Values(at::kFloat, at::kDouble)));

// A mean of 1000 and a deviation of 1e-2: sums of squares in float32 would lose the variance altogether.
TEST(FusedGroupNorm, KeepsTheVarianceOfValuesFarFromZero) {
  const Tensor noise = Rng(1).normal({2, 8, 16, 16}, {}, at::kDouble);
  const Tensor x = (noise * 1e-2 + 1000).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor one = at::ones({8}), zero = at::zeros({8});
  const Tensor y = fused(x, one, zero, {2, 1e-12, NormActivation::none}).to(at::kDouble);
  EXPECT_LT(y.reshape({2, 2, -1}).mean(2).abs().max().item<double>(), 1e-2);
  EXPECT_LT(worst(y.reshape({2, 2, -1}).square().mean(2), at::ones({2, 2}, at::kDouble)), 1e-2);
}

/// Images of which most pixels are alike: blank ones, also as a convolution with zeros around them leaves
/// them.
Tensor near_constant_image(const std::string& kind, int64_t side) {
  const Tensor level = Rng(1).normal({1, 8, 1, 1}) + 3;  // each channel its own
  const Tensor x = level.expand({1, 8, side, side}).contiguous(at::MemoryFormat::ChannelsLast);
  if (kind == "corner differs") x.narrow(2, 0, 1).narrow(3, 0, 1).add_(-2);
  if (kind == "last pixel differs") x.narrow(2, side - 1, 1).narrow(3, side - 1, 1).add_(-2);
  if (kind == "frame differs") {
    x.narrow(2, 0, 1).mul_(0.6);
    x.narrow(2, side - 1, 1).mul_(0.7);
    x.narrow(3, 0, 1).mul_(0.8);
  }
  if (kind == "noise") x.add_(Rng(2).normal({side, side, 8}).permute({2, 0, 1}).unsqueeze(0), 1e-3);
  if (kind == "halves") x.narrow(2, 0, side / 2).add_(1000);
  return x;
}

TEST(FusedGroupNorm, KeepsNearlyConstantImages) {
  const Tensor scale = Rng(3).normal({8}), shift = Rng(4).normal({8});
  const auto expect_close = [](const Tensor& found, const Tensor& exact, const std::string& where) {
    EXPECT_LT(worst(wide(found), exact), 2e-5 * (1 + exact.abs().max().item<double>())) << where;
  };
  for (const char* kind :
       {"constant", "corner differs", "last pixel differs", "frame differs", "noise", "halves"})
    for (const int64_t side : {28, 128, 256, 512})
      for (const NormActivation activation : {NormActivation::none, NormActivation::silu}) {
        if (side == 512 && activation == NormActivation::silu) continue;  // slow in float64, and no new sums
        const std::string where = std::string(kind) + " " + std::to_string(side);
        const GroupNormShape shape = {2, 1e-5, activation};
        const Tensor x = near_constant_image(kind, side);
        const Tensor dy = Rng(5).normal({side, side, 8}).permute({2, 0, 1}).unsqueeze(0) + 0.3;
        const GroupNormForward forward = fused_group_norm(x, scale, shift, shape);
        const GroupNormGradients found = fused_group_norm_gradients(dy, x, scale, shift, forward, shape);
        std::vector<Tensor> in = {wide(x), wide(scale), wide(shift)};
        for (auto& v : in) v.set_requires_grad(true);
        const Tensor y = plain_group_norm(in[0], in[1], in[2], shape);
        const auto exact = gradients(y * wide(dy), in, false);
        expect_close(forward.y, y.detach(), where);
        expect_close(found.x, exact[0], where + " dx");
        expect_close(found.weight, exact[1], where + " dweight");
        expect_close(found.bias, exact[2], where + " dbias");
        const GroupNormAffine affine = group_norm_affine(x, scale, shift, shape);
        const auto spread = [](const Tensor& t) { return t.unsqueeze(2).unsqueeze(3); };
        const Tensor z = (x - spread(affine.centre)) * spread(affine.scale) + spread(affine.shift);
        expect_close(activation == NormActivation::silu ? at::silu(z) : z, y.detach(), where + " affine");
      }
}

TEST(FusedGroupNorm, RunsOnEachInstructionSet) {
  const Tensor x = near_constant_image("noise", 28), scale = Rng(3).normal({8}), shift = Rng(4).normal({8});
  const Tensor dy = Rng(5).normal({1, 8, 28, 28}).contiguous(at::MemoryFormat::ChannelsLast);
  const GroupNormShape shape = {2, 1e-5, NormActivation::silu};
  std::vector<Tensor> in = {wide(x), wide(scale), wide(shift)};
  for (auto& v : in) v.set_requires_grad(true);
  const Tensor y = plain_group_norm(in[0], in[1], in[2], shape);
  const auto exact = gradients(y * wide(dy), in, false);
  on_each_instruction_set([&] {
    const GroupNormForward forward = fused_group_norm(x, scale, shift, shape);
    EXPECT_LT(worst(wide(forward.y), y.detach()), 2e-5);
    const auto found = fused_group_norm_gradients(dy, x, scale, shift, forward, shape);
    EXPECT_LT(relative_difference(found.x, exact[0]), 2e-5);
    EXPECT_LT(relative_difference(found.weight, exact[1]), 2e-5);
  });
}

TEST(FusedGroupNorm, RefusesSizesThatDoNotFit) {
  const auto last = [](IntArrayRef sizes) {
    return at::ones(sizes).contiguous(at::MemoryFormat::ChannelsLast);
  };
  const Tensor x = last({2, 4, 3, 3}), four = at::ones({4}), five = at::ones({5});
  EXPECT_THAT([&] { fused(x, four, four, {8}); },
              message("groups that divide the 4 channels but received 8"));
  EXPECT_THAT([&] { fused(last({2, 5, 3, 3}), five, five, {2}); }, message("divide the 5 channels"));
  EXPECT_THAT([&] { fused(x, four, four, {0}); }, message("divide the 4 channels"));
  EXPECT_THAT([&] { fused(x, five, four, {2}); }, message("of shape (4)"));
  EXPECT_THAT([&] { group_norm_affine(x, four, five, {2}); }, message("of shape (4)"));
  EXPECT_THAT([&] { fused(x, four, at::ones({4}, at::kDouble), {2}); }, message("the type of x"));
  EXPECT_THAT([&] { fused(at::ones({2, 4, 3, 3}), four, four, {2}); }, message("channels last"));
  const GroupNormForward forward = fused_group_norm(x, four, four, {2});
  const auto backward = [&](const Tensor& dy, const GroupNormForward& moments, int64_t groups) {
    return [=] { fused_group_norm_gradients(dy, x, four, four, moments, {groups}); };
  };
  EXPECT_THAT(backward(last({2, 4, 3, 2}), forward, 2), message("a gradient of the shape (2, 4, 3, 3)"));
  EXPECT_THAT(backward(x, forward, 4), message("moments of shape (2, 4)"));
}

TEST(FusedGroupNorm, SiluKeepsItsTails) {
  const Tensor one = at::ones({1}), zero = at::zeros({1});
  // One pixel at 100 among 10^4 zeros normalises to about 100; scales of +-10 push silu to its ends.
  Tensor x = at::zeros({1, 1, 100, 100}).contiguous(at::MemoryFormat::ChannelsLast);
  x[0][0][3][3] = 5;
  const Tensor high = fused(x, one * 10, zero, {1, 1e-12, NormActivation::silu});
  const Tensor low = fused(x, one * -10, zero, {1, 1e-12, NormActivation::silu});
  EXPECT_NEAR(high[0][0][3][3].item<double>() / (10 * std::sqrt(9999.0)), 1, 1e-5);
  EXPECT_NEAR(low[0][0][3][3].item<double>(), 0, 1e-30);
}

TEST(FusedGroupNorm, ConstantInputGivesTheShift) {
  const Tensor x = at::full({1, 4, 3, 3}, 7.25).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor shift = at::tensor({1.0f, -2.0f, 3.0f, 0.5f});
  const Tensor y = fused(x, at::ones({4}), shift, {2, 1.0, NormActivation::none});
  EXPECT_LT(worst(y, shift.view({1, 4, 1, 1}).expand_as(y)), 5e-6);
}

}  // namespace
}  // namespace fokker::kernel
