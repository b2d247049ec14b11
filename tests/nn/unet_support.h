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

}  // namespace fokker::testing
