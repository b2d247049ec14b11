#include "fokker/nn/unet/token_transformer.h"

#include "fokker/nn/unet/unet_blocks.h"

namespace fokker {
namespace {

/// Of every Transformer2DModel, whatever the network's own.
constexpr double transformer_norm_eps = 1e-6;

/// A layer of each pixel's channels, stored as a matrix or as a convolution.
Linear pixel_layer(LayerBuilder& builder, const std::string& name, const TransformerOptions& o) {
  if (o.linear) return builder.linear(name, o.channels, o.channels);
  const Convolution layer = builder.convolution(name, o.channels, o.channels, 1);
  return {layer.weight, layer.bias};
}

Linear as_matrix(const Linear& layer) {
  return {layer.weight.flatten(1), layer.bias};
}

}  // namespace

TransformerLayer::TransformerLayer(LayerBuilder& builder, const std::string& name,
                                   const TransformerOptions& o)
    : norm1(builder.layer_norm(name + ".norm1", o.channels)),
      norm2(builder.layer_norm(name + ".norm2", o.channels)),
      norm3(builder.layer_norm(name + ".norm3", o.channels)),
      query(builder.projection(name + ".attn1.to_q", o.channels, o.channels)),
      key(builder.projection(name + ".attn1.to_k", o.channels, o.channels)),
      value(builder.projection(name + ".attn1.to_v", o.channels, o.channels)),
      out(builder.linear(name + ".attn1.to_out.0", o.channels, o.channels)),
      token_query(builder.projection(name + ".attn2.to_q", o.channels, o.channels)),
      token_key(builder.projection(name + ".attn2.to_k", o.token_size, o.channels)),
      token_value(builder.projection(name + ".attn2.to_v", o.token_size, o.channels)),
      token_out(builder.linear(name + ".attn2.to_out.0", o.channels, o.channels)),
      gate(builder.linear(name + ".ff.net.0.proj", o.channels, 8 * o.channels)),
      back(builder.linear(name + ".ff.net.2", 4 * o.channels, o.channels)),
      heads(o.heads) {}

Tensor TransformerLayer::operator()(Tensor h, const Tensor& token) const {
  const Tensor seen = norm1(h);
  h = h + out(mixed_pixels(query(seen), key(seen), value(seen), heads));
  h = h + token_out(token_value(token)).unsqueeze(1);
  const auto halves = gate(norm3(h)).chunk(2, -1);
  return h + back(halves[0] * at::gelu(halves[1]));
}

TokenTransformer::TokenTransformer(LayerBuilder& builder, const std::string& name,
                                   const TransformerOptions& o)
    : norm(builder.group_norm(name + ".norm", o.channels, o.groups, transformer_norm_eps)),
      ahead(pixel_layer(builder, name + ".proj_in", o)) {
  layers.reserve(static_cast<size_t>(o.layers));
  for (int64_t i = 0; i < o.layers; ++i)
    layers.emplace_back(builder, fmt::format("{}.transformer_blocks.{}", name, i), o);
  after = pixel_layer(builder, name + ".proj_out", o);
}

Tensor TokenTransformer::operator()(const Tensor& x, const Tensor& token) const {
  // (n, pixels, channels)
  Tensor h = as_matrix(ahead)(norm(x, kernel::NormActivation::none).flatten(2).transpose(1, 2));
  for (const TransformerLayer& layer : layers) h = layer(std::move(h), token);
  return x + as_matrix(after)(h).transpose(1, 2).view(x.sizes());
}

}  // namespace fokker
