// NaN and infinities go through every kernel as through its plain form, on each instruction set: a weight
// that is no number must not end in a loss that is one.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/image/attention.h"
#include "fokker/kernel/image/convolution.h"
#include "fokker/kernel/image/group_norm.h"
#include "fokker/kernel/matrix/dense.h"
#include "fokker/kernel/mixture/component_covariances.h"
#include "fokker/kernel/mixture/mixture_softmax.h"
#include "fokker/kernel/vector/activation.h"
#include "fokker/kernel/vector/adamw.h"
#include "fokker/kernel/vector/sinusoidal_features.h"
#include "instruction_sets.h"
#include "support.h"

namespace fokker::kernel {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// The same numbers are finite in both, and those close.
void expect_same_finite(const Tensor& found, const Tensor& plain, double tolerance = 1e-4) {
  const Tensor finite = at::isfinite(plain);
  EXPECT_TRUE(at::equal(at::isfinite(found), finite)) << found << plain;
  EXPECT_LT(worst(at::where(finite, found.to(at::kDouble), 0.0), at::where(finite, plain, 0.0)), tolerance);
}

Tensor plain_activation(ActivationKind kind, const Tensor& x) {
  switch (kind) {
    case ActivationKind::silu:
      return at::silu(x);
    case ActivationKind::elu:
      return at::elu(x);
    case ActivationKind::relu:
      return at::relu(x);
    case ActivationKind::gelu:
      return at::gelu(x);
    case ActivationKind::tanh:
      return at::tanh(x);
    case ActivationKind::softplus:
      return at::softplus(x);
  }
  return x;
}

constexpr ActivationKind all_kinds[] = {ActivationKind::silu, ActivationKind::elu,  ActivationKind::relu,
                                        ActivationKind::gelu, ActivationKind::tanh, ActivationKind::softplus};

// In every lane of a vector, and in the part of one at the end of a row.
TEST(NonFinite, GoesThroughActivations) {
  constexpr int64_t columns = 37;
  on_each_instruction_set([] {
    for (const ActivationKind kind : all_kinds)
      for (const float bad : {nan, infinity, -infinity, 200.0f, -200.0f}) {
        const Tensor x = Rng(1).normal({columns, columns});
        x.diagonal().fill_(bad);
        Tensor y = at::empty_like(x);
        activate(kind, {x.data_ptr<float>(), columns}, columns, columns, {y.data_ptr<float>(), columns});
        const Tensor exact = plain_activation(kind, x.to(at::kDouble));
        expect_same_finite(y, exact);
        EXPECT_TRUE(at::equal(y.isnan(), exact.isnan())) << static_cast<int>(kind) << " of " << bad;
      }
  });
}

TEST(NonFinite, GoesThroughSlopes) {
  constexpr int64_t columns = 37;
  on_each_instruction_set([] {
    for (const ActivationKind kind : all_kinds) {
      const Tensor x = Rng(1).normal({columns, columns}), gradient = at::ones({columns, columns});
      x.diagonal().fill_(nan);
      multiply_by_slope(kind, {x.data_ptr<float>(), columns}, columns, columns,
                        {gradient.data_ptr<float>(), columns});
      EXPECT_TRUE(at::equal(gradient.isnan(), x.isnan())) << static_cast<int>(kind);
      const Tensor usual = Rng(1).normal({columns, columns});
      for (const float bad : {nan, infinity}) {
        gradient.fill_(1).diagonal().fill_(bad);
        multiply_by_slope(kind, {usual.data_ptr<float>(), columns}, columns, columns,
                          {gradient.data_ptr<float>(), columns});
        EXPECT_FALSE(at::isfinite(gradient.diagonal()).any().item<bool>());
        EXPECT_EQ(at::isfinite(gradient).sum().item<int64_t>(), columns * (columns - 1));
      }
    }
  });
}

// In a query, a key and a value: NaN, and infinite scores of either sign.
TEST(NonFinite, GoesThroughAttention) {
  constexpr int64_t pixels = 21, heads = 2, size = 5;
  const AttentionShape shape = {.pixels = pixels, .heads = heads, .size = size};
  std::vector<float> scratch(static_cast<size_t>(attention_scratch(shape)));
  on_each_instruction_set([&] {
    for (const int64_t part : {0, 1, 2})
      for (const float bad : {nan, infinity, -infinity})
        for (const int64_t pixel : {0, 7, 20}) {
          const Tensor qkv = Rng(41).normal({pixels, 3, heads, size});
          if (part < 2)
            qkv.select(1, 1 - part).select(1, 1).select(1, 2).abs_();  // signs of scores are alike
          qkv[pixel][part][1][2] = bad;
          Tensor out = at::empty({pixels, heads, size});
          attend(shape, qkv.data_ptr<float>(), out.data_ptr<float>(), scratch.data());
          const Tensor parts = qkv.to(at::kDouble).permute({1, 2, 0, 3});
          const Tensor weights = at::matmul(parts[0], parts[1].transpose(1, 2)).softmax(-1);
          expect_same_finite(out, at::matmul(weights, parts[2]).transpose(0, 1));
        }
  });
}

TEST(NonFinite, GoesThroughProducts) {
  constexpr int64_t m = 9, k = 7, n = 21;
  on_each_instruction_set([] {
    for (const float bad : {nan, infinity})
      for (const bool left : {false, true}) {
        const Tensor a = Rng(1).normal({m, k}), b = Rng(2).normal({k, n});
        (left ? a[5] : b[5])[3] = bad;
        Tensor c = at::empty({m, n});
        std::vector<float> panels(static_cast<size_t>(packed_size(k, n)));
        gemm({a.data_ptr<float>(), k, 1}, m, pack_matrix({b.data_ptr<float>(), n, 1}, k, n, panels.data()),
             {}, c.data_ptr<float>(), n);
        expect_same_finite(c, at::matmul(a.to(at::kDouble), b.to(at::kDouble)));
      }
  });
}

// Winograd's form spreads it over the tiles that it touches, and never takes it away.
TEST(NonFinite, GoesThroughConvolutions) {
  constexpr int64_t channels = 5, side = 24;
  const ConvolutionShape shape = {2, side, side, channels, channels};
  const Tensor g = Rng(1).normal({channels, channels, 3, 3});
  Tensor filters = at::empty({convolution_filters_size(channels, channels)});
  on_each_instruction_set([&] {
    for (const float bad : {nan, infinity}) {
      const auto images = [](uint64_t seed) {
        return Rng(seed).normal({2, side, side, channels}).permute({0, 3, 1, 2});
      };
      const Tensor x = images(2), y = images(3), dg = at::empty_like(g);
      transform_filters(g.data_ptr<float>(), channels, channels, false, filters.data_ptr<float>());
      x[1][3][9][10] = bad;
      convolve(shape, {.x = x.data_ptr<float>(), .pixel_stride = channels}, filters.data_ptr<float>(),
               {.y = y.data_ptr<float>(), .pixel_stride = channels});
      const Tensor plain = at::conv2d(x.to(at::kDouble), g.to(at::kDouble), {}, 1, 1);
      EXPECT_FALSE(at::isfinite(y).logical_and(at::isfinite(plain).logical_not()).any().item<bool>());
      EXPECT_TRUE(at::isfinite(y[0]).all().item<bool>());
      EXPECT_TRUE(at::isfinite(y[1].narrow(1, 16, 8)).all().item<bool>());
      convolution_filter_gradient(shape, {.x = images(4).data_ptr<float>(), .pixel_stride = channels},
                                  x.data_ptr<float>(), channels, dg.data_ptr<float>());
      EXPECT_FALSE(at::isfinite(dg[3]).any().item<bool>());
      EXPECT_TRUE(at::isfinite(dg.narrow(0, 0, 3)).all().item<bool>());
    }
  });
}

// In one group of one image of two.
TEST(NonFinite, GoesThroughGroupNormAndItsGradients) {
  const Tensor one = at::ones({6}), zero = at::zeros({6});
  const auto pixels_last = at::MemoryFormat::ChannelsLast;
  on_each_instruction_set([&] {
    for (const NormActivation activation : {NormActivation::none, NormActivation::silu})
      for (const float bad : {nan, infinity})
        for (const int64_t row : {0, 4, 10}) {
          const GroupNormShape shape = {2, 1e-5, activation};
          const Tensor x = Rng(1).normal({2, 6, 11, 11}).contiguous(pixels_last);
          const Tensor usual = x.clone(), dy = Rng(2).normal({2, 6, 11, 11}).contiguous(pixels_last);
          x[1][4][row][5] = bad;
          const auto expect_group = [](const Tensor& t) {
            EXPECT_FALSE(at::isfinite(t[1].narrow(0, 3, 3)).any().item<bool>());
            EXPECT_TRUE(at::isfinite(t[0]).all().item<bool>());
            EXPECT_TRUE(at::isfinite(t[1].narrow(0, 0, 3)).all().item<bool>());
          };
          const GroupNormForward forward = fused_group_norm(x, one, zero, shape);
          expect_group(forward.y);
          const auto of_x = fused_group_norm_gradients(dy, x, one, zero, forward, shape);
          expect_group(of_x.x);
          EXPECT_FALSE(at::isfinite(of_x.weight.narrow(0, 3, 3)).any().item<bool>());
          dy[1][4][row][5] = bad;
          const auto of_dy = fused_group_norm_gradients(dy, usual, one, zero,
                                                        fused_group_norm(usual, one, zero, shape), shape);
          expect_group(of_dy.x);
          EXPECT_FALSE(at::isfinite(of_dy.bias[4]).item<bool>());
          EXPECT_TRUE(at::isfinite(of_dy.bias[0]).item<bool>());
        }
  });
}

TEST(NonFinite, GoesThroughAdamW) {
  constexpr int64_t n = 37;
  on_each_instruction_set([] {
    for (const at::ScalarType type : {at::kFloat, at::kDouble})
      for (const float bad : {nan, infinity})
        for (const int64_t place : {0, 17, 36}) {
          const auto state = [&] {
            const auto draw = [&](uint64_t seed) { return Rng(seed).uniform({n}, {}, type); };
            return AdamWState{draw(1), draw(2), draw(3), draw(4), draw(5)};
          };
          const AdamWState fused = state(), plain = state();
          fused.gradients[place] = bad;
          plain.gradients[place] = bad;
          adamw_step(fused, {});
          adamw_step_plain(plain, {});
          for (const auto member : {&AdamWState::parameters, &AdamWState::first_moment,
                                    &AdamWState::second_moment, &AdamWState::average})
            expect_same_finite(fused.*member, (plain.*member).to(at::kDouble));
        }
  });
}

TEST(NonFinite, GoesThroughSinusoidalFeatures) {
  constexpr int64_t columns = 29;
  const std::vector<float> frequencies(columns, 0.5f), times = {1.0f, nan, infinity, -infinity, 2.0f};
  on_each_instruction_set([&] {
    Tensor out = at::empty({5, columns});
    sinusoidal_features(times.data(), 5, frequencies.data(), columns, 13, out.data_ptr<float>());
    const Tensor bad = at::isfinite(out).logical_not();
    EXPECT_TRUE(bad.narrow(0, 1, 3).all().item<bool>());
    EXPECT_FALSE(bad[0].any().item<bool>() || bad[4].any().item<bool>());
  });
}

/// A layer of each kind: a weight that is NaN reaches its value in every row.
TEST(NonFinite, GoesThroughDenseGraphs) {
  constexpr int64_t rows = 130;
  on_each_instruction_set([] {
    for (const ActivationKind kind : all_kinds) {
      const Tensor w = Rng(1).normal({6, 3}), v = Rng(2).normal({2, 6}), x = Rng(3).normal({rows, 3});
      w[4][1] = nan;
      DenseGraph graph{.activation = kind, .inputs = 1, .values = {{3}, {6, true}, {2}}, .edges = {}};
      graph.edges = {{0, 1, w.data_ptr<float>(), 3, nullptr}, {1, 2, v.data_ptr<float>(), 6, nullptr}};
      DenseWeights weights;
      weights.pack(graph, DenseWeights::Use::forward);
      Tensor y = at::empty({rows, 2});
      dense_forward(graph, weights, {{x.data_ptr<float>(), 3}}, rows, {y.data_ptr<float>(), 2});
      EXPECT_TRUE(y.isnan().all().item<bool>()) << static_cast<int>(kind);
    }
  });
}

// A query that is no number: of a mixture with few and with many dimensions, in either precision.
TEST(NonFinite, GoesThroughMixtures) {
  on_each_instruction_set([] {
    for (const int64_t d : {2, 40})
      for (const bool single : {false, true}) {
        const Tensor means = Rng(1).normal({300, d}, {}, at::kDouble),
                     x = Rng(2).normal({9, d}, {}, at::kDouble);
        x[4][1] = nan;
        const SoftmaxComponents components(CentredMeans(means, at::zeros({300}, at::kDouble)));
        const Tensor one = at::ones({1, 1}, at::kDouble);
        const MixtureSoftmax softmax = components({x, one, one, single});
        const Tensor bad = at::isfinite(softmax.offset).logical_not().any(1);
        EXPECT_TRUE(bad[4].item<bool>()) << d << single;
        EXPECT_EQ(bad.sum().item<int64_t>(), 1) << d << single;
        EXPECT_FALSE(std::isfinite(softmax.log_total[4].item<double>())) << d << single;
      }
  });
}

TEST(NonFinite, GoesThroughComponentCovariances) {
  on_each_instruction_set([] {
    const auto normal = [](uint64_t seed, IntArrayRef sizes) {
      return Rng(seed).normal(sizes, {}, at::kDouble);
    };
    const ComponentCovariances mixture = {normal(1, {33, 3}), normal(2, {33, 3}).exp(), normal(3, {33}), {}};
    const Tensor x = normal(4, {9, 3});
    x[4][1] = nan;
    const ComponentMoments moments = component_moments(mixture, normal(5, {33, 3}), normal(6, {33, 3}), x);
    for (const Tensor& t :
         {moments.weighted_residual, moments.explained, moments.mean, moments.log_total.unsqueeze(1)}) {
      EXPECT_FALSE(at::isfinite(t[4]).all().item<bool>());
      EXPECT_EQ(at::isfinite(t).all(1).sum().item<int64_t>(), 8);
    }
  });
}

}  // namespace
}  // namespace fokker::kernel
