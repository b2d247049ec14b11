#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/nn/unet/unet.h"

namespace fokker {
namespace {

using TimeKind = UNetOptions::TimeKind;
using LabelKind = UNetOptions::LabelKind;

/// Names of the blocks of one way, and of what they mean.
struct BlockNames {
  const char *plain, *attentive, *residual;
};
constexpr BlockNames down_names = {"DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D"};
constexpr BlockNames up_names = {"UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"};

bool flag_at(const std::vector<bool>& flags, size_t i) {
  return i < flags.size() && flags[i];
}

/// Finest level first.
std::vector<std::string> block_types(const BlockNames& names, const std::vector<bool>& attention,
                                     const std::vector<bool>& residual) {
  std::vector<std::string> types;
  types.reserve(attention.size());
  for (size_t i = 0; i < attention.size(); ++i)
    types.emplace_back(attention[i] ? names.attentive : flag_at(residual, i) ? names.residual : names.plain);
  return types;
}

/// "resnet" where blocks with attention have residual blocks between levels.
const char* resampling_type(const std::vector<bool>& attention, const std::vector<bool>& residual) {
  for (size_t i = 0; i < attention.size(); ++i)
    if (attention[i] && flag_at(residual, i)) return "resnet";
  return "conv";
}

/// Reads the blocks of one way, in the order of the configuration.
void read_blocks(const Json& config, const char* key, const char* type_key, std::vector<std::string> types,
                 const BlockNames& names, std::vector<bool>& attention, std::vector<bool>& residual) {
  const detail::JsonReader reader(config, "network configuration");
  reader.read(key, types);
  std::string resampling = "conv";
  reader.read(type_key, resampling);
  check_input(resampling == "conv" || resampling == "resnet",
              "network configuration: expected \"{}\" to be conv or resnet but received \"{}\"", type_key,
              resampling);
  attention.clear();
  residual.clear();
  for (const auto& type : types) {
    check_input(type == names.plain || type == names.attentive || type == names.residual,
                "network configuration: expected \"{}\" to hold {}, {} or {} but received \"{}\"", key,
                names.plain, names.attentive, names.residual, type);
    attention.push_back(type == names.attentive);
    residual.push_back(type == names.residual || (type == names.attentive && resampling == "resnet"));
  }
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

void read_time(const detail::JsonReader& reader, UNetOptions& o) {
  std::string type = "positional";
  reader.read("time_embedding_type", type);
  reader.require("time_embedding_type", {"positional", "fourier", "learned"});
  o.time_kind = type == "fourier"   ? TimeKind::fourier
                : type == "learned" ? TimeKind::learned
                                    : TimeKind::positional;
  reader.read("num_train_timesteps", o.num_train_timesteps);
  reader.read("flip_sin_to_cos", o.flip_sin_to_cos);
  reader.read("freq_shift", o.freq_shift);
  reader.read("time_embedding_dim", o.time_embedding_dim);
  std::string shift = "default";
  reader.read("resnet_time_scale_shift", shift);
  reader.require("resnet_time_scale_shift", {"default", "scale_shift"});
  o.time_scale_shift = shift == "scale_shift";
}

void read_label(const detail::JsonReader& reader, UNetOptions& o) {
  std::string type;
  reader.read("class_embed_type", type);
  reader.require("class_embed_type", {"identity", "timestep"});
  reader.read("condition_size", o.condition_size);
  reader.read("unconditional_class", o.unconditional_class);
  if (type.empty()) reader.read("num_class_embeds", o.num_class_embeds);
  check_input(
      o.condition_size == 0 || type == "identity",
      "network configuration: expected \"class_embed_type\" to be \"identity\" beside a condition_size but "
      "received {}",
      type.empty() ? "null" : type);
  if (type == "timestep") o.label_kind = LabelKind::number;
  if (type == "identity" && o.condition_size == 0) o.label_kind = LabelKind::vector;
}

void read_residual(const detail::JsonReader& reader, UNetOptions& o) {
  reader.require("mid_block_type", {"UNetMidBlock2D"});
  const auto middle = reader.json().find("mid_block_type");
  o.mid_block = middle == reader.json().end() || !middle->is_null();
  reader.read("add_attention", o.mid_attention);
  reader.read("attn_norm_num_groups", o.attn_norm_num_groups);
  reader.read("act_fn", o.activation);
  reader.require("act_fn", {"silu", "swish", "mish", "gelu", "relu"});
  if (o.activation == "swish") o.activation = "silu";
  reader.read("dropout", o.dropout);
  if (o.dropout != 0)
    warn(fmt::format("UNet: the configuration's dropout {} is not applied in training", o.dropout));
}

void read_flags(const Json& config, UNetOptions& o) {
  const detail::JsonReader reader(config, "network configuration");
  reader.read("block_out_channels", o.block_out_channels);
  read_blocks(config, "down_block_types", "downsample_type", block_types(down_names, o.down_attention, {}),
              down_names, o.down_attention, o.down_residual);
  read_blocks(config, "up_block_types", "upsample_type",
              {"AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"}, up_names, o.up_attention,
              o.up_residual);
  const size_t levels = o.block_out_channels.size(), up = o.up_attention.size();
  check_input(levels > 0 && o.down_attention.size() == levels && up == levels,
              "network configuration: expected as many down_block_types and up_block_types as "
              "block_out_channels, {}, "
              "but received {} and {}",
              levels, o.down_attention.size(), up);
  std::reverse(o.up_attention.begin(), o.up_attention.end());
  std::reverse(o.up_residual.begin(), o.up_residual.end());
}

}  // namespace

UNetOptions UNetOptions::from_config(const Json& config) {
  UNetOptions o;
  read_sample_size(config, o);
  read_flags(config, o);
  const detail::JsonReader reader(config, "network configuration");
  reader.read("in_channels", o.in_channels);
  reader.read("out_channels", o.out_channels);
  reader.read("layers_per_block", o.layers_per_block);
  reader.read("norm_num_groups", o.norm_num_groups);
  reader.read("norm_eps", o.norm_eps);
  reader.read("attention_head_dim", o.attention_head_dim);
  // Absent means 8; null means a single head over all channels.
  if (const auto head = config.find("attention_head_dim"); head != config.end() && head->is_null())
    o.attention_head_dim = 0;
  reader.read("center_input_sample", o.center_input_sample);
  reader.read("mid_block_scale_factor", o.mid_block_scale_factor);
  reader.read("downsample_padding", o.downsample_padding);
  read_time(reader, o);
  read_label(reader, o);
  read_residual(reader, o);
  return o;
}

int64_t UNetOptions::condition_numbers() const {
  if (label_kind == LabelKind::number) return 1;
  return label_kind == LabelKind::vector ? time_size() : condition_size;
}

bool UNetOptions::has_fused_form() const {
  const auto none = [](const std::vector<bool>& flags) {
    return std::find(flags.begin(), flags.end(), true) == flags.end();
  };
  return time_kind == TimeKind::positional && label_kind == LabelKind::classes && !time_scale_shift &&
         activation == "silu" && mid_block && none(down_residual) && none(up_residual) &&
         (attn_norm_num_groups == 0 || attn_norm_num_groups == norm_num_groups);
}

namespace {

Json or_null(int64_t value) {
  return value ? Json(value) : Json(nullptr);
}

/// What the time and a label become.
void write_embedding(const UNetOptions& o, Json& config) {
  config["resnet_time_scale_shift"] = o.time_scale_shift ? "scale_shift" : "default";
  config["num_train_timesteps"] = or_null(o.num_train_timesteps);
  config["num_class_embeds"] = or_null(o.num_class_embeds);
  config["class_embed_type"] = o.label_kind == LabelKind::number                           ? Json("timestep")
                               : o.label_kind == LabelKind::vector || o.condition_size > 0 ? Json("identity")
                                                                                           : Json(nullptr);
  if (o.condition_size > 0) config["condition_size"] = o.condition_size;
  if (o.num_class_embeds > 0) config["unconditional_class"] = o.unconditional_class;
}

}  // namespace

Json UNet::config() const {
  const UNetOptions& o = options_;
  std::vector<std::string> up = block_types(up_names, o.up_attention, o.up_residual);
  std::reverse(up.begin(), up.end());
  Json config = {{"_class_name", "UNet2DModel"}};
  config["sample_size"] = o.sample_height == o.sample_width ? Json(o.sample_height)
                                                            : Json::array({o.sample_height, o.sample_width});
  config["in_channels"] = o.in_channels;
  config["out_channels"] = o.out_channels;
  config["center_input_sample"] = o.center_input_sample;
  config["time_embedding_type"] = o.time_kind == TimeKind::fourier   ? "fourier"
                                  : o.time_kind == TimeKind::learned ? "learned"
                                                                     : "positional";
  config["time_embedding_dim"] = or_null(o.time_embedding_dim);
  config["freq_shift"] = o.freq_shift;
  config["flip_sin_to_cos"] = o.flip_sin_to_cos;
  config["down_block_types"] = block_types(down_names, o.down_attention, o.down_residual);
  config["mid_block_type"] = o.mid_block ? Json("UNetMidBlock2D") : Json(nullptr);
  config["up_block_types"] = up;
  config["block_out_channels"] = o.block_out_channels;
  config["layers_per_block"] = o.layers_per_block;
  config["mid_block_scale_factor"] = o.mid_block_scale_factor;
  config["downsample_padding"] = o.downsample_padding;
  config["downsample_type"] = resampling_type(o.down_attention, o.down_residual);
  config["upsample_type"] = resampling_type(o.up_attention, o.up_residual);
  config["dropout"] = o.dropout;
  config["act_fn"] = o.activation;
  config["attention_head_dim"] = or_null(o.attention_head_dim);
  config["norm_num_groups"] = o.norm_num_groups;
  config["attn_norm_num_groups"] = or_null(o.attn_norm_num_groups);
  config["norm_eps"] = o.norm_eps;
  config["add_attention"] = o.mid_attention;
  write_embedding(o, config);
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
