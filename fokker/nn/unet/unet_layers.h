#pragma once
#include <optional>
#include <vector>

#include "fokker/nn/unet/unet.h"
#include "fokker/nn/unet/unet_blocks.h"

namespace fokker {

/// The layers of a UNet, which both of its forms are made of, and what they compute. Copies share the
/// parameters.
struct UNetLayers {
  UNetLayers(const UNetOptions& options, LayerBuilder& builder);
  /// For checked inputs; records gradients.
  Tensor operator()(const Tensor& x, const Tensor& time, const Tensor& label) const;

  UNetOptions options;
  Convolution conv_in, conv_out;
  TimeEmbedding time;
  std::vector<Level> down;  ///< finest first
  std::vector<Level> up;    ///< coarsest first
  std::vector<ResnetBlock> middle;
  std::optional<AttentionBlock> middle_attention;
  GroupNorm norm_out;

 private:
  void build_down(LayerBuilder& builder, const BlockOptions& block);
  void build_middle(LayerBuilder& builder, const BlockOptions& block);
  void build_up(LayerBuilder& builder, const BlockOptions& block);
  Tensor padded(const Tensor& x) const;
  Tensor body(Tensor h, const Tensor& activated_time) const;
};

}  // namespace fokker
