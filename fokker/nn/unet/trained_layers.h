#pragma once
#include <algorithm>
#include <optional>

#include "fokker/kernel/image/bf16_convolution.h"
#include "fokker/kernel/matrix/dense_blocks.h"
#include "fokker/kernel/matrix/factor.h"
#include "fokker/nn/layers.h"
#include "fokker/nn/parameter_gradients.h"
#include "fokker/nn/unet/feature_map.h"

namespace fokker {

// Layers of a U-Net that keep what their gradients need, in float32 on a CPU, and their common parts. The
// factors of convolutions and of layers on rows may be rounded to bfloat16; attention's own products and the
// gradients of weights on rows stay in float32, as do all sums. Every layer works on a batch of feature maps
// in an arena; a thread takes some images through all of a layer.

/// A value that layers pass on, and the place of its gradient; without one where nobody wants it.
struct TracedMap {
  FeatureMap value, gradient = {};
  /// Another reader of the value has written its gradient before this one adds to it.
  bool shared = false;

  bool wants_gradient() const { return gradient.data != nullptr; }
};

/// What passes through the network beside the layers' values.
struct TrainedPass {
  Arena& arena;
  kernel::FactorPrecision precision = kernel::FactorPrecision::float32;
  /// Rows of what the blocks add after their first convolution, and of their gradients; a stride of 0: one
  /// for all images.
  const float* starts = nullptr;
  float* start_gradients = nullptr;
  int64_t start_stride = 0;
};

/// A layer that has been run, and knows its input and result.
class TrainedLayer {
 public:
  TrainedLayer() = default;
  TrainedLayer(const TrainedLayer&) = delete;
  TrainedLayer& operator=(const TrainedLayer&) = delete;
  virtual ~TrainedLayer() = default;
  virtual void forward(TrainedPass& pass) = 0;
  /// From the result's gradient, which it may overwrite, to the input's and to those of the parameters that
  /// are wanted.
  virtual void backward(TrainedPass& pass, ParameterGradients& parameters) = 0;
};

/// body(first, count) for groups of a batch's images, each taken by the next free thread: few enough that
/// what a layer passes on stays in the outer caches, enough to share its weights.
template <typename Body>
void for_image_groups(const FeatureMap& map, const Body& body) {
  constexpr int64_t pixels_together = 3136;
  const int64_t share = std::max<int64_t>(1, map.images / at::get_num_threads());
  const int64_t together = std::clamp<int64_t>(pixels_together / map.pixels(), 1, share);
  kernel::for_each_task((map.images + together - 1) / together, [&](int64_t i) {
    body(i * together, std::min(together, map.images - i * together));
  });
}

/// A group normalisation of one batch: moments, and its affine form for each image's channels.
class TrainedNorm {
 public:
  TrainedNorm(const GroupNorm& norm, const FeatureMap& x, Arena& arena);
  /// Of the images [first, first + count) of x.
  void forward(const FeatureMap& x, int64_t first, int64_t count) const;
  /// Its affine form as part of a convolution's input, from image `first` on.
  void describe(int64_t first, kernel::ConvolutionInput& input) const;
  /// rows = norm(x) of an image, without an activation.
  void apply(const FeatureMap& x, int64_t i, float* rows) const;
  /// The gradient of x from that of f(norm(x)), which it overwrites, for SiLU or the identity as f; plus
  /// `more`, of the same images, where it is given.
  void backward(const TracedMap& x, const FeatureMap& gradient, bool silu, const FeatureMap* more,
                int64_t first, int64_t count) const;
  /// After all images' backward.
  void finish(ParameterGradients& parameters) const;

 private:
  void image_backward(const TracedMap& x, const FeatureMap& gradient, bool silu, const FeatureMap* more,
                      int64_t i) const;

  const GroupNorm& norm_;
  int64_t images_, channels_;
  double *mean_, *rstd_, *to_weight_, *to_bias_;
  float *scale_, *centre_, *shift_;
};

/// A 3 x 3 convolution of stride 1 as it is called for some images: y = filters * f(x) + start + residual.
struct ConvolutionCall {
  kernel::Filters filters;
  FeatureMap x, y;
  const TrainedNorm* norm = nullptr;  ///< f: this and SiLU
  bool upsampled = false;
  const float* start = nullptr;
  int64_t start_stride = 0;
  const FeatureMap* residual = nullptr;

  void operator()(int64_t first, int64_t count) const;
};

/// The weight (outputs, inputs, 3, 3) as a convolution wants it; `transposed`: of the one from a result's
/// gradient to the input's.
kernel::Filters filters_of(const Tensor& weight, bool transposed, const TrainedPass& pass);
/// The gradient of the weight, where it is wanted.
void add_filter_gradient(const TrainedPass& pass, const Tensor& weight, const FeatureMap& x,
                         const TrainedNorm* norm, bool upsampled, const FeatureMap& dy,
                         ParameterGradients& parameters);

/// The weight (outputs, inputs) of a layer on rows of numbers as the factor (inputs, outputs) of its result,
/// or (outputs, inputs) of its input's gradient.
kernel::PackedFactor row_factor(const Tensor& weight, bool transposed, const TrainedPass& pass);
/// y (+)= x factor + bias for the images' pixels.
void multiply_rows(const FeatureMap& x, const kernel::PackedFactor& factor, const kernel::GemmStart& start,
                   const FeatureMap& y, int64_t first, int64_t count);

/// Sums of a gradient over the pixels of each image: (images, channels).
class ImageSums {
 public:
  ImageSums(const FeatureMap& map, Arena& arena);
  void add_up(const FeatureMap& map, int64_t first, int64_t count) const;
  /// As the gradient of what is added to every pixel of all images.
  void write(float* bias) const;
  /// As those of rows for each image, `stride` apart; 0: one for all.
  void write_rows(float* rows, int64_t stride) const;

 private:
  int64_t images_, channels_;
  double* sums_;
};

/// A convolution by itself, after a norm and SiLU or a doubling of its input's sides.
class TrainedConvolution final : public TrainedLayer {
 public:
  TrainedConvolution(const Convolution& layer, const GroupNorm* norm, bool upsampled, const TracedMap& x,
                     const TracedMap& y, Arena& arena);
  void forward(TrainedPass& pass) override;
  void backward(TrainedPass& pass, ParameterGradients& parameters) override;

 private:
  const Convolution& layer_;
  std::optional<TrainedNorm> norm_;
  bool upsampled_;
  TracedMap x_, y_;
};

/// A 3 x 3 convolution of stride 2 with zeros around the image; padding 0: below and to the right of it only.
class TrainedDownsample final : public TrainedLayer {
 public:
  TrainedDownsample(const Convolution& layer, const TracedMap& x, const TracedMap& y, Arena& arena);
  void forward(TrainedPass& pass) override;
  void backward(TrainedPass& pass, ParameterGradients& parameters) override;

 private:
  const Convolution& layer_;
  TracedMap x_, y_;
  FeatureMap patches_;  // as channels of the result's pixels
  Tensor taps_;         // (outputs, 9 * inputs)
};

}  // namespace fokker
