#pragma once
#include <string>
#include <vector>

#include "fokker/nn/layers.h"

namespace fokker {

/// Sizes of the transformers of one level.
struct TransformerOptions {
  int64_t channels = 0;
  int64_t heads = 1;       ///< of self-attention
  int64_t layers = 1;      ///< one after the other
  int64_t token_size = 0;  ///< numbers of the token
  int64_t groups = 32;     ///< of the norm ahead
  bool linear = false;     ///< the layers ahead and after are stored as matrices, not as 1 x 1 convolutions
};

/// One layer (diffusers' BasicTransformerBlock): h += attention(norm1(h)); h += attention to the token; h +=
/// feed-forward(norm3(h)), a gate of GELU (Shazeer 2020). Attention to one token has the weight 1 at it, so
/// that it is out(value(token)) at every pixel: its query, key and norm decide nothing, and are kept.
struct TransformerLayer {
  TransformerLayer(LayerBuilder& builder, const std::string& name, const TransformerOptions& options);
  /// h (n, pixels, channels), token (n, size) or (1, size).
  Tensor operator()(Tensor h, const Tensor& token) const;

  LayerNorm norm1, norm2, norm3;
  Linear query, key, value, out;
  Linear token_query, token_key, token_value, token_out;
  Linear gate, back;
  int64_t heads;
};

/// A transformer over the pixels and one token (diffusers' Transformer2DModel): y = x + after(layers(ahead(
/// norm(x)))).
struct TokenTransformer {
  TokenTransformer(LayerBuilder& builder, const std::string& name, const TransformerOptions& options);
  Tensor operator()(const Tensor& x, const Tensor& token) const;

  GroupNorm norm;
  Linear ahead, after;  ///< weights (channels, channels), or (channels, channels, 1, 1)
  std::vector<TransformerLayer> layers;
};

}  // namespace fokker
