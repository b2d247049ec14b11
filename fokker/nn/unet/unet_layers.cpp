#include "fokker/nn/unet/unet_layers.h"

#include "fokker/core/check.h"

namespace fokker {
namespace {

using TimeKind = UNetOptions::TimeKind;
using LabelKind = UNetOptions::LabelKind;
using Resampling = ResnetBlock::Resampling;

BlockOptions block_options(const UNetOptions& o) {
  return {.time_size = o.time_size(),
          .groups = o.norm_num_groups,
          .eps = o.norm_eps,
          .head_size = o.attention_head_dim,
          .output_scale = 1,
          .attention_groups = o.norm_num_groups,
          .scale_shift = o.time_scale_shift,
          .activation = o.activation,
          .zero_output = o.zero_output};
}

bool at_level(const std::vector<bool>& flags, size_t level) {
  return level < flags.size() && flags[level];
}

}  // namespace

UNetLayers::UNetLayers(const UNetOptions& o, LayerBuilder& builder) : options(o) {
  const int64_t first = options.block_out_channels.front();
  const BlockOptions block = block_options(options);
  conv_in = builder.convolution("conv_in", options.in_channels, first, 3);
  build_embedding(builder);
  build_down(builder, block);
  if (options.mid_block) build_middle(builder, block);
  build_up(builder, block);
  norm_out = builder.group_norm("conv_norm_out", first, options.norm_num_groups, options.norm_eps);
  conv_out = builder.convolution("conv_out", first, options.out_channels, 3, options.zero_output);
}

/// What a label is made a vector of the embedding's size by.
void build_label(const UNetOptions& o, LayerBuilder& builder, TimeEmbedding& time) {
  const int64_t size = o.time_size();
  const auto layers = [&](int64_t inputs, const std::string& activation) {
    return TimeLayers{builder.linear("class_embedding.linear_1", inputs, size),
                      builder.linear("class_embedding.linear_2", size, size), activation};
  };
  time.vector = o.label_kind == LabelKind::vector;
  if (o.label_kind == LabelKind::number) time.number = layers(time.features, time.layers.activation);
  if (o.label_kind == LabelKind::projection) time.projection = layers(o.label_size, "silu");
  if (o.label_kind == LabelKind::linear) time.linear = builder.linear("class_embedding", o.label_size, size);
  if (o.num_class_embeds > 0)
    time.classes = builder.class_embedding("class_embedding", o.num_class_embeds, size);
  time.classes.unconditional = o.unconditional_class;
  time.classes.unconditional_row = o.unconditional_row;
  if (o.condition_size > 0)
    time.condition.layer = builder.linear("condition_embedding", o.condition_size + 1, size);
}

void UNetLayers::build_embedding(LayerBuilder& builder) {
  const int64_t first = options.block_out_channels.front(), size = options.time_size();
  time.kind = options.time_kind;
  time.activation = options.activation;
  time.sinusoidal = {options.flip_sin_to_cos, static_cast<double>(options.freq_shift), 10000};
  time.features = options.time_kind == TimeKind::fourier ? 2 * first : first;
  if (options.time_kind == TimeKind::fourier) time.table = builder.normal("time_proj.weight", {first}, 16);
  if (options.time_kind == TimeKind::learned)
    time.table = builder.normal("time_proj.weight", {options.num_train_timesteps, first}, 1);
  time.layers = {builder.linear("time_embedding.linear_1", time.features, size),
                 builder.linear("time_embedding.linear_2", size, size),
                 options.of_conditions ? options.activation : "silu"};
  build_label(options, builder, time);
}

TransformerOptions UNetLayers::transformer_options(size_t level) const {
  const UNetOptions::Transformers& t = options.transformers;
  return {.channels = options.block_out_channels[level],
          .heads = t.heads[level],
          .layers = t.layers[level],
          .token_size = t.token_size,
          .groups = options.norm_num_groups,
          .linear = t.linear_projection};
}

/// After each residual block, whose place is the number of those before.
void UNetLayers::add_attention(LayerBuilder& builder, Level& level, const std::string& name, size_t finest,
                               bool attention, bool transformer, const BlockOptions& block) const {
  const std::string place = fmt::format("{}attentions.{}", name, level.resnets.size() - 1);
  if (attention) level.attentions.emplace_back(builder, place, options.block_out_channels[finest], block);
  if (transformer) level.transformers.emplace_back(builder, place, transformer_options(finest));
}

void UNetLayers::build_down(LayerBuilder& builder, const BlockOptions& block) {
  const auto& channels = options.block_out_channels;
  for (size_t i = 0; i < channels.size(); ++i) {
    const std::string name = fmt::format("down_blocks.{}.", i);
    Level level;
    for (int64_t j = 0; j < options.layers_per_block; ++j) {
      const int64_t inputs = j > 0 ? channels[i] : channels[i > 0 ? i - 1 : 0];
      level.resnets.emplace_back(builder, fmt::format("{}resnets.{}", name, j), inputs, channels[i], block);
      add_attention(builder, level, name, i, options.down_attention[i],
                    at_level(options.transformers.down, i), block);
    }
    if (i + 1 < channels.size() && at_level(options.down_residual, i))
      level.residual.emplace(builder, name + "downsamplers.0", channels[i], channels[i], block,
                             Resampling::down);
    else if (i + 1 < channels.size())
      level.down.emplace(builder, name + "downsamplers.0", channels[i], options.downsample_padding);
    down.push_back(std::move(level));
  }
}

void UNetLayers::build_middle(LayerBuilder& builder, const BlockOptions& block) {
  BlockOptions scaled = block;
  scaled.output_scale = options.mid_block_scale_factor;
  scaled.attention_groups = options.attn_norm_num_groups > 0 ? options.attn_norm_num_groups
                            : options.time_scale_shift       ? 0
                                                             : options.norm_num_groups;
  const int64_t channels = options.block_out_channels.back();
  const int count = options.of_conditions && !options.transformers.middle ? 1 : 2;
  for (int j = 0; j < count; ++j)
    middle.emplace_back(builder, fmt::format("mid_block.resnets.{}", j), channels, channels, scaled);
  if (options.transformers.middle)
    middle_transformer.emplace(builder, "mid_block.attentions.0",
                               transformer_options(options.block_out_channels.size() - 1));
  if (options.mid_attention) middle_attention.emplace(builder, "mid_block.attentions.0", channels, scaled);
}

void UNetLayers::build_up(LayerBuilder& builder, const BlockOptions& block) {
  const std::vector<int64_t> channels(options.block_out_channels.rbegin(), options.block_out_channels.rend());
  const size_t levels = channels.size();
  for (size_t i = 0; i < levels; ++i) {
    const std::string name = fmt::format("up_blocks.{}.", i);
    // Each block also takes what the way down left at its place, the last of a level from one level finer.
    const int64_t below = channels[i > 0 ? i - 1 : 0], finer = channels[std::min(i + 1, levels - 1)];
    Level level;
    for (int64_t j = 0; j <= options.layers_per_block; ++j) {
      const int64_t inputs =
          (j > 0 ? channels[i] : below) + (j < options.layers_per_block ? channels[i] : finer);
      level.resnets.emplace_back(builder, fmt::format("{}resnets.{}", name, j), inputs, channels[i], block);
      add_attention(builder, level, name, levels - 1 - i, options.up_attention[levels - 1 - i],
                    at_level(options.transformers.up, levels - 1 - i), block);
    }
    if (i + 1 < levels && at_level(options.up_residual, levels - 1 - i))
      level.residual.emplace(builder, name + "upsamplers.0", channels[i], channels[i], block, Resampling::up);
    else if (i + 1 < levels)
      level.up.emplace(builder, name + "upsamplers.0", channels[i]);
    up.push_back(std::move(level));
  }
}

std::vector<UNetLayers::Join> UNetLayers::joins() const {
  std::vector<Join> joins = {{0, 0, conv_in.weight.size(0)}};
  for (size_t i = 0; i < down.size(); ++i) {
    for (const ResnetBlock& block : down[i].resnets) joins.push_back({i, 0, block.outputs()});
    if (down[i].down) joins.push_back({i + 1, 0, joins.back().skipped});
  }
  int64_t below = middle.back().outputs();
  auto join = joins.rbegin();
  for (const Level& level : up)
    for (const ResnetBlock& block : level.resnets) {
      (join++)->below = below;
      below = block.outputs();
    }
  return joins;
}

std::vector<const ResnetBlock*> UNetLayers::blocks() const {
  std::vector<const ResnetBlock*> blocks;
  const auto add = [&](const std::vector<ResnetBlock>& more) {
    for (const ResnetBlock& block : more) blocks.push_back(&block);
  };
  for (const Level& level : down) add(level.resnets);
  add(middle);
  for (const Level& level : up) add(level.resnets);
  return blocks;
}

Tensor UNetLayers::starts(const Tensor& activated_time) const {
  std::vector<Tensor> weights, biases, first_biases;
  for (const ResnetBlock* block : blocks()) {
    weights.push_back(block->time.weight);
    biases.push_back(block->time.bias);
    first_biases.push_back(block->conv1.bias);
  }
  return at::linear(activated_time, at::cat(weights), at::cat(biases) + at::cat(first_biases));
}

int64_t UNetLayers::padded_side(int64_t side) const {
  const int64_t multiple = int64_t{1} << (options.block_out_channels.size() - 1);
  return (side + multiple - 1) / multiple * multiple;
}

Tensor UNetLayers::padded(const Tensor& x) const {
  const int64_t right = padded_width() - x.size(3), bottom = padded_height() - x.size(2);
  return right || bottom ? at::constant_pad_nd(x, {0, right, 0, bottom}) : x;
}

Tensor UNetLayers::body(Tensor h, const Tensor& activated_time, const Tensor& token) const {
  std::vector<Tensor> skips = {h};
  const auto block = [&](const Level& level, size_t j) {
    h = level.attended(level.resnets[j](h, activated_time), j, token);
  };
  for (const Level& level : down) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      block(level, j);
      skips.push_back(h);
    }
    if (level.down) skips.push_back(h = (*level.down)(h));
    if (level.residual) skips.push_back(h = (*level.residual)(h, activated_time));
  }
  for (size_t j = 0; j < middle.size(); ++j) {
    h = middle[j](h, activated_time);
    if (j == 0 && middle_attention) h = (*middle_attention)(h);
    if (j == 0 && middle_transformer) h = (*middle_transformer)(h, token);
  }
  for (const Level& level : up) {
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      h = at::cat({h, skips.back()}, 1);
      skips.pop_back();
      block(level, j);
    }
    if (level.up) h = (*level.up)(h);
    if (level.residual) h = (*level.residual)(h, activated_time);
  }
  return h;
}

Tensor UNetLayers::ended(const Tensor& h) const {
  if (!options.of_conditions || options.activation == "silu")
    return normalised_convolution(norm_out, conv_out, h);
  return conv_out(activated(options.activation, norm_out(h, kernel::NormActivation::none)));
}

Tensor UNetLayers::operator()(const Tensor& x, const Tensor& t, const Tensor& label) const {
  const int64_t told = options.label_numbers(), token_size = options.token_numbers();
  check(told + token_size == 0 || (label.defined() && !label.isnan().any().item<bool>()),
        "UNet: expected a condition for each row, as the network knows no rows without, but received none");
  const Tensor token = token_size > 0 ? label.narrow(1, told, token_size) : Tensor();
  const Tensor rest = token_size > 0 ? (told > 0 ? label.narrow(1, 0, told) : Tensor()) : label;
  Tensor input = padded(options.center_input_sample ? x * 2 - 1 : x);
  // Channels last on a CPU from here on: the convolutions prefer it, and the normalisations have a kernel for
  // it.
  Tensor h = conv_in(input);
  if (h.is_cpu()) h = h.contiguous(at::MemoryFormat::ChannelsLast);
  h = body(h, time(t, rest), token);
  const Tensor whole = ended(h);
  const Tensor y = whole.narrow(2, 0, options.sample_height).narrow(3, 0, options.sample_width);
  return options.time_kind == TimeKind::fourier ? y / per_sample(t, y) : y;
}

}  // namespace fokker
