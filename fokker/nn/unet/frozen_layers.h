#pragma once
#include "fokker/kernel/image/bf16_convolution.h"
#include "fokker/nn/layers.h"
#include "fokker/nn/unet/feature_map.h"

namespace fokker {

// Layers of a U-Net with their weights laid out for many calls without gradients, in float32 on a CPU; the
// factors of their products may be rounded to bfloat16.

/// y = x W + b on rows of numbers: a linear layer, or a 1 x 1 convolution.
class FrozenLinear {
 public:
  FrozenLinear() = default;
  /// weight (outputs, inputs) or (outputs, inputs, 1, 1), bias (outputs).
  FrozenLinear(const Tensor& weight, const Tensor& bias, kernel::FactorPrecision precision);
  FrozenLinear(const Linear& layer, kernel::FactorPrecision precision)
      : FrozenLinear(layer.weight, layer.bias, precision) {}
  void operator()(const float* x, int64_t x_stride, int64_t rows, float* y, int64_t y_stride) const;
  void operator()(const FeatureMap& x, const FeatureMap& y) const;
  int64_t outputs() const { return factor_.columns(); }

 private:
  Tensor panels_, bias_;
  kernel::PackedFactor factor_;
};

/// A group normalisation as an affine map of each image's channels.
class FrozenNorm {
 public:
  struct Affine {
    float *scale = nullptr, *centre = nullptr, *shift = nullptr;  ///< (images, channels)
  };
  FrozenNorm() = default;
  explicit FrozenNorm(const GroupNorm& norm);
  Affine operator()(const FeatureMap& x, Arena& arena) const;

 private:
  Tensor weight_, bias_;
  int64_t groups_ = 1;
  double eps_ = 0;
};

/// A 3 x 3 convolution of stride 1, and what is fused with it. Its float32 filters take four times their
/// memory.
class FrozenConvolution {
 public:
  struct Extras {
    FrozenNorm::Affine norm = {};  ///< of silu(scale (x - centre) + shift)
    const float* start = nullptr;  ///< rows for each image instead of the bias
    int64_t start_stride = 0;
    const FeatureMap* residual = nullptr;
    bool upsampled = false;
  };
  FrozenConvolution() = default;
  FrozenConvolution(const Convolution& convolution, kernel::FactorPrecision precision);
  void operator()(const FeatureMap& x, const FeatureMap& y, const Extras& extras) const;
  void operator()(const FeatureMap& x, const FeatureMap& y) const { (*this)(x, y, Extras()); }
  int64_t outputs() const { return bias_.size(0); }

 private:
  Tensor memory_, bias_;
  kernel::Filters filters_;
};

/// A 3 x 3 convolution of stride 2 with zeros around the image; padding 0: below and to the right of it only.
class FrozenDownsample {
 public:
  FrozenDownsample(const Convolution& convolution, kernel::FactorPrecision precision);
  void operator()(const FeatureMap& x, const FeatureMap& y, Arena& arena) const;

 private:
  FrozenLinear taps_;
  int64_t padding_;
};

}  // namespace fokker
