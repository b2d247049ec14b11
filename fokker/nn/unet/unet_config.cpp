#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/nn/unet/unet.h"

namespace fokker {
namespace {

std::vector<std::string> block_types(const std::vector<bool>& attention, const char* plain,
                                     const char* attentive) {
  std::vector<std::string> names;
  names.reserve(attention.size());
  for (const bool has : attention) names.emplace_back(has ? attentive : plain);
  return names;
}

std::vector<bool> attention_flags(const Json& config, const char* key, std::vector<std::string> names,
                                  std::string_view plain, std::string_view attentive) {
  detail::JsonReader(config, "network configuration").read(key, names);
  std::vector<bool> flags;
  for (const auto& name : names) {
    check_input(name == plain || name == attentive,
                "network configuration: expected \"{}\" to hold {} or {} but received \"{}\"", key, plain,
                attentive, name);
    flags.push_back(name == attentive);
  }
  return flags;
}

void read_sample_size(const Json& config, UNetOptions& o) {
  const auto size = config.find("sample_size");
  const bool square = size != config.end() && size->is_number_integer();
  const bool pair = size != config.end() && size->is_array() && size->size() == 2 &&
                    size->at(0).is_number_integer() && size->at(1).is_number_integer();
  check_input(
      square || pair,
      "network configuration: expected \"sample_size\" to be an integer or [height, width] but received {}",
      size == config.end() ? "none" : size->dump());
  o.sample_height = square ? size->get<int64_t>() : size->at(0).get<int64_t>();
  o.sample_width = square ? o.sample_height : size->at(1).get<int64_t>();
}

void refuse_unsupported(const Json& config, const UNetOptions& o) {
  const detail::JsonReader reader(config, "network configuration");
  reader.require("time_embedding_type", {"positional"});
  reader.require("mid_block_type", {"UNetMidBlock2D"});
  reader.require("downsample_type", {"conv"});
  reader.require("upsample_type", {"conv"});
  reader.require("act_fn", {"silu", "swish"});
  reader.require("resnet_time_scale_shift", {"default"});
  if (o.condition_size > 0)
    reader.require("class_embed_type", {"identity"});
  else
    reader.require("class_embed_type", {});
  reader.require("attn_norm_num_groups", {o.norm_num_groups});
  double dropout = 0;
  reader.read("dropout", dropout);
  if (dropout != 0)
    warn(fmt::format("UNet: the configuration's dropout {} is not applied in training", dropout));
}

void read_flags(const Json& config, UNetOptions& o) {
  const detail::JsonReader reader(config, "network configuration");
  reader.read("block_out_channels", o.block_out_channels);
  o.down_attention = attention_flags(config, "down_block_types",
                                     block_types(o.down_attention, "DownBlock2D", "AttnDownBlock2D"),
                                     "DownBlock2D", "AttnDownBlock2D");
  const auto up = attention_flags(config, "up_block_types",
                                  {"AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"},
                                  "UpBlock2D", "AttnUpBlock2D");
  o.up_attention.assign(up.rbegin(), up.rend());
  const size_t levels = o.block_out_channels.size();
  check_input(levels > 0 && o.down_attention.size() == levels && up.size() == levels,
              "network configuration: expected as many down_block_types and up_block_types as "
              "block_out_channels, {}, "
              "but received {} and {}",
              levels, o.down_attention.size(), up.size());
}

}  // namespace

UNetOptions UNetOptions::from_config(const Json& config) {
  UNetOptions o;
  read_sample_size(config, o);
  read_flags(config, o);
  const detail::JsonReader reader(config, "network configuration");
  reader.read("in_channels", o.in_channels);
  reader.read("out_channels", o.out_channels);
  reader.read("add_attention", o.mid_attention);
  reader.read("layers_per_block", o.layers_per_block);
  reader.read("norm_num_groups", o.norm_num_groups);
  reader.read("norm_eps", o.norm_eps);
  reader.read("attention_head_dim", o.attention_head_dim);
  // Absent means 8; null means a single head over all channels.
  if (const auto head = config.find("attention_head_dim"); head != config.end() && head->is_null())
    o.attention_head_dim = 0;
  reader.read("num_class_embeds", o.num_class_embeds);
  reader.read("condition_size", o.condition_size);
  reader.read("center_input_sample", o.center_input_sample);
  reader.read("flip_sin_to_cos", o.flip_sin_to_cos);
  reader.read("freq_shift", o.freq_shift);
  reader.read("time_embedding_dim", o.time_embedding_dim);
  reader.read("mid_block_scale_factor", o.mid_block_scale_factor);
  reader.read("downsample_padding", o.downsample_padding);
  refuse_unsupported(config, o);
  return o;
}

Json UNet::config() const {
  const UNetOptions& o = options_;
  const auto or_null = [](int64_t value) { return value ? Json(value) : Json(nullptr); };
  const std::vector<bool> up(o.up_attention.rbegin(), o.up_attention.rend());
  Json config = {{"_class_name", "UNet2DModel"}};
  config["sample_size"] = o.sample_height == o.sample_width ? Json(o.sample_height)
                                                            : Json::array({o.sample_height, o.sample_width});
  config["in_channels"] = o.in_channels;
  config["out_channels"] = o.out_channels;
  config["center_input_sample"] = o.center_input_sample;
  config["time_embedding_type"] = "positional";
  config["time_embedding_dim"] = or_null(o.time_embedding_dim);
  config["freq_shift"] = o.freq_shift;
  config["flip_sin_to_cos"] = o.flip_sin_to_cos;
  config["down_block_types"] = block_types(o.down_attention, "DownBlock2D", "AttnDownBlock2D");
  config["up_block_types"] = block_types(up, "UpBlock2D", "AttnUpBlock2D");
  config["block_out_channels"] = o.block_out_channels;
  config["layers_per_block"] = o.layers_per_block;
  config["mid_block_scale_factor"] = o.mid_block_scale_factor;
  config["downsample_padding"] = o.downsample_padding;
  config["act_fn"] = "silu";
  config["attention_head_dim"] = or_null(o.attention_head_dim);
  config["norm_num_groups"] = o.norm_num_groups;
  config["norm_eps"] = o.norm_eps;
  config["add_attention"] = o.mid_attention;
  config["num_class_embeds"] = or_null(o.num_class_embeds);
  config["class_embed_type"] = o.condition_size > 0 ? Json("identity") : Json(nullptr);
  if (o.condition_size > 0) config["condition_size"] = o.condition_size;
  return config;
}

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
  o.norm_num_groups = 8;
  o.num_class_embeds = classes ? classes + 1 : 0;
  o.condition_size = condition_size;
  return o;
}

}  // namespace fokker
