#pragma once
#include <optional>
#include <vector>

#include "fokker/nn/layers.h"
#include "fokker/nn/time_embedding.h"
#include "fokker/nn/unet/token_transformer.h"
#include "fokker/nn/unet/unet.h"

namespace fokker {

/// Sizes shared by all blocks of one U-Net.
struct BlockOptions {
  int64_t time_size = 0;  ///< width of the time embedding
  int64_t groups = 32;
  double eps = 1e-5;
  int64_t head_size = 8;          ///< channels of one attention head; 0: a single head
  double output_scale = 1;        ///< residual sums are divided by this
  int64_t attention_groups = 32;  ///< of the norm before attention; 0: none
  bool scale_shift = false;       ///< UNetOptions::time_scale_shift
  std::string activation = "silu";
  bool zero_output = true;  ///< the last layer of each residual branch starts at zero
};

/// The activation of that name, of a temporary.
Tensor activated(const std::string& name, Tensor x);

/// linear2(activation(linear1(x))).
struct TimeLayers {
  Linear linear1, linear2;
  std::string activation = "silu";
  Tensor operator()(const Tensor& x) const { return linear2(activated(activation, linear1(x))); }
};

/// activation(layers(features of time)) + class or condition): what every residual block is told.
struct TimeEmbedding {
  UNetOptions::TimeKind kind = UNetOptions::TimeKind::positional;
  SinusoidalOptions sinusoidal;
  int64_t features = 0;  ///< numbers of the time's features
  Tensor table;          ///< random frequencies (features / 2), or a row of features for each time
  TimeLayers layers;
  ClassEmbedding classes;                ///< may be undefined
  ConditionEmbedding condition;          ///< may be undefined
  std::optional<TimeLayers> number;      ///< embeds a label that is a number
  std::optional<TimeLayers> projection;  ///< embeds a label that is a vector
  std::optional<Linear> linear;          ///< the same by one layer
  bool vector = false;                   ///< a label is added as it is
  std::string activation = "silu";
  /// time (n) or (1), label as of a network, without a token -> (n, size) or (1, size).
  Tensor operator()(const Tensor& time, const Tensor& label) const;

 private:
  Tensor features_of(const Tensor& time) const;
  Tensor of_label(const Tensor& label) const;
};

/// y = (shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + proj(time))))) / output_scale; with
/// scale_shift norm2(conv1(..)) (1 + a) + b, where (a, b) = proj(time). One that resamples halves both sides
/// (means of 2 x 2) or doubles them (nearest neighbour) of what enters conv1 and of x.
struct ResnetBlock {
  enum class Resampling { none, down, up };
  ResnetBlock(LayerBuilder& builder, const std::string& name, int64_t inputs, int64_t outputs,
              const BlockOptions& options, Resampling resampling = Resampling::none);
  /// x (n, inputs, h, w); activated_time (n, time_size) or (1, time_size): the embedding after its SiLU.
  Tensor operator()(const Tensor& x, const Tensor& activated_time) const;
  int64_t outputs() const { return conv1.weight.size(0); }

  GroupNorm norm1, norm2;
  Convolution conv1, conv2;
  Linear time;
  std::optional<Convolution> shortcut;
  double output_scale;
  bool scale_shift;
  std::string activation;
  Resampling resampling;

 private:
  Tensor resampled(const Tensor& x) const;
  Tensor general(const Tensor& x, const Tensor& activated_time) const;
};

/// softmax(q k^T / sqrt(channels / heads)) v in each head: rows (n, pixels, channels) -> the same.
Tensor mixed_pixels(const Tensor& query, const Tensor& key, const Tensor& value, int64_t heads);

/// Self-attention over the pixels: y = (x + out(softmax(q k^T / sqrt(d)) v)) / output_scale on norm(x).
struct AttentionBlock {
  AttentionBlock(LayerBuilder& builder, const std::string& name, int64_t channels,
                 const BlockOptions& options);
  Tensor operator()(const Tensor& x) const;

  GroupNorm norm;  ///< may be undefined: none
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
  /// The blocks after residual block j.
  Tensor attended(const Tensor& h, size_t j, const Tensor& token) const;

  std::vector<ResnetBlock> resnets;
  std::vector<AttentionBlock> attentions;      ///< empty, or one for each resnet
  std::vector<TokenTransformer> transformers;  ///< the same
  std::optional<Downsample> down;
  std::optional<Upsample> up;
  std::optional<ResnetBlock> residual;  ///< in place of `down` or `up`
};

}  // namespace fokker
