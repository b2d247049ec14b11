#include "fokker/nn/unet/unet.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/kernel/matrix/bf16_gemm.h"
#include "fokker/nn/product_precision.h"
#include "fokker/nn/unet/unet_blocks.h"
#include "fokker/nn/unet/unet_frozen.h"
#include "fokker/nn/unet/unet_fused.h"

namespace fokker {
namespace {

void check_channels(const UNetOptions& o) {
  const auto levels = o.block_out_channels.size();
  check(levels <= 10, "UNet: expected at most 10 blocks but received {}", levels);
  check(levels > 0 && o.down_attention.size() == levels && o.up_attention.size() == levels,
        "UNet: expected one attention flag for each of the {} blocks but received {} down and {} up", levels,
        o.down_attention.size(), o.up_attention.size());
  for (const auto* flags : {&o.down_residual, &o.up_residual})
    check(
        flags->empty() || flags->size() == levels,
        "UNet: expected a flag of a residual block between levels for each of the {} blocks but received {}",
        levels, flags->size());
  for (size_t i = 0; i < levels; ++i) {
    const int64_t channels = o.block_out_channels[i];
    check(channels > 1 && channels <= 65536,
          "UNet: expected block_out_channels from 2 to 65536 but received {}", channels);
    check(channels % o.norm_num_groups == 0,
          "UNet: expected block_out_channels to be multiples of norm_num_groups {} but received {}",
          o.norm_num_groups, channels);
    const bool attention = o.down_attention[i] || o.up_attention[i] || (i + 1 == levels && o.mid_attention);
    check(!attention || i + 1 < levels || !o.mid_attention || o.attn_norm_num_groups == 0 ||
              channels % o.attn_norm_num_groups == 0,
          "UNet: expected the channels of the middle block to be a multiple of attn_norm_num_groups {} but "
          "received {}",
          o.attn_norm_num_groups, channels);
    check(!attention || o.attention_head_dim == 0 || channels % o.attention_head_dim == 0,
          "UNet: expected channels with attention to be multiples of attention_head_dim {} but received {}",
          o.attention_head_dim, channels);
  }
}

/// What the time and a label become.
void check_embedding(const UNetOptions& o) {
  check(o.num_class_embeds >= 0, "UNet: expected num_class_embeds >= 0 but received {}", o.num_class_embeds);
  check(o.condition_size >= 0, "UNet: expected condition_size >= 0 but received {}", o.condition_size);
  const bool labelled = o.label_kind != UNetOptions::LabelKind::classes;
  check(
      (o.condition_size > 0) + (o.num_class_embeds > 0) + (labelled || o.token_numbers() > 0) <= 1,
      "UNet: expected classes or a condition, not both, but received {} class embeddings and a condition of "
      "{} numbers",
      o.num_class_embeds, o.condition_numbers());
  check(o.unconditional_row >= -1 && o.unconditional_row < std::max<int64_t>(1, o.num_class_embeds),
        "UNet: expected the unconditional class to be a row of the {} class embeddings but received {}",
        o.num_class_embeds, o.unconditional_row);
  const bool projected =
      o.label_kind == UNetOptions::LabelKind::projection || o.label_kind == UNetOptions::LabelKind::linear;
  check(projected ? o.label_size > 0 && o.label_size <= 65536 : o.label_size == 0,
        "UNet: expected a label of 1 to 65536 numbers where, and only where, it is projected but received {}",
        o.label_size);
  check(o.time_embedding_dim >= 0 && o.time_embedding_dim <= 1 << 20,
        "UNet: expected time_embedding_dim from 0 to {} but received {}", 1 << 20, o.time_embedding_dim);
  check(o.time_kind != UNetOptions::TimeKind::learned ||
            (o.num_train_timesteps > 0 && o.num_train_timesteps <= 1'000'000),
        "UNet: expected num_train_timesteps from 1 to 1000000 for its table of times but received {}",
        o.num_train_timesteps);
}

/// Where levels do not halve the sides evenly, diffusers' network of conditions stretches what it doubled.
void check_sides(const UNetOptions& o) {
  const int64_t multiple = int64_t{1} << (o.block_out_channels.size() - 1);
  check(!o.of_conditions || (o.sample_height % multiple == 0 && o.sample_width % multiple == 0),
        "UNet: expected sides that are multiples of {} but received {} x {}", multiple, o.sample_height,
        o.sample_width);
}

void check_transformers(const UNetOptions& o) {
  const UNetOptions::Transformers& t = o.transformers;
  if (!t.any()) return;
  const size_t levels = o.block_out_channels.size();
  check(t.token_size > 0 && t.token_size <= 65536,
        "UNet: expected a token of 1 to 65536 numbers but received {}", t.token_size);
  check(
      t.heads.size() == levels && t.layers.size() == levels && t.down.size() == levels &&
          t.up.size() == levels,
      "UNet: expected heads, layers and flags of transformers for each of the {} blocks but received {}, {}, "
      "{} and {}",
      levels, t.heads.size(), t.layers.size(), t.down.size(), t.up.size());
  for (size_t i = 0; i < levels; ++i) {
    if (!t.down[i] && !t.up[i] && (i + 1 < levels || !t.middle)) continue;
    check(t.heads[i] > 0 && o.block_out_channels[i] % t.heads[i] == 0,
          "UNet: expected channels with transformers to be multiples of their heads but received {} and {}",
          o.block_out_channels[i], t.heads[i]);
    check(t.layers[i] > 0 && t.layers[i] <= 64,
          "UNet: expected 1 to 64 layers of a transformer but received {}", t.layers[i]);
    check(!(t.down[i] && o.down_attention[i]) && !(t.up[i] && o.up_attention[i]),
          "UNet: expected attention or a transformer after a residual block, not both");
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
  check(o.downsample_padding == 0 || o.downsample_padding == 1,
        "UNet: expected downsample_padding 0 or 1 but received {}", o.downsample_padding);
  check(o.mid_block_scale_factor > 0, "UNet: expected mid_block_scale_factor > 0 but received {}",
        o.mid_block_scale_factor);
  check(o.attn_norm_num_groups >= 0, "UNet: expected attn_norm_num_groups >= 0 but received {}",
        o.attn_norm_num_groups);
  activated(o.activation, at::zeros({1}));  // refuses
  check_channels(o);
  check_embedding(o);
  check_sides(o);
  check_transformers(o);
}

UNetOptions completed(UNetOptions o) {
  if (o.up_attention.empty()) o.up_attention = o.down_attention;
  for (auto* numbers : {&o.transformers.heads, &o.transformers.layers})
    if (o.of_conditions && numbers->empty()) numbers->assign(o.block_out_channels.size(), 1);
  check_options(o);
  return o;
}

}  // namespace

UNetOptions UNetOptions::for_images(int64_t channels, int64_t height, int64_t width, int64_t base_channels,
                                    int64_t classes, int64_t condition_size) {
  check(base_channels >= 0 && base_channels % 8 == 0,
        "UNetOptions::for_images: expected base_channels to be a multiple of 8 but received {}",
        base_channels);
  check(classes >= 0, "UNetOptions::for_images: expected classes >= 0 but received {}", classes);
  UNetOptions o;
  o.sample_height = height;
  o.sample_width = width;
  o.in_channels = o.out_channels = channels;
  // Measured on 28 x 28 clothes at equal processor time: {16, 32, 64} is ahead of {32, 64, 64} in the first
  // minutes.
  const int64_t base = base_channels ? base_channels : 16;
  o.block_out_channels = {base};
  // Halve until the smaller side is about 8; attention, in the middle block only, then sees few pixels.
  for (int64_t side = std::min(height, width); side >= 14; side = (side + 1) / 2)
    o.block_out_channels.push_back(std::min(2 * o.block_out_channels.back(), 4 * base));
  o.down_attention.assign(o.block_out_channels.size(), false);
  o.up_attention.clear();
  o.layers_per_block = 1;
  // A group of one channel would take away what time and class add to it.
  o.norm_num_groups = base < 16 ? 4 : 8;
  o.num_class_embeds = classes ? classes + 1 : 0;
  o.condition_size = condition_size;
  return o;
}

bool is_unet_class(std::string_view name) {
  return name == "UNet2DModel" || name == "UNet2DConditionModel";
}

UNet::UNet(const UNetOptions& options, uint64_t seed) try : options_(completed(options)) {
  LayerBuilder builder(seed);
  layers_ = std::make_shared<const UNetLayers>(options_, builder);
  for (auto& p : builder.take()) add_parameter(std::move(p.name), std::move(p.tensor));
} catch (...) {
  detail::throw_as_error();
}

std::vector<int64_t> UNet::event_shape() const {
  return {options_.in_channels, options_.sample_height, options_.sample_width};
}

std::unique_ptr<const Forward> UNet::frozen() const {
  const Tensor& weight = layers_->conv_in.weight;
  const bool multiplies = !bf16_products() || kernel::bf16_unit() != kernel::Bf16Unit::none;
  if (!options_.has_fused_form() || !weight.is_cpu() || weight.scalar_type() != at::kFloat || !multiplies)
    return nullptr;
  const Bf16Products products(bf16_products());
  return std::make_unique<FrozenUNet>(*layers_, factor_precision());
}

// In float32 most products fall away (Winograd), four times as many as bfloat16's vectors gain.
bool UNet::is_faster_in_bf16() const {
  const Tensor& weight = layers_->conv_in.weight;
  return options_.has_fused_form() && weight.is_cpu() && weight.scalar_type() == at::kFloat &&
         kernel::bf16_unit() == kernel::Bf16Unit::tiles;
}

std::unique_ptr<Network> UNet::clone() const {
  auto copy = std::make_unique<UNet>(options_);
  copy->copy_parameters(*this);
  return copy;
}

Tensor UNet::forward(const Tensor& x, const Tensor& time, const Tensor& label) const {
  check_network_inputs("UNet", x, time, label, event_shape(), layers_->time.classes.defined(),
                       options_.condition_numbers());
  std::vector<Tensor> tensors;
  for (const auto& p : parameters()) tensors.push_back(p.tensor);
  return options_.has_fused_form() && suits_fused_unet(*layers_, tensors, x, time)
             ? fused_unet(layers_, tensors, x, time, label)
             : (*layers_)(x, time, label);
}

}  // namespace fokker
