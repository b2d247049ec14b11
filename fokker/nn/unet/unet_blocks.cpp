#include "fokker/nn/unet/unet_blocks.h"

#include <cmath>

#include "fokker/nn/product_precision.h"

namespace fokker {
namespace {

/// Divides a temporary, where there is anything to divide by.
Tensor scaled(Tensor x, double divisor) {
  return divisor == 1 ? x : x.div_(divisor);
}

}  // namespace

Tensor TimeEmbedding::operator()(const Tensor& time, const Tensor& label) const {
  Tensor embedding = linear2(apply_silu(linear1(sinusoidal_embedding(time, features, sinusoidal))));
  if (classes.defined()) embedding = embedding + classes(label);
  if (condition.defined()) embedding = embedding + condition(label);
  return apply_silu(embedding);
}

ResnetBlock::ResnetBlock(LayerBuilder& builder, const std::string& name, int64_t inputs, int64_t outputs,
                         const BlockOptions& options)
    : norm1(builder.group_norm(name + ".norm1", inputs, options.groups, options.eps)),
      norm2(builder.group_norm(name + ".norm2", outputs, options.groups, options.eps)),
      conv1(builder.convolution(name + ".conv1", inputs, outputs, 3)),
      conv2(builder.convolution(name + ".conv2", outputs, outputs, 3, options.zero_output)),
      time(builder.linear(name + ".time_emb_proj", options.time_size, outputs)),
      output_scale(options.output_scale) {
  if (inputs != outputs) shortcut = builder.convolution(name + ".conv_shortcut", inputs, outputs, 1);
}

Tensor ResnetBlock::operator()(const Tensor& x, const Tensor& activated_time) const {
  const Tensor h = normalised_convolution(norm1, conv1, x, time(activated_time));
  return scaled(normalised_convolution(norm2, conv2, h, {}, shortcut ? (*shortcut)(x) : x), output_scale);
}

AttentionBlock::AttentionBlock(LayerBuilder& builder, const std::string& name, int64_t channels,
                               const BlockOptions& options)
    : norm(builder.group_norm(name + ".group_norm", channels, options.groups, options.eps)),
      query(builder.linear(name + ".to_q", channels, channels)),
      key(builder.linear(name + ".to_k", channels, channels)),
      value(builder.linear(name + ".to_v", channels, channels)),
      out(builder.linear(name + ".to_out.0", channels, channels, options.zero_output)),
      heads(options.head_size ? channels / options.head_size : 1),
      output_scale(options.output_scale) {}

Tensor AttentionBlock::operator()(const Tensor& x) const {
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3), size = channels / heads;
  const Tensor h = norm(x, kernel::NormActivation::none).flatten(2).transpose(1, 2);  // (n, pixels, channels)
  const auto split = [&](const Tensor& y) { return y.view({n, pixels, heads, size}).transpose(1, 2); };
  const Tensor scaled_query = split(query(h)) * (1 / std::sqrt(static_cast<double>(size)));
  const Tensor weights = product(scaled_query, split(key(h)).transpose(2, 3)).softmax(-1);
  const Tensor mixed = product(weights, split(value(h))).transpose(1, 2).reshape({n, pixels, channels});
  return scaled(out(mixed).transpose(1, 2).view(x.sizes()) + x, output_scale);
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
