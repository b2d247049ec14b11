#pragma once
#include "fokker/nn/unet/unet.h"
#include "nn/support.h"

namespace fokker::testing {

/// Two levels on 2 x 6 x 4 inputs, attention below, three class rows.
inline UNetOptions tiny() {
  UNetOptions o;
  o.sample_height = 6;
  o.sample_width = 4;
  o.in_channels = 2;
  o.out_channels = 3;
  o.block_out_channels = {4, 8};
  o.down_attention = {false, true};
  o.layers_per_block = 1;
  o.norm_num_groups = 2;
  o.attention_head_dim = 4;
  o.num_class_embeds = 3;
  return o;
}

/// Three levels whose sides do not halve evenly, two blocks each, attention above and below, padding on one
/// side.
inline UNetOptions uneven() {
  UNetOptions o = tiny();
  o.sample_height = 11;
  o.sample_width = 6;
  o.block_out_channels = {4, 8, 6};
  o.down_attention = {true, false, true};
  o.up_attention = {false, true, false};
  o.layers_per_block = 2;
  o.attention_head_dim = 0;
  o.num_class_embeds = 0;
  o.downsample_padding = 0;
  o.center_input_sample = true;
  o.mid_block_scale_factor = 1.3;
  return o;
}

inline UNetOptions uneven_without_attention() {
  UNetOptions o = uneven();
  o.mid_attention = false;
  o.down_attention = {false, false, false};
  o.up_attention = {};
  return o;
}

}  // namespace fokker::testing
