#pragma once
#include "fokker/nn/unet/frozen_blocks.h"
#include "fokker/nn/unet/unet_layers.h"

namespace fokker {

/// A U-Net's function with weights as they were, transformed and packed once, for float32 on a CPU without
/// gradients; the factors of convolutions and linear layers may be rounded to bfloat16. Each thread takes its
/// images through the whole network; what a convolution normalises and adds is fused with it, and skip
/// connections are written where they are read. An image's result does not depend on the others of its batch
/// nor on the number of threads. Several threads may call it at once: each borrows an arena.
class FrozenUNet final : public Forward {
 public:
  FrozenUNet(const UNetLayers& layers, kernel::FactorPrecision precision);

  Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const override;

 private:
  struct Stage {
    std::vector<FrozenResnet> resnets;
    std::vector<FrozenAttention> attentions;  // empty, or one for each resnet
    std::optional<FrozenDownsample> down;
    std::optional<FrozenConvolution> up;
  };
  /// The joins' memory in one pass.
  struct Joined {
    FeatureMap below, skipped, whole;
  };

  void build_down(const UNetLayers& layers);
  void build_up(const UNetLayers& layers);
  FrozenResnet resnet(const ResnetBlock& block);
  std::vector<Joined> joins_for(int64_t images, Arena& arena) const;
  void block(const Stage& stage, size_t j, const FeatureMap& x, const FeatureMap& y, FrozenPass& pass) const;
  FeatureMap way_down(const FeatureMap& x, const std::vector<Joined>& joins, FrozenPass& pass) const;
  void middle(const FeatureMap& x, const FeatureMap& y, FrozenPass& pass) const;
  FeatureMap way_up(const std::vector<Joined>& joins, FrozenPass& pass) const;
  Tensor time_features(const Tensor& time) const;
  Tensor starts(const Tensor& time, const Tensor& label) const;
  void run(const Tensor& x, const Tensor& y, const Tensor& starts, int64_t begin, int64_t end) const;

  UNetOptions options_;
  kernel::FactorPrecision precision_;
  int64_t height_, width_;  // padded
  Tensor frequencies_;      // of the columns of the time's features
  FrozenLinear time1_, time2_, starts_;
  ClassEmbedding classes_;
  FrozenLinear condition_;
  Tensor start_weight_, start_bias_;  // of starts_, while the blocks are built
  FrozenConvolution conv_in_, conv_out_;
  FrozenNorm norm_out_;
  std::vector<Stage> down_, up_;
  std::vector<FrozenResnet> middle_;
  std::optional<FrozenAttention> middle_attention_;
  std::vector<UNetLayers::Join> joins_;
  kernel::Pool<Arena> arenas_;
};

}  // namespace fokker
