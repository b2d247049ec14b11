#include "fokker/nn/unet/unet_blocks.h"

#include <map>

#include "nn/support.h"

namespace fokker {
namespace {

using testing::difference;

// The naive forms below are loops over the definitions, in float64.
using Values = std::map<std::string, Tensor>;

Values randomised(LayerBuilder& builder) {
  Values values;
  for (auto& p : builder.take()) {
    p.tensor.set_data(Rng(5).stream(p.name).normal(p.tensor.sizes(), {}, at::kDouble).mul_(0.5));
    values[p.name] = p.tensor;
  }
  return values;
}

Tensor naive_silu(const Tensor& x) {
  return x / (1 + (-x).exp());
}

Tensor naive_group_norm(const Tensor& x, const Values& p, const std::string& name, int64_t groups,
                        double eps) {
  Tensor y = at::empty_like(x);
  const int64_t size = x.size(1) / groups;
  for (int64_t n = 0; n < x.size(0); ++n)
    for (int64_t g = 0; g < groups; ++g) {
      const Tensor part = x[n].narrow(0, g * size, size);
      const Tensor centred = part - part.mean();
      y[n].narrow(0, g * size, size).copy_(centred / (centred.square().mean() + eps).sqrt());
    }
  return y * p.at(name + ".weight").view({1, -1, 1, 1}) + p.at(name + ".bias").view({1, -1, 1, 1});
}

// out(n, o, i, j) = b(o) + sum over c, u, v of w(o, c, u, v) x(n, c, stride i + u - padding, stride j + v -
// padding)
Tensor naive_convolution(const Tensor& x, const Values& p, const std::string& name, int64_t stride,
                         int64_t padding, int64_t out_height, int64_t out_width) {
  const Tensor weight = p.at(name + ".weight"), bias = p.at(name + ".bias");
  Tensor y = bias.view({1, -1, 1, 1}).expand({x.size(0), weight.size(0), out_height, out_width}).clone();
  for (int64_t i = 0; i < out_height; ++i)
    for (int64_t j = 0; j < out_width; ++j)
      for (int64_t u = 0; u < weight.size(2); ++u)
        for (int64_t v = 0; v < weight.size(3); ++v) {
          const int64_t row = stride * i + u - padding, column = stride * j + v - padding;
          if (row < 0 || row >= x.size(2) || column < 0 || column >= x.size(3)) continue;
          const Tensor pixel = x.select(3, column).select(2, row);
          y.select(3, j).select(2, i).add_(at::matmul(pixel, weight.select(3, v).select(2, u).t()));
        }
  return y;
}

Tensor naive_linear(const Tensor& x, const Values& p, const std::string& name) {
  return at::matmul(x, p.at(name + ".weight").t()) + p.at(name + ".bias");
}

class Blocks : public ::testing::Test {
 protected:
  LayerBuilder builder{1};
  BlockOptions options = {
      .time_size = 5, .groups = 2, .eps = 1e-3, .head_size = 2, .output_scale = 1.3, .attention_groups = 2};
  Tensor x = Rng(1).normal({2, 4, 5, 3}, {}, at::kDouble);
  Tensor time = Rng(2).normal({2, 5}, {}, at::kDouble);
  GradientMode off{false};
};

TEST_F(Blocks, ResnetAgreesWithItsDefinition) {
  for (const int64_t outputs : {4, 6}) {
    LayerBuilder own(1);
    const ResnetBlock block(own, "r", 4, outputs, options);
    const Values p = randomised(own);
    Tensor h =
        naive_convolution(naive_silu(naive_group_norm(x, p, "r.norm1", 2, 1e-3)), p, "r.conv1", 1, 1, 5, 3);
    h = h + naive_linear(time, p, "r.time_emb_proj").view({2, outputs, 1, 1});
    h = naive_convolution(naive_silu(naive_group_norm(h, p, "r.norm2", 2, 1e-3)), p, "r.conv2", 1, 1, 5, 3);
    EXPECT_EQ(p.count("r.conv_shortcut.weight"), outputs == 4 ? 0u : 1u);
    const Tensor shortcut = outputs == 4 ? x : naive_convolution(x, p, "r.conv_shortcut", 1, 0, 5, 3);
    EXPECT_LT(difference(block(x, time), (h + shortcut) / 1.3), 1e-12);
  }
}

TEST_F(Blocks, AttentionAgreesWithItsDefinition) {
  const AttentionBlock block(builder, "a", 4, options);
  const Values p = randomised(builder);
  const Tensor h = naive_group_norm(x, p, "a.group_norm", 2, 1e-3).flatten(2).transpose(1, 2);
  const Tensor q = naive_linear(h, p, "a.to_q"), k = naive_linear(h, p, "a.to_k"),
               v = naive_linear(h, p, "a.to_v");
  Tensor mixed = at::zeros({2, 15, 4}, at::kDouble);
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t head = 0; head < 2; ++head)
      for (int64_t i = 0; i < 15; ++i) {
        const Tensor keys = k[n].narrow(1, 2 * head, 2), query = q[n][i].narrow(0, 2 * head, 2);
        const Tensor weights = (at::matmul(keys, query) / std::sqrt(2.0)).exp();
        mixed[n][i]
            .narrow(0, 2 * head, 2)
            .copy_(at::matmul(weights / weights.sum(), v[n].narrow(1, 2 * head, 2)));
      }
  const Tensor expected = (naive_linear(mixed, p, "a.to_out.0").transpose(1, 2).reshape(x.sizes()) + x) / 1.3;
  EXPECT_LT(difference(block(x), expected), 1e-12);
}

// Attention has no notion of place: permuted pixels give permuted results.
TEST_F(Blocks, AttentionIsEquivariantUnderPermutationsOfPixels) {
  options.head_size = 0;
  const AttentionBlock block(builder, "a", 4, options);
  randomised(builder);
  const Tensor order = Rng(3).permutation(15);
  const auto permute = [&](const Tensor& y) { return y.flatten(2).index_select(2, order).view(y.sizes()); };
  EXPECT_LT(difference(block(permute(x)), permute(block(x))), 1e-12);
  EXPECT_GT(difference(block(permute(x)), block(x)), 1e-3);
}

TEST_F(Blocks, DownsamplingAgreesWithItsDefinition) {
  const Tensor even = Rng(1).normal({2, 4, 6, 4}, {}, at::kDouble);
  for (const int64_t padding : {0, 1}) {
    LayerBuilder own(1);
    const Downsample down(own, "d", 4, padding);
    const Values p = randomised(own);
    EXPECT_LT(difference(down(even), naive_convolution(even, p, "d.conv", 2, padding, 3, 2)), 1e-12)
        << padding;
  }
}

TEST_F(Blocks, UpsamplingAgreesWithItsDefinition) {
  const Upsample up(builder, "u", 4);
  const Values p = randomised(builder);
  const Tensor repeated = x.repeat_interleave(2, 2).repeat_interleave(2, 3);
  EXPECT_LT(difference(up(x), naive_convolution(repeated, p, "u.conv", 1, 1, 10, 6)), 1e-12);
}

}  // namespace
}  // namespace fokker
