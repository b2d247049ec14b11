#include "fokker/nn/unet/unet.h"

#include "fokker/core/check.h"
#include "fokker/nn/unet/unet_frozen.h"

namespace fokker {
namespace {

void check_channels(const UNetOptions& o) {
  const auto levels = o.block_out_channels.size();
  check(levels <= 10, "UNet: expected at most 10 blocks but received {}", levels);
  check(levels > 0 && o.down_attention.size() == levels && o.up_attention.size() == levels,
        "UNet: expected one attention flag for each of the {} blocks but received {} down and {} up", levels,
        o.down_attention.size(), o.up_attention.size());
  for (size_t i = 0; i < levels; ++i) {
    const int64_t channels = o.block_out_channels[i];
    check(channels > 1 && channels <= 65536,
          "UNet: expected block_out_channels from 2 to 65536 but received {}", channels);
    check(channels % o.norm_num_groups == 0,
          "UNet: expected block_out_channels to be multiples of norm_num_groups {} but received {}",
          o.norm_num_groups, channels);
    const bool attention = o.down_attention[i] || o.up_attention[i] || (i + 1 == levels && o.mid_attention);
    check(!attention || o.attention_head_dim == 0 || channels % o.attention_head_dim == 0,
          "UNet: expected channels with attention to be multiples of attention_head_dim {} but received {}",
          o.attention_head_dim, channels);
  }
}

void check_options(const UNetOptions& o) {
  check(o.sample_height > 0 && o.sample_width > 0,
        "UNet: expected a sample height and width > 0 but received {} x {}", o.sample_height, o.sample_width);
  check(std::min(o.in_channels, o.out_channels) > 0 && std::max(o.in_channels, o.out_channels) <= 65536,
        "UNet: expected channels from 1 to 65536 but received {} in and {} out", o.in_channels,
        o.out_channels);
  check(o.layers_per_block > 0 && o.layers_per_block <= 64,
        "UNet: expected layers_per_block from 1 to 64 but received {}", o.layers_per_block);
  check(o.norm_num_groups > 0, "UNet: expected norm_num_groups > 0 but received {}", o.norm_num_groups);
  check(o.attention_head_dim >= 0, "UNet: expected attention_head_dim >= 0 but received {}",
        o.attention_head_dim);
  check(o.num_class_embeds >= 0, "UNet: expected num_class_embeds >= 0 but received {}", o.num_class_embeds);
  check(o.downsample_padding == 0 || o.downsample_padding == 1,
        "UNet: expected downsample_padding 0 or 1 but received {}", o.downsample_padding);
  check(o.mid_block_scale_factor > 0, "UNet: expected mid_block_scale_factor > 0 but received {}",
        o.mid_block_scale_factor);
  check_channels(o);
}

int64_t time_size(const UNetOptions& o) {
  return o.time_embedding_dim ? o.time_embedding_dim : 4 * o.block_out_channels.front();
}

}  // namespace

UNet::UNet(const UNetOptions& options, uint64_t seed) : options_(options) {
  if (options_.up_attention.empty()) options_.up_attention = options_.down_attention;
  check_options(options_);
  LayerBuilder builder(seed);
  const int64_t first = options_.block_out_channels.front(), embedding = time_size(options_);
  const BlockOptions block = {
      embedding, options_.norm_num_groups, options_.norm_eps, options_.attention_head_dim,
      1,         options_.zero_output};
  conv_in_ = builder.convolution("conv_in", options_.in_channels, first, 3);
  time_.sinusoidal = {options_.flip_sin_to_cos, static_cast<double>(options_.freq_shift), 10000};
  time_.features = first;
  time_.linear1 = builder.linear("time_embedding.linear_1", first, embedding);
  time_.linear2 = builder.linear("time_embedding.linear_2", embedding, embedding);
  if (options_.num_class_embeds > 0)
    time_.classes = builder.class_embedding("class_embedding", options_.num_class_embeds, embedding);
  build_down(builder, block);
  build_middle(builder, block);
  build_up(builder, block);
  norm_out_ = builder.group_norm("conv_norm_out", first, options_.norm_num_groups, options_.norm_eps);
  conv_out_ = builder.convolution("conv_out", first, options_.out_channels, 3, options_.zero_output);
  for (auto& p : builder.take()) add_parameter(std::move(p.name), std::move(p.tensor));
}

void UNet::build_down(LayerBuilder& builder, const BlockOptions& block) {
  const auto& channels = options_.block_out_channels;
  for (size_t i = 0; i < channels.size(); ++i) {
    const std::string name = fmt::format("down_blocks.{}.", i);
    Level level;
    for (int64_t j = 0; j < options_.layers_per_block; ++j) {
      const int64_t inputs = j > 0 ? channels[i] : channels[i > 0 ? i - 1 : 0];
      level.resnets.emplace_back(builder, fmt::format("{}resnets.{}", name, j), inputs, channels[i], block);
      if (options_.down_attention[i])
        level.attentions.emplace_back(builder, fmt::format("{}attentions.{}", name, j), channels[i], block);
    }
    if (i + 1 < channels.size())
      level.down.emplace(builder, name + "downsamplers.0", channels[i], options_.downsample_padding);
    down_.push_back(std::move(level));
  }
}

void UNet::build_middle(LayerBuilder& builder, const BlockOptions& block) {
  BlockOptions scaled = block;
  scaled.output_scale = options_.mid_block_scale_factor;
  const int64_t channels = options_.block_out_channels.back();
  for (int j = 0; j < 2; ++j)
    middle_.emplace_back(builder, fmt::format("mid_block.resnets.{}", j), channels, channels, scaled);
  if (options_.mid_attention) middle_attention_.emplace(builder, "mid_block.attentions.0", channels, scaled);
}

void UNet::build_up(LayerBuilder& builder, const BlockOptions& block) {
  const std::vector<int64_t> channels(options_.block_out_channels.rbegin(),
                                      options_.block_out_channels.rend());
  const size_t levels = channels.size();
  for (size_t i = 0; i < levels; ++i) {
    const std::string name = fmt::format("up_blocks.{}.", i);
    // Each block also takes what the way down left at its place, the last of a level from one level finer.
    const int64_t below = channels[i > 0 ? i - 1 : 0], finer = channels[std::min(i + 1, levels - 1)];
    Level level;
    for (int64_t j = 0; j <= options_.layers_per_block; ++j) {
      const int64_t inputs =
          (j > 0 ? channels[i] : below) + (j < options_.layers_per_block ? channels[i] : finer);
      level.resnets.emplace_back(builder, fmt::format("{}resnets.{}", name, j), inputs, channels[i], block);
      if (options_.up_attention[levels - 1 - i])
        level.attentions.emplace_back(builder, fmt::format("{}attentions.{}", name, j), channels[i], block);
    }
    if (i + 1 < levels) level.up.emplace(builder, name + "upsamplers.0", channels[i]);
    up_.push_back(std::move(level));
  }
}

std::vector<int64_t> UNet::event_shape() const {
  return {options_.in_channels, options_.sample_height, options_.sample_width};
}

Tensor UNet::padded(const Tensor& x) const {
  const int64_t multiple = int64_t{1} << (options_.block_out_channels.size() - 1);
  const int64_t right = -x.size(3) & (multiple - 1), bottom = -x.size(2) & (multiple - 1);
  return right || bottom ? at::constant_pad_nd(x, {0, right, 0, bottom}) : x;
}

Tensor UNet::body(Tensor h, const Tensor& activated_time) const {
  std::vector<Tensor> skips = {h};
  const auto block = [&](const Level& level, size_t j) {
    h = level.resnets[j](h, activated_time);
    if (!level.attentions.empty()) h = level.attentions[j](h);
  };
  for (const Level& level : down_) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      block(level, j);
      skips.push_back(h);
    }
    if (level.down) skips.push_back(h = (*level.down)(h));
  }
  h = middle_[0](h, activated_time);
  if (middle_attention_) h = (*middle_attention_)(h);
  h = middle_[1](h, activated_time);
  for (const Level& level : up_) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      h = at::cat({h, skips.back()}, 1);
      skips.pop_back();
      block(level, j);
    }
    if (level.up) h = (*level.up)(h);
  }
  return h;
}

std::unique_ptr<const Network> UNet::frozen() const {
  const Tensor& weight = conv_in_.weight;
  if (!weight.is_cpu() || weight.scalar_type() != at::kFloat) return nullptr;
  return std::make_unique<FrozenUNet>(*this);
}

Tensor UNet::forward(const Tensor& x, const Tensor& time, const Tensor& label) const {
  check_network_inputs("UNet", x, time, label, event_shape(), time_.classes.defined());
  Tensor input = padded(options_.center_input_sample ? x * 2 - 1 : x);
  // Channels last on a CPU from here on: the convolutions prefer it, and the normalisations have a kernel for
  // it.
  Tensor h = conv_in_(input);
  if (h.is_cpu()) h = h.contiguous(at::MemoryFormat::ChannelsLast);
  h = body(h, time_(time, label));
  const Tensor y = normalised_convolution(norm_out_, conv_out_, h);
  return y.narrow(2, 0, options_.sample_height).narrow(3, 0, options_.sample_width);
}

}  // namespace fokker
