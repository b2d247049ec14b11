#pragma once
#include "fokker/nn/unet/trained_layers.h"
#include "fokker/nn/unet/unet_blocks.h"

namespace fokker {

/// ResnetBlock, with the time's projection and the first bias left to `TrainedPass::starts`. A thread takes
/// its images through the whole block, and back.
class TrainedResnet final : public TrainedLayer {
 public:
  /// `first_start`: the block's first column of the starts.
  TrainedResnet(const ResnetBlock& block, int64_t first_start, const TracedMap& x, const TracedMap& y,
                Arena& arena);
  void forward(TrainedPass& pass) override;
  void backward(TrainedPass& pass, ParameterGradients& parameters) override;

 private:
  void weight_gradients(const TrainedPass& pass, const FeatureMap& dh, const ImageSums& of_y,
                        ParameterGradients& parameters) const;

  const ResnetBlock& block_;
  int64_t first_start_;
  TracedMap x_, y_;
  FeatureMap h_;  // after the first convolution
  TrainedNorm norm1_, norm2_;
};

/// AttentionBlock, an image at a time; the scores of a few queries at a time, forward and back.
class TrainedAttention final : public TrainedLayer {
 public:
  TrainedAttention(const AttentionBlock& block, const TracedMap& x, const TracedMap& y, Arena& arena);
  void forward(TrainedPass& pass) override;
  void backward(TrainedPass& pass, ParameterGradients& parameters) override;

 private:
  void weight_gradients(const FeatureMap& of_projections, const ImageSums& projection_sums,
                        const ImageSums& out_sums, ParameterGradients& parameters) const;

  const AttentionBlock& block_;
  TracedMap x_, y_;
  TrainedNorm norm_;
  FeatureMap normed_, projections_, mixed_;  // the queries, keys and values of all heads
  double query_scale_;                       // of the scores, as part of the queries
  Tensor weight_, bias_;                     // of the projections, scaled
};

}  // namespace fokker
