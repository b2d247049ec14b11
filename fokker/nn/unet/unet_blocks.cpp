#include "fokker/nn/unet/unet_blocks.h"

#include <cmath>
#include <numbers>

#include "fokker/core/check.h"
#include "fokker/nn/product_precision.h"

namespace fokker {
namespace {

/// Divides a temporary, where there is anything to divide by.
Tensor scaled(Tensor x, double divisor) {
  return divisor == 1 ? x : x.div_(divisor);
}

}  // namespace

Tensor activated(const std::string& name, Tensor x) {
  if (name == "silu") return apply_silu(std::move(x));
  if (name == "relu") return at::relu(x);
  if (name == "gelu") return at::gelu(x);
  check(name == "mish", "UNet: expected the activation silu, mish, gelu or relu but received \"{}\"", name);
  return at::mish(x);
}

Tensor TimeEmbedding::features_of(const Tensor& t) const {
  using Kind = UNetOptions::TimeKind;
  if (kind == Kind::positional) return sinusoidal_embedding(t, features, sinusoidal);
  if (kind == Kind::fourier) {
    const Tensor angle = t.log().unsqueeze(1) * table.detach() * (2 * std::numbers::pi);
    return at::cat({angle.sin(), angle.cos()}, 1);
  }
  const Tensor rows = t.round().to(at::kLong);
  if (rows.is_cpu() && rows.numel() > 0)
    check(rows.min().item<int64_t>() >= 0 && rows.max().item<int64_t>() < table.size(0),
          "UNet: expected times from 0 to {}, for which it has learned features, but received {} to {}",
          table.size(0) - 1, t.min().item<double>(), t.max().item<double>());
  return at::embedding(table, rows);
}

Tensor TimeEmbedding::operator()(const Tensor& time, const Tensor& label) const {
  Tensor embedding = layers(features_of(time));
  if (classes.defined()) embedding = embedding + classes(label);
  if (condition.defined()) embedding = embedding + condition(label);
  if (number || projection || linear || vector) embedding = embedding + of_label(label);
  return activated(activation, embedding);
}

Tensor TimeEmbedding::of_label(const Tensor& label) const {
  if (number) return (*number)(features_of(label.squeeze(1)));
  if (projection) return (*projection)(label);
  return linear ? (*linear)(label) : label;
}

ResnetBlock::ResnetBlock(LayerBuilder& builder, const std::string& name, int64_t inputs, int64_t outputs,
                         const BlockOptions& options, Resampling resampling)
    : norm1(builder.group_norm(name + ".norm1", inputs, options.groups, options.eps)),
      norm2(builder.group_norm(name + ".norm2", outputs, options.groups, options.eps)),
      conv1(builder.convolution(name + ".conv1", inputs, outputs, 3)),
      conv2(builder.convolution(name + ".conv2", outputs, outputs, 3, options.zero_output)),
      time(builder.linear(name + ".time_emb_proj", options.time_size,
                          options.scale_shift ? 2 * outputs : outputs)),
      output_scale(options.output_scale),
      scale_shift(options.scale_shift),
      activation(options.activation),
      resampling(resampling) {
  if (inputs != outputs) shortcut = builder.convolution(name + ".conv_shortcut", inputs, outputs, 1);
}

Tensor ResnetBlock::operator()(const Tensor& x, const Tensor& activated_time) const {
  if (scale_shift || activation != "silu" || resampling != Resampling::none)
    return general(x, activated_time);
  const Tensor h = normalised_convolution(norm1, conv1, x, time(activated_time));
  return scaled(normalised_convolution(norm2, conv2, h, {}, shortcut ? (*shortcut)(x) : x), output_scale);
}

Tensor ResnetBlock::resampled(const Tensor& x) const {
  if (resampling == Resampling::none) return x;
  return resampling == Resampling::down ? at::avg_pool2d(x, {2, 2})
                                        : at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
}

Tensor ResnetBlock::general(const Tensor& x, const Tensor& activated_time) const {
  const auto none = kernel::NormActivation::none;
  const Tensor skip = resampled(x), told = time(activated_time).unsqueeze(2).unsqueeze(3);
  Tensor h = conv1(resampled(activated(activation, norm1(x, none))));
  if (scale_shift) {
    const auto parts = told.chunk(2, 1);
    h = norm2(h, none) * (1 + parts[0]) + parts[1];
  } else {
    h = norm2(h + told, none);
  }
  return scaled(conv2(activated(activation, h)) + (shortcut ? (*shortcut)(skip) : skip), output_scale);
}

Tensor mixed_pixels(const Tensor& query, const Tensor& key, const Tensor& value, int64_t heads) {
  const int64_t n = query.size(0), pixels = query.size(1), channels = query.size(2), size = channels / heads;
  const auto split = [&](const Tensor& y) { return y.view({n, pixels, heads, size}).transpose(1, 2); };
  const Tensor scaled_query = split(query) * (1 / std::sqrt(static_cast<double>(size)));
  const Tensor weights = product(scaled_query, split(key).transpose(2, 3)).softmax(-1);
  return product(weights, split(value)).transpose(1, 2).reshape({n, pixels, channels});
}

AttentionBlock::AttentionBlock(LayerBuilder& builder, const std::string& name, int64_t channels,
                               const BlockOptions& options)
    : norm(options.attention_groups
               ? builder.group_norm(name + ".group_norm", channels, options.attention_groups, options.eps)
               : GroupNorm()),
      query(builder.linear(name + ".to_q", channels, channels)),
      key(builder.linear(name + ".to_k", channels, channels)),
      value(builder.linear(name + ".to_v", channels, channels)),
      out(builder.linear(name + ".to_out.0", channels, channels, options.zero_output)),
      heads(options.head_size ? channels / options.head_size : 1),
      output_scale(options.output_scale) {}

Tensor AttentionBlock::operator()(const Tensor& x) const {
  const Tensor normed = norm.weight.defined() ? norm(x, kernel::NormActivation::none) : x;
  const Tensor h = normed.flatten(2).transpose(1, 2);  // (n, pixels, channels)
  const Tensor mixed = mixed_pixels(query(h), key(h), value(h), heads);
  return scaled(out(mixed).transpose(1, 2).view(x.sizes()) + x, output_scale);
}

Tensor Level::attended(const Tensor& h, size_t j, const Tensor& token) const {
  if (!attentions.empty()) return attentions[j](h);
  return transformers.empty() ? h : transformers[j](h, token);
}

Downsample::Downsample(LayerBuilder& builder, const std::string& name, int64_t channels, int64_t padding)
    : conv(builder.convolution(name + ".conv", channels, channels, 3)) {
  conv.stride = 2;
  conv.padding = padding;
}

Tensor Downsample::operator()(const Tensor& x) const {
  return conv(conv.padding == 0 ? at::constant_pad_nd(x, {0, 1, 0, 1}) : x);
}

Upsample::Upsample(LayerBuilder& builder, const std::string& name, int64_t channels)
    : conv(builder.convolution(name + ".conv", channels, channels, 3)) {}

Tensor Upsample::operator()(const Tensor& x) const {
  return convolution3({.x = x, .weight = conv.weight, .bias = conv.bias, .upsampled = true});
}

}  // namespace fokker
