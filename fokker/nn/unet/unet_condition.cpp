#include "fokker/nn/unet/unet_condition.h"

#include <algorithm>

namespace fokker {
namespace {

using detail::JsonReader;
using LabelKind = UNetOptions::LabelKind;

/// What must be as diffusers has it unless told otherwise.
void refuse_more(const JsonReader& reader) {
  for (const char* key :
       {"encoder_hid_dim_type", "encoder_hid_dim", "addition_embed_type", "num_attention_heads",
        "reverse_transformer_layers_per_block", "time_embedding_act_fn", "timestep_post_act",
        "time_cond_proj_dim", "cross_attention_norm"})
    reader.require(key, {});
  for (const char* key : {"dual_cross_attention", "resnet_skip_time_act", "class_embeddings_concat",
                          "mid_block_only_cross_attention"})
    reader.require(key, {false});
  reader.require("resnet_out_scale_factor", {1.0});
  for (const char* key : {"conv_in_kernel", "conv_out_kernel"}) reader.require(key, {3});
  check_input(!reader.json().contains("norm_num_groups") || !reader.json()["norm_num_groups"].is_null(),
              "{}: expected \"norm_num_groups\" to be a number but received null", reader.place());
  reader.require("attention_type", {"default"});
  reader.require("time_embedding_type", {"positional"});
  const auto crossed = reader.json().find("only_cross_attention");
  if (crossed == reader.json().end() || !crossed->is_array())
    reader.require("only_cross_attention", {false});
  else
    for (const Json& level : *crossed)
      check_input(level == Json(false), "{}: expected \"only_cross_attention\" to be false but received {}",
                  reader.place(), json_text(*crossed));
}

/// A number for each level, or one for all.
std::vector<int64_t> read_of_levels(const JsonReader& reader, const char* key, int64_t otherwise,
                                    size_t levels) {
  std::vector<int64_t> numbers(levels, otherwise);
  const auto found = reader.json().find(key);
  if (found != reader.json().end() && found->is_array()) {
    reader.read(key, numbers);
    check_input(numbers.size() == levels, "{}: expected \"{}\" to be a number or {} but received {}",
                reader.place(), key, levels, json_text(*found));
  } else if (found != reader.json().end()) {
    numbers.assign(levels, reader.get<int64_t>(key));
  }
  return numbers;
}

/// The one number where all are it.
Json of_levels(const std::vector<int64_t>& numbers) {
  const bool same = std::all_of(numbers.begin(), numbers.end(), [&](int64_t n) { return n == numbers[0]; });
  return same && !numbers.empty() ? Json(numbers[0]) : Json(numbers);
}

int64_t read_token_size(const JsonReader& reader, size_t levels) {
  const std::vector<int64_t> sizes = read_of_levels(
      reader, "cross_attention_dim", condition_model_defaults().transformers.token_size, levels);
  for (const int64_t size : sizes)
    check_input(size == sizes.front(),
                "{}: expected one \"cross_attention_dim\", of the one token that all levels attend to, but "
                "received {}",
                reader.place(), json_text(reader.json()["cross_attention_dim"]));
  return sizes.front();
}

void read_middle(const JsonReader& reader, UNetOptions& o) {
  reader.require("mid_block_type", {"UNetMidBlock2DCrossAttn", "UNetMidBlock2D"});
  const auto middle = reader.json().find("mid_block_type");
  const bool given = middle != reader.json().end();
  o.mid_block = !given || !middle->is_null();
  o.transformers.middle = o.mid_block && (!given || *middle == Json("UNetMidBlock2DCrossAttn"));
  o.mid_attention = false;
}

/// diffusers' attention_head_dim is the number of heads of a transformer, and the channels of a head of other
/// attention.
void read_heads(const JsonReader& reader, UNetOptions& o) {
  o.transformers.heads = read_of_levels(reader, "attention_head_dim", 8, o.block_out_channels.size());
  const auto any = [](const std::vector<bool>& flags) {
    return std::find(flags.begin(), flags.end(), true) != flags.end();
  };
  check_input(
      of_levels(o.transformers.heads).is_number() || !(any(o.down_attention) || any(o.up_attention)),
      "{}: expected one \"attention_head_dim\" beside AttnDownBlock2D and AttnUpBlock2D but received {}",
      reader.place(), json_text(Json(o.transformers.heads)));
  o.attention_head_dim = o.transformers.heads.front();
}

const char* label_type(LabelKind kind) {
  return kind == LabelKind::projection ? "projection" : "simple_projection";
}

}  // namespace

bool UNetOptions::Transformers::any() const {
  const auto some = [](const std::vector<bool>& flags) {
    return std::find(flags.begin(), flags.end(), true) != flags.end();
  };
  return middle || some(down) || some(up);
}

UNetOptions condition_model_defaults() {
  UNetOptions o;
  o.of_conditions = true;
  o.in_channels = o.out_channels = 4;
  o.block_out_channels = {320, 640, 1280, 1280};
  o.transformers.token_size = 1280;
  return o;
}

void read_condition_model(const JsonReader& reader, UNetOptions& o) {
  refuse_more(reader);
  const size_t levels = o.block_out_channels.size();
  read_middle(reader, o);
  read_heads(reader, o);
  o.transformers.layers = read_of_levels(reader, "transformer_layers_per_block", 1, levels);
  o.transformers.token_size = read_token_size(reader, levels);
  reader.read("use_linear_projection", o.transformers.linear_projection);
  if (o.label_kind == LabelKind::projection || o.label_kind == LabelKind::linear)
    o.label_size = reader.get<int64_t>("projection_class_embeddings_input_dim");
  check_input(o.num_class_embeds == 0 || !o.transformers.any(),
              "{}: expected a class or a vector (a token that is attended to), not both, but received {} "
              "\"num_class_embeds\" and blocks of cross attention",
              reader.place(), o.num_class_embeds);
}

void write_condition_model(const UNetOptions& o, Json& config) {
  config["mid_block_type"] = o.transformers.middle ? Json("UNetMidBlock2DCrossAttn")
                             : o.mid_block         ? Json("UNetMidBlock2D")
                                                   : Json(nullptr);
  config["cross_attention_dim"] = o.transformers.token_size;
  config["attention_head_dim"] = of_levels(o.transformers.heads);
  config["transformer_layers_per_block"] = of_levels(o.transformers.layers);
  config["use_linear_projection"] = o.transformers.linear_projection;
  if (o.label_size > 0) {
    config["class_embed_type"] = label_type(o.label_kind);
    config["projection_class_embeddings_input_dim"] = o.label_size;
  }
}

}  // namespace fokker
