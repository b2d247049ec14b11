#include "fokker/core/messages.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/nn/unet/unet_condition.h"

namespace fokker {
namespace {

using TimeKind = UNetOptions::TimeKind;
using LabelKind = UNetOptions::LabelKind;

/// Names of the blocks of one way, and of what they mean.
struct BlockNames {
  const char *plain, *attentive, *residual, *crossed;
};
constexpr BlockNames down_names = {"DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D",
                                   "CrossAttnDownBlock2D"};
constexpr BlockNames up_names = {"UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D", "CrossAttnUpBlock2D"};

/// What the levels of one way have.
struct Way {
  std::vector<bool> attention, residual, transformers;
};

bool flag_at(const std::vector<bool>& flags, size_t i) {
  return i < flags.size() && flags[i];
}

/// Finest level first.
std::vector<std::string> block_types(const BlockNames& names, const Way& way) {
  std::vector<std::string> types;
  types.reserve(way.attention.size());
  for (size_t i = 0; i < way.attention.size(); ++i)
    types.emplace_back(way.attention[i]               ? names.attentive
                       : flag_at(way.transformers, i) ? names.crossed
                       : flag_at(way.residual, i)     ? names.residual
                                                      : names.plain);
  return types;
}

/// "resnet" where blocks with attention have residual blocks between levels.
const char* resampling_type(const std::vector<bool>& attention, const std::vector<bool>& residual) {
  for (size_t i = 0; i < attention.size(); ++i)
    if (attention[i] && flag_at(residual, i)) return "resnet";
  return "conv";
}

/// Reads the blocks of one way, in the order of the configuration.
Way read_way(const detail::JsonReader& reader, const char* key, const char* type_key,
             std::vector<std::string> types, const BlockNames& names, bool of_conditions) {
  reader.read(key, types);
  std::string resampling = "conv";
  if (!of_conditions) reader.read(type_key, resampling);
  check_input(resampling == "conv" || resampling == "resnet",
              "{}: expected \"{}\" to be conv or resnet but received \"{}\"", reader.place(), type_key,
              resampling);
  Way way;
  for (const auto& type : types) {
    const bool crossed = of_conditions && type == names.crossed;
    check_input(type == names.plain || type == names.attentive || type == names.residual || crossed,
                "{}: expected \"{}\" to hold {}, {}{} or {} but received \"{}\"", reader.place(), key,
                names.plain, names.attentive,
                of_conditions ? fmt::format(", {}", names.crossed) : std::string(), names.residual, type);
    way.attention.push_back(type == names.attentive);
    way.residual.push_back(type == names.residual || (type == names.attentive && resampling == "resnet"));
    way.transformers.push_back(crossed);
  }
  return way;
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

/// Which row of the class embedding stands for no class: false for none, true for the last, or its number.
void read_unconditional(const detail::JsonReader& reader, UNetOptions& o) {
  const auto found = reader.json().find("unconditional_class");
  if (found == reader.json().end() || !found->is_number()) {
    reader.read("unconditional_class", o.unconditional_class);
    return;
  }
  o.unconditional_row = reader.get<int64_t>("unconditional_class");
  check_input(o.unconditional_row >= 0,
              "{}: expected \"unconditional_class\" to be true, false or a row but received {}",
              reader.place(), o.unconditional_row);
}

void read_label(const detail::JsonReader& reader, UNetOptions& o) {
  std::string type;
  reader.read("class_embed_type", type);
  if (o.of_conditions)
    reader.require("class_embed_type", {"identity", "timestep", "projection", "simple_projection"});
  else
    reader.require("class_embed_type", {"identity", "timestep"});
  reader.read("condition_size", o.condition_size);
  read_unconditional(reader, o);
  if (type.empty()) reader.read("num_class_embeds", o.num_class_embeds);
  check_input(
      o.condition_size == 0 || type == "identity",
      "network configuration: expected \"class_embed_type\" to be \"identity\" beside a condition_size but "
      "received {}",
      type.empty() ? "null" : type);
  if (type == "timestep") o.label_kind = LabelKind::number;
  if (type == "projection") o.label_kind = LabelKind::projection;
  if (type == "simple_projection") o.label_kind = LabelKind::linear;
  if (type == "identity" && o.condition_size == 0) o.label_kind = LabelKind::vector;
}

void read_residual(const detail::JsonReader& reader, UNetOptions& o) {
  if (!o.of_conditions) {
    reader.require("mid_block_type", {"UNetMidBlock2D"});
    const auto middle = reader.json().find("mid_block_type");
    o.mid_block = middle == reader.json().end() || !middle->is_null();
    reader.read("add_attention", o.mid_attention);
    reader.read("attn_norm_num_groups", o.attn_norm_num_groups);
  }
  reader.read("act_fn", o.activation);
  reader.require("act_fn", {"silu", "swish", "mish", "gelu", "relu"});
  if (o.activation == "swish") o.activation = "silu";
  reader.read("dropout", o.dropout);
  if (o.dropout != 0)
    warn(fmt::format("UNet: the configuration's dropout {} is not applied in training", o.dropout));
}

void read_flags(const detail::JsonReader& reader, UNetOptions& o) {
  reader.read("block_out_channels", o.block_out_channels);
  const bool crossed = o.of_conditions;
  const char *first = crossed ? down_names.crossed : down_names.attentive,
             *last = crossed ? up_names.crossed : up_names.attentive;
  Way down = read_way(reader, "down_block_types", "downsample_type",
                      crossed ? std::vector<std::string>{first, first, first, down_names.plain}
                              : std::vector<std::string>{down_names.plain, first, first, first},
                      down_names, crossed);
  Way up = read_way(reader, "up_block_types", "upsample_type",
                    crossed ? std::vector<std::string>{up_names.plain, last, last, last}
                            : std::vector<std::string>{last, last, last, up_names.plain},
                    up_names, crossed);
  const size_t levels = o.block_out_channels.size();
  check_input(levels > 0 && down.attention.size() == levels && up.attention.size() == levels,
              "{}: expected as many down_block_types and up_block_types as block_out_channels, {}, but "
              "received {} and {}",
              reader.place(), levels, down.attention.size(), up.attention.size());
  for (auto* flags : {&up.attention, &up.residual, &up.transformers})
    std::reverse(flags->begin(), flags->end());
  o.down_attention = std::move(down.attention);
  o.down_residual = std::move(down.residual);
  o.up_attention = std::move(up.attention);
  o.up_residual = std::move(up.residual);
  if (!crossed) return;
  o.transformers.down = std::move(down.transformers);
  o.transformers.up = std::move(up.transformers);
}

}  // namespace

UNetOptions UNetOptions::from_config(const Json& config) {
  const detail::JsonReader reader(config, "network configuration");
  UNetOptions o;
  if (config.value("_class_name", Json()) == Json("UNet2DConditionModel")) o = condition_model_defaults();
  read_sample_size(config, o);
  read_flags(reader, o);
  reader.read("in_channels", o.in_channels);
  reader.read("out_channels", o.out_channels);
  reader.read("layers_per_block", o.layers_per_block);
  reader.read("norm_num_groups", o.norm_num_groups);
  reader.read("norm_eps", o.norm_eps);
  if (!o.of_conditions) reader.read("attention_head_dim", o.attention_head_dim);
  // Absent means 8; null means a single head over all channels.
  if (const auto head = config.find("attention_head_dim"); head != config.end() && head->is_null())
    o.attention_head_dim = 0;
  reader.read("center_input_sample", o.center_input_sample);
  reader.read("mid_block_scale_factor", o.mid_block_scale_factor);
  reader.read("downsample_padding", o.downsample_padding);
  read_time(reader, o);
  read_label(reader, o);
  read_residual(reader, o);
  if (o.of_conditions) read_condition_model(reader, o);
  return o;
}

int64_t UNetOptions::label_numbers() const {
  if (label_kind == LabelKind::number) return 1;
  return label_kind == LabelKind::vector ? time_size() : label_size;
}

bool UNetOptions::has_fused_form() const {
  const auto none = [](const std::vector<bool>& flags) {
    return std::find(flags.begin(), flags.end(), true) == flags.end();
  };
  return !of_conditions && time_kind == TimeKind::positional && label_kind == LabelKind::classes &&
         !time_scale_shift && activation == "silu" && mid_block && none(down_residual) && none(up_residual) &&
         (attn_norm_num_groups == 0 || attn_norm_num_groups == norm_num_groups);
}

namespace {

Json or_null(int64_t value) {
  return value ? Json(value) : Json(nullptr);
}

/// What the time and a label become.
void write_embedding(const UNetOptions& o, Json& config) {
  config["resnet_time_scale_shift"] = o.time_scale_shift ? "scale_shift" : "default";
  config["num_class_embeds"] = or_null(o.num_class_embeds);
  config["class_embed_type"] = o.label_kind == LabelKind::number                           ? Json("timestep")
                               : o.label_kind == LabelKind::vector || o.condition_size > 0 ? Json("identity")
                                                                                           : Json(nullptr);
  if (o.condition_size > 0) config["condition_size"] = o.condition_size;
  if (o.num_class_embeds > 0)
    config["unconditional_class"] =
        o.unconditional_row < 0 ? Json(o.unconditional_class) : Json(o.unconditional_row);
}

/// Of UNet2DModel's own keys.
void write_attention(const UNetOptions& o, Json& config) {
  config["downsample_type"] = resampling_type(o.down_attention, o.down_residual);
  config["upsample_type"] = resampling_type(o.up_attention, o.up_residual);
  config["attention_head_dim"] = or_null(o.attention_head_dim);
  config["attn_norm_num_groups"] = or_null(o.attn_norm_num_groups);
  config["add_attention"] = o.mid_attention;
  config["num_train_timesteps"] = or_null(o.num_train_timesteps);
}

}  // namespace

Json UNet::config() const {
  const UNetOptions& o = options_;
  std::vector<std::string> up = block_types(up_names, {o.up_attention, o.up_residual, o.transformers.up});
  std::reverse(up.begin(), up.end());
  Json config = {{"_class_name", o.of_conditions ? "UNet2DConditionModel" : "UNet2DModel"}};
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
  config["down_block_types"] =
      block_types(down_names, {o.down_attention, o.down_residual, o.transformers.down});
  config["mid_block_type"] = o.mid_block ? Json("UNetMidBlock2D") : Json(nullptr);
  config["up_block_types"] = up;
  config["block_out_channels"] = o.block_out_channels;
  config["layers_per_block"] = o.layers_per_block;
  config["mid_block_scale_factor"] = o.mid_block_scale_factor;
  config["downsample_padding"] = o.downsample_padding;
  config["dropout"] = o.dropout;
  config["act_fn"] = o.activation;
  config["norm_num_groups"] = o.norm_num_groups;
  config["norm_eps"] = o.norm_eps;
  if (!o.of_conditions) write_attention(o, config);
  write_embedding(o, config);
  if (o.of_conditions) write_condition_model(o, config);
  return config;
}

}  // namespace fokker
