#pragma once
#include <optional>
#include <vector>

#include "fokker/nn/layers.h"
#include "fokker/nn/time_embedding.h"

namespace fokker {

/// Sizes shared by all blocks of one U-Net.
struct BlockOptions {
  int64_t time_size = 0;  ///< width of the time embedding
  int64_t groups = 32;
  double eps = 1e-5;
  int64_t head_size = 8;    ///< channels of one attention head; 0: a single head
  double output_scale = 1;  ///< residual sums are divided by this
  bool zero_output = true;  ///< the last layer of each residual branch starts at zero
};

/// silu(linear2(silu(linear1(sinusoids(time)))) + class or condition): what every residual block is told.
struct TimeEmbedding {
  SinusoidalOptions sinusoidal;
  int64_t features = 0;  ///< numbers of the sinusoidal embedding
  Linear linear1, linear2;
  ClassEmbedding classes;        ///< may be undefined
  ConditionEmbedding condition;  ///< may be undefined
  /// time (n) or (1), label as of a network -> (n, size) or (1, size).
  Tensor operator()(const Tensor& time, const Tensor& label) const;
};

/// y = (shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + proj(time))))) / output_scale.
struct ResnetBlock {
  ResnetBlock(LayerBuilder& builder, const std::string& name, int64_t inputs, int64_t outputs,
              const BlockOptions& options);
  /// x (n, inputs, h, w); activated_time (n, time_size) or (1, time_size): the embedding after its SiLU.
  Tensor operator()(const Tensor& x, const Tensor& activated_time) const;
  int64_t outputs() const { return conv1.weight.size(0); }

  GroupNorm norm1, norm2;
  Convolution conv1, conv2;
  Linear time;
  std::optional<Convolution> shortcut;
  double output_scale;
};

/// Self-attention over the pixels: y = (x + out(softmax(q k^T / sqrt(d)) v)) / output_scale on norm(x).
struct AttentionBlock {
  AttentionBlock(LayerBuilder& builder, const std::string& name, int64_t channels,
                 const BlockOptions& options);
  Tensor operator()(const Tensor& x) const;

  GroupNorm norm;
  Linear query, key, value, out;
  int64_t heads;
  double output_scale;
};

/// Halves both sides by a convolution of stride 2; padding 0 means one row and column at the bottom and
/// right.
struct Downsample {
  Downsample(LayerBuilder& builder, const std::string& name, int64_t channels, int64_t padding);
  Tensor operator()(const Tensor& x) const;

  Convolution conv;
};

/// Doubles both sides: nearest neighbour, then a convolution.
struct Upsample {
  Upsample(LayerBuilder& builder, const std::string& name, int64_t channels);
  Tensor operator()(const Tensor& x) const;

  Convolution conv;
};

/// One resolution on the way down or up: residual blocks, each followed by attention where there is any.
struct Level {
  std::vector<ResnetBlock> resnets;
  std::vector<AttentionBlock> attentions;  ///< empty, or one for each resnet
  std::optional<Downsample> down;
  std::optional<Upsample> up;
};

}  // namespace fokker
