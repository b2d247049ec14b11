#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "fokker/nn/network.h"

namespace fokker {

/// The part of diffusers' UNet2DModel configuration that is supported, with its defaults where it has one;
/// and of its UNet2DConditionModel, which is told one token (`Transformers`).
struct UNetOptions {
  /// What the time's features are: sinusoids of the time, of its logarithm at random frequencies (then the
  /// network's output is divided by the time, as of Song et al.'s noise levels), or rows of a learned table.
  enum class TimeKind : uint8_t { positional, fourier, learned };
  /// What a label is: a class; one number that is embedded as the time is; a vector added to the embedding;
  /// or one of label_size numbers that two layers, or one, make such a vector of.
  enum class LabelKind : uint8_t { classes, number, vector, projection, linear };
  /// Transformers after residual blocks, which attend to the pixels and then to one token: a vector that the
  /// image is conditioned on.
  struct Transformers {
    int64_t token_size = 0;                ///< numbers of the token
    std::vector<bool> down = {}, up = {};  ///< levels with transformers, finest first; empty: none
    bool middle = false;
    std::vector<int64_t> heads = {}, layers = {};  ///< of each level, finest first
    bool linear_projection = false;                ///< ahead and after by a linear layer: how it is stored
    bool any() const;
  };

  int64_t sample_height = 0, sample_width = 0;
  int64_t in_channels = 3, out_channels = 3;
  std::vector<int64_t> block_out_channels = {224, 448, 672, 896};
  std::vector<bool> down_attention = {false, true, true, true};  ///< levels with attention, finest first
  std::vector<bool> up_attention = {};  ///< levels with attention on the way up, finest first; empty: as down
  /// Levels, finest first, that are halved or doubled by a residual block in place of a convolution; empty:
  /// none.
  std::vector<bool> down_residual = {}, up_residual = {};
  int64_t layers_per_block = 2;
  int64_t norm_num_groups = 32;
  double norm_eps = 1e-5;
  /// Groups of the norm before the middle block's attention; 0: norm_num_groups, and with time_scale_shift no
  /// norm.
  int64_t attn_norm_num_groups = 0;
  int64_t attention_head_dim = 8;  ///< channels of one attention head; 0: a single head
  /// Rows of the class embedding, 0 for none. With `unconditional_class` one row is the unconditional class:
  /// for k classes ask for k + 1.
  int64_t num_class_embeds = 0;
  /// Numbers in the vector that images are conditioned on, in place of classes; 0 for none. To diffusers the
  /// time's embedding gets a vector added that is made outside of it (class_embed_type "identity"): the layer
  /// "condition_embedding" of the numbers and of 1 where there are none, else 0.
  int64_t condition_size = 0;
  int64_t num_train_timesteps = 0;  ///< rows of a learned table of times
  int64_t freq_shift = 0;
  int64_t time_embedding_dim = 0;  ///< 0: four times the first block's channels
  double mid_block_scale_factor = 1;
  int64_t downsample_padding = 1;
  std::string activation = "silu";  ///< of residual blocks: silu, mish, gelu or relu
  double dropout = 0;               ///< of the configuration; not applied
  bool mid_block = true;
  bool mid_attention = true;
  LabelKind label_kind = LabelKind::classes;
  int64_t label_size = 0;  ///< numbers of a label that is projected
  /// Of diffusers' UNet2DConditionModel: its middle block has one residual block where it has no transformer,
  /// the time's own layers and the last have `activation` too.
  bool of_conditions = false;
  Transformers transformers = {};
  bool unconditional_class = true;
  int64_t unconditional_row = -1;    ///< of the class embedding; -1: the last
  bool center_input_sample = false;  ///< maps x from [0, 1] to [-1, 1] first
  TimeKind time_kind = TimeKind::positional;
  bool flip_sin_to_cos = true;
  /// The time scales and shifts what the second norm gives, and is not added before.
  bool time_scale_shift = false;
  /// The last layer of every residual branch and of the network starts at zero (not part of the
  /// configuration).
  bool zero_output = true;

  /// A small network for images of these sizes. `base_channels` 0: a default that trains on a CPU in minutes.
  /// `classes` > 0 adds an embedding with one more row, for the unconditional class; `condition_size` > 0 one
  /// of a vector.
  static UNetOptions for_images(int64_t channels, int64_t height, int64_t width, int64_t base_channels = 0,
                                int64_t classes = 0, int64_t condition_size = 0);

  /// Reads a config.json of diffusers' UNet2DModel or UNet2DConditionModel ("_class_name"), with its defaults
  /// for missing keys. Input error for anything that this U-Net does not have, naming the key.
  static UNetOptions from_config(const Json& config);

  /// Numbers in the vector that a row is conditioned on: condition_size, or those of the label, where it is
  /// no class, and then those of the token.
  int64_t condition_numbers() const { return condition_size + label_numbers() + token_numbers(); }
  int64_t label_numbers() const;
  int64_t token_numbers() const { return transformers.any() ? transformers.token_size : 0; }
  /// Whether the fused and frozen forms compute it; others run the plain form.
  bool has_fused_form() const;
  int64_t time_size() const {
    return time_embedding_dim ? time_embedding_dim : 4 * block_out_channels.front();
  }
};

/// Whether networks of that class_name are U-Nets.
bool is_unet_class(std::string_view name);

/// The U-Net of Ho et al. 2020 (appendix B) in the form and with the tensor names of diffusers' UNet2DModel:
/// x (n, in_channels, height, width), time (n) or (1) as the positional embedding wants it (a step number,
/// for DDPM)
/// -> (n, out_channels, height, width). Sides that the levels do not halve evenly are padded with zeros at
/// the right and bottom, and the result is cropped.
class UNet final : public Network {
 public:
  /// Argument error where sizes do not fit together.
  explicit UNet(const UNetOptions& options, uint64_t seed = 0);

  Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const override;
  /// For weights in float32 on a CPU (unet_frozen.h); the results differ in rounding only.
  std::unique_ptr<const Forward> frozen() const override;
  bool is_faster_in_bf16() const override;
  std::unique_ptr<Network> clone() const override;
  /// A config.json of diffusers' UNet2DModel or UNet2DConditionModel.
  Json config() const override;
  std::vector<int64_t> event_shape() const override;
  int64_t condition_size() const override { return options_.condition_numbers(); }
  int64_t classes() const override {
    return std::max<int64_t>(0, options_.num_class_embeds - (options_.unconditional_class ? 1 : 0));
  }
  bool knows_no_label() const override {
    return options_.label_numbers() + options_.token_numbers() == 0 &&
           (options_.num_class_embeds == 0 || options_.unconditional_class);
  }
  const UNetOptions& options() const { return options_; }

 private:
  UNetOptions options_;
  std::shared_ptr<const struct UNetLayers> layers_;
};

}  // namespace fokker
