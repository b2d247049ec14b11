#include "fokker/nn/unet/frozen_layers.h"

#include <ATen/Parallel.h>

#include "fokker/kernel/image/group_norm_rows.h"
#include "fokker/kernel/image/patches.h"

namespace fokker {
namespace {

/// A copy that nobody else changes.
Tensor own_copy(const Tensor& t) {
  return t.detach().clone(at::MemoryFormat::Contiguous);
}

}  // namespace

FrozenLinear::FrozenLinear(const Tensor& weight, const Tensor& bias, kernel::FactorPrecision precision)
    : bias_(own_copy(bias)) {
  const int64_t outputs = weight.size(0), inputs = weight.numel() / outputs;
  const Tensor rows = own_copy(weight);
  panels_ = at::empty({kernel::packed_factor_size(precision, inputs, outputs)}, rows.options());
  factor_ = kernel::pack_factor(precision, {rows.data_ptr<float>(), 1, inputs}, inputs, outputs,
                                panels_.data_ptr<float>());
}

void FrozenLinear::operator()(const float* x, int64_t x_stride, int64_t rows, float* y,
                              int64_t y_stride) const {
  at::parallel_for(0, rows, 48, [&](int64_t begin, int64_t end) {
    kernel::gemm({x + begin * x_stride, x_stride, 1}, end - begin, factor_, {.bias = bias_.data_ptr<float>()},
                 y + begin * y_stride, y_stride);
  });
}

void FrozenLinear::operator()(const FeatureMap& x, const FeatureMap& y) const {
  (*this)(x.data, x.pixel_stride, x.images * x.pixels(), y.data, y.pixel_stride);
}

FrozenNorm::FrozenNorm(const GroupNorm& norm)
    : weight_(own_copy(norm.weight)), bias_(own_copy(norm.bias)), groups_(norm.groups), eps_(norm.eps) {}

FrozenNorm::Affine FrozenNorm::operator()(const FeatureMap& x, Arena& arena) const {
  const int64_t channels = x.channels;
  const int64_t numbers = x.images * channels;
  const Affine affine = {arena.take(numbers), arena.take(numbers), arena.take(numbers)};
  at::parallel_for(0, x.images, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> mean(static_cast<size_t>(groups_)), rstd(mean);
    for (int64_t i = begin; i < end; ++i) {
      kernel::group_moments(x.image(i), x.pixel_stride, x.pixels(), channels, groups_, eps_, mean.data(),
                            rstd.data());
      const int64_t row = i * channels;
      kernel::affine_maps<float>(mean.data(), rstd.data(), weight_.data_ptr<float>(), bias_.data_ptr<float>(),
                                 channels, groups_,
                                 {affine.scale + row, affine.centre + row, affine.shift + row});
    }
  });
  return affine;
}

FrozenConvolution::FrozenConvolution(const Convolution& convolution, kernel::FactorPrecision precision)
    : bias_(own_copy(convolution.bias)) {
  const Tensor& weight = convolution.weight;
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  memory_ = at::empty({kernel::filters_size(precision, inputs, outputs)}, bias_.options());
  filters_ = kernel::lay_out_filters(precision, own_copy(weight).data_ptr<float>(), outputs, inputs, false,
                                     memory_.data_ptr<float>());
}

void FrozenConvolution::operator()(const FeatureMap& x, const FeatureMap& y, const Extras& extras) const {
  const FeatureMap* residual = extras.residual;
  kernel::convolve({x.images, y.height, y.width, x.channels, y.channels},
                   {.x = x.data,
                    .pixel_stride = x.pixel_stride,
                    .scale = extras.norm.scale,
                    .centre = extras.norm.centre,
                    .shift = extras.norm.shift,
                    .upsampled = extras.upsampled},
                   filters_,
                   {.y = y.data,
                    .pixel_stride = y.pixel_stride,
                    .start = extras.start ? extras.start : bias_.data_ptr<float>(),
                    .start_stride = extras.start_stride,
                    .residual = residual ? residual->data : nullptr,
                    .residual_pixel_stride = residual ? residual->pixel_stride : 0});
}

FrozenDownsample::FrozenDownsample(const Convolution& convolution, kernel::FactorPrecision precision)
    : taps_(convolution.weight.permute({0, 2, 3, 1}).reshape({convolution.weight.size(0), -1}),
            convolution.bias, precision),
      padding_(convolution.padding) {}

void FrozenDownsample::operator()(const FeatureMap& x, const FeatureMap& y, Arena& arena) const {
  const kernel::PatchShape patches = downsampling_patches(x, y, padding_);
  const Arena::Mark mark = arena.mark();
  const int64_t depth = 9 * x.channels;
  float* rows = arena.take(y.pixels() * depth);
  for (int64_t i = 0; i < x.images; ++i) {
    kernel::gather_patches(patches, x.image(i), x.pixel_stride, rows);
    taps_(rows, depth, y.pixels(), y.image(i), y.pixel_stride);
  }
  arena.rewind(mark);
}

}  // namespace fokker
