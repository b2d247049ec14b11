#pragma once
#include <vector>

#include "fokker/kernel/matrix/gemm.h"
#include "fokker/kernel/vector/scratch.h"
#include "fokker/nn/layers.h"

namespace fokker {

// Layers of a U-Net with their weights laid out for many calls without gradients, in float32 on a CPU.

/// A batch of images in memory, channels adjacent; pixels, rows and images follow one another, `pixel_stride`
/// numbers from one pixel to the next.
struct FeatureMap {
  float* data = nullptr;
  int64_t pixel_stride = 0;
  int64_t images = 0, height = 0, width = 0, channels = 0;

  int64_t pixels() const { return height * width; }
  float* image(int64_t i) const { return data + i * pixels() * pixel_stride; }
  /// The same pixels, some of their channels.
  FeatureMap part(int64_t first, int64_t count) const;
};

/// Memory of one pass, kept for the next: many pieces live at once and are taken back in the reverse order,
/// by rewinding to a mark, where a thread's scratch memory has one holder at a time.
class Arena {
 public:
  struct Mark {
    size_t chunk = 0;
    int64_t used = 0;
  };
  float* take(int64_t numbers);
  FeatureMap map(int64_t images, int64_t height, int64_t width, int64_t channels);
  Mark mark() const { return mark_; }
  void rewind(Mark mark) { mark_ = mark; }

 private:
  struct Chunk {
    kernel::Buffer memory;
    int64_t size;
  };
  std::vector<Chunk> chunks_;
  Mark mark_;
};

/// y = x W + b on rows of numbers: a linear layer, or a 1 x 1 convolution.
class FrozenLinear {
 public:
  FrozenLinear() = default;
  /// weight (outputs, inputs) or (outputs, inputs, 1, 1), bias (outputs).
  FrozenLinear(const Tensor& weight, const Tensor& bias);
  explicit FrozenLinear(const Linear& layer) : FrozenLinear(layer.weight, layer.bias) {}
  void operator()(const float* x, int64_t x_stride, int64_t rows, float* y, int64_t y_stride) const;
  void operator()(const FeatureMap& x, const FeatureMap& y) const;
  int64_t outputs() const { return matrix_.columns; }

 private:
  Tensor panels_, bias_;
  kernel::PackedMatrix matrix_;
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

/// A 3 x 3 convolution of stride 1, and what is fused with it. Its filters take four times their memory.
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
  explicit FrozenConvolution(const Convolution& convolution);
  void operator()(const FeatureMap& x, const FeatureMap& y, const Extras& extras) const;
  void operator()(const FeatureMap& x, const FeatureMap& y) const { (*this)(x, y, Extras()); }
  int64_t outputs() const { return bias_.size(0); }

 private:
  Tensor filters_, bias_;
};

/// A 3 x 3 convolution of stride 2 with zeros around the image; padding 0: below and to the right of it only.
class FrozenDownsample {
 public:
  explicit FrozenDownsample(const Convolution& convolution);
  void operator()(const FeatureMap& x, const FeatureMap& y, Arena& arena) const;

 private:
  FrozenLinear taps_;
  int64_t padding_;
};

}  // namespace fokker
