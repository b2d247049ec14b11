#pragma once
#include <optional>

#include "fokker/nn/unet/frozen_layers.h"
#include "fokker/nn/unet/unet_blocks.h"

namespace fokker {

/// What one pass of a frozen U-Net over some images needs beside its input.
struct FrozenPass {
  Arena& arena;
  const float* starts;   ///< rows of what the blocks add after their first convolution
  int64_t start_stride;  ///< from one image's row to the next; 0: one for all
};

/// ResnetBlock, with the time's projection and the first bias left to `FrozenPass::starts`.
class FrozenResnet {
 public:
  /// `first_start`: the block's first column of the starts.
  FrozenResnet(const ResnetBlock& block, int64_t first_start, kernel::FactorPrecision precision);
  void operator()(const FeatureMap& x, const FeatureMap& y, FrozenPass& pass) const;
  int64_t outputs() const { return conv1_.outputs(); }

 private:
  FrozenNorm norm1_, norm2_;
  FrozenConvolution conv1_, conv2_;
  std::optional<FrozenLinear> shortcut_;
  int64_t first_start_;
  double output_scale_;
};

/// AttentionBlock, an image at a time; the scores of a few queries at a time.
class FrozenAttention {
 public:
  FrozenAttention(const AttentionBlock& block, kernel::FactorPrecision precision);
  void operator()(const FeatureMap& x, const FeatureMap& y, FrozenPass& pass) const;

 private:
  void image(const FeatureMap& x, const FeatureMap& y, int64_t i, const FrozenNorm::Affine& norm) const;

  FrozenNorm norm_;
  FrozenLinear projections_, out_;  // the query, key and value of all heads; the query is scaled
  int64_t heads_;
  double output_scale_;
};

}  // namespace fokker
