#include "fokker/nn/unet/trained_layers.h"

#include "fokker/core/check.h"
#include "fokker/kernel/image/group_norm_rows.h"
#include "fokker/kernel/image/padded_image.h"
#include "fokker/kernel/image/patches.h"
#include "fokker/kernel/image/row_layer.h"
#include "fokker/kernel/vector/sums.h"

namespace fokker {
namespace {

kernel::ConvolutionInput convolution_input(const FeatureMap& x, const TrainedNorm* norm, bool upsampled,
                                           int64_t first) {
  kernel::ConvolutionInput input = {
      .x = x.image(first), .pixel_stride = x.pixel_stride, .upsampled = upsampled};
  if (norm) norm->describe(first, input);
  return input;
}

}  // namespace

TrainedNorm::TrainedNorm(const GroupNorm& norm, const FeatureMap& x, Arena& arena)
    : norm_(norm),
      images_(x.images),
      channels_(x.channels),
      mean_(arena.take_doubles(images_ * norm.groups)),
      rstd_(arena.take_doubles(images_ * norm.groups)),
      to_weight_(arena.take_doubles(images_ * channels_)),
      to_bias_(arena.take_doubles(images_ * channels_)),
      scale_(arena.take(images_ * channels_)),
      centre_(arena.take(images_ * channels_)),
      shift_(arena.take(images_ * channels_)) {}

void TrainedNorm::forward(const FeatureMap& x, int64_t first, int64_t count) const {
  for (int64_t i = first; i < first + count; ++i) {
    const int64_t row = i * channels_;
    double *mean = mean_ + i * norm_.groups, *rstd = rstd_ + i * norm_.groups;
    kernel::group_moments(x.image(i), x.pixel_stride, x.pixels(), channels_, norm_.groups, norm_.eps, mean,
                          rstd);
    kernel::affine_maps<float>(mean, rstd, norm_.weight.data_ptr<float>(), norm_.bias.data_ptr<float>(),
                               channels_, norm_.groups, {scale_ + row, centre_ + row, shift_ + row});
  }
}

void TrainedNorm::describe(int64_t first, kernel::ConvolutionInput& input) const {
  input.scale = scale_ + first * channels_;
  input.centre = centre_ + first * channels_;
  input.shift = shift_ + first * channels_;
}

void TrainedNorm::apply(const FeatureMap& x, int64_t i, float* rows) const {
  const int64_t row = i * channels_;
  kernel::apply_rows<float>(x.image(i), x.pixel_stride, x.pixels(), channels_,
                            {scale_ + row, centre_ + row, shift_ + row}, false, rows);
}

void TrainedNorm::backward(const TracedMap& x, const FeatureMap& gradient, bool silu, const FeatureMap* more,
                           int64_t first, int64_t count) const {
  for (int64_t i = first; i < first + count; ++i) image_backward(x, gradient, silu, more, i);
}

void TrainedNorm::image_backward(const TracedMap& x, const FeatureMap& gradient, bool silu,
                                 const FeatureMap* more, int64_t i) const {
  const int64_t row = i * channels_, pixels = x.value.pixels();
  const float* from = x.value.image(i);
  float* through = gradient.image(i);
  const double *mean = mean_ + i * norm_.groups, *rstd = rstd_ + i * norm_.groups;
  const kernel::GradientSums sums = {to_weight_ + row, to_bias_ + row};
  float* numbers = kernel::scratch(kernel::Scratch::own, 3 * channels_);
  const kernel::ChannelMaps<float> maps = {numbers, centre_ + row, numbers + channels_};
  float* slope = numbers + 2 * channels_;
  kernel::activation_gradient_rows<float>(from, x.value.pixel_stride, through, pixels, channels_,
                                          {scale_ + row, centre_ + row, shift_ + row}, silu, through, sums);
  kernel::input_maps<float>(mean, rstd, norm_.weight.data_ptr<float>(), sums, pixels, channels_, norm_.groups,
                            maps, slope);
  if (!x.wants_gradient()) return;
  kernel::combine_rows<float>(from, x.value.pixel_stride, through, pixels, channels_, maps, slope,
                              {.rows = x.gradient.image(i),
                               .stride = x.gradient.pixel_stride,
                               .add = x.shared,
                               .more = more ? more->image(i) : nullptr,
                               .more_stride = more ? more->pixel_stride : 0});
}

void TrainedNorm::finish(ParameterGradients& parameters) const {
  if (!parameters.wanted()) return;
  kernel::add_rows(to_weight_, images_, channels_, parameters.place(norm_.weight).data_ptr<float>());
  kernel::add_rows(to_bias_, images_, channels_, parameters.place(norm_.bias).data_ptr<float>());
}

void ConvolutionCall::operator()(int64_t first, int64_t count) const {
  kernel::ConvolutionOutput output = {.y = y.image(first),
                                      .pixel_stride = y.pixel_stride,
                                      .start = start ? start + first * start_stride : nullptr,
                                      .start_stride = start_stride};
  if (residual) {
    output.residual = residual->image(first);
    output.residual_pixel_stride = residual->pixel_stride;
  }
  kernel::convolve({count, y.height, y.width, x.channels, y.channels},
                   convolution_input(x, norm, upsampled, first), filters, output);
}

kernel::Filters filters_of(const Tensor& weight, bool transposed, const TrainedPass& pass) {
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  const int64_t size = transposed ? kernel::filters_size(pass.precision, outputs, inputs)
                                  : kernel::filters_size(pass.precision, inputs, outputs);
  return kernel::lay_out_filters(pass.precision, weight.data_ptr<float>(), outputs, inputs, transposed,
                                 pass.arena.take(size));
}

void add_filter_gradient(const TrainedPass& pass, const Tensor& weight, const FeatureMap& x,
                         const TrainedNorm* norm, bool upsampled, const FeatureMap& dy,
                         ParameterGradients& parameters) {
  if (!parameters.wanted()) return;
  const auto filter_gradient = pass.precision == kernel::FactorPrecision::bfloat16
                                   ? kernel::rounded_filter_gradient
                                   : kernel::convolution_filter_gradient;
  filter_gradient({dy.images, dy.height, dy.width, x.channels, dy.channels},
                  convolution_input(x, norm, upsampled, 0), dy.data, dy.pixel_stride,
                  parameters.place(weight).data_ptr<float>());
}

kernel::PackedFactor row_factor(const Tensor& weight, bool transposed, const TrainedPass& pass) {
  const int64_t outputs = weight.size(0), inputs = weight.numel() / outputs;
  const int64_t rows = transposed ? outputs : inputs, columns = transposed ? inputs : outputs;
  const kernel::MatrixView view = {weight.data_ptr<float>(), transposed ? inputs : 1,
                                   transposed ? 1 : inputs};
  return kernel::pack_factor(pass.precision, view, rows, columns,
                             pass.arena.take(kernel::packed_factor_size(pass.precision, rows, columns)));
}

void multiply_rows(const FeatureMap& x, const kernel::PackedFactor& factor, const kernel::GemmStart& start,
                   const FeatureMap& y, int64_t first, int64_t count) {
  kernel::gemm({x.image(first), x.pixel_stride, 1}, count * x.pixels(), factor, start, y.image(first),
               y.pixel_stride);
}

ImageSums::ImageSums(const FeatureMap& map, Arena& arena)
    : images_(map.images), channels_(map.channels), sums_(arena.take_doubles(images_ * channels_)) {}

void ImageSums::add_up(const FeatureMap& map, int64_t first, int64_t count) const {
  for (int64_t i = first; i < first + count; ++i)
    kernel::channel_sums(map.image(i), map.pixels(), map.pixel_stride, channels_, sums_ + i * channels_);
}

void ImageSums::write(float* bias) const {
  kernel::add_rows(sums_, images_, channels_, bias);
}

void ImageSums::write_rows(float* rows, int64_t stride) const {
  if (stride == 0) return write(rows);
  for (int64_t i = 0; i < images_; ++i)
    for (int64_t c = 0; c < channels_; ++c)
      rows[i * stride + c] = static_cast<float>(sums_[i * channels_ + c]);
}

TrainedConvolution::TrainedConvolution(const Convolution& layer, const GroupNorm* norm, bool upsampled,
                                       const TracedMap& x, const TracedMap& y, Arena& arena)
    : layer_(layer), upsampled_(upsampled), x_(x), y_(y) {
  check(norm || upsampled || !x.shared, "UNet: expected a gradient that a convolution alone writes");
  if (norm) norm_.emplace(*norm, x.value, arena);
}

void TrainedConvolution::forward(TrainedPass& pass) {
  const Arena::Mark mark = pass.arena.mark();
  const ConvolutionCall convolve = {.filters = filters_of(layer_.weight, false, pass),
                                    .x = x_.value,
                                    .y = y_.value,
                                    .norm = norm_ ? &*norm_ : nullptr,
                                    .upsampled = upsampled_,
                                    .start = layer_.bias.data_ptr<float>()};
  for_image_groups(y_.value, [&](int64_t first, int64_t count) {
    if (norm_) norm_->forward(x_.value, first, count);
    convolve(first, count);
  });
  pass.arena.rewind(mark);
}

void TrainedConvolution::backward(TrainedPass& pass, ParameterGradients& parameters) {
  const Arena::Mark mark = pass.arena.mark();
  const FeatureMap &dy = y_.gradient, &x = x_.value;
  const ImageSums sums(dy, pass.arena);
  const bool through = norm_ || x_.wants_gradient();
  ConvolutionCall convolve = {.filters = {}, .x = dy, .y = x_.gradient};
  if (through) {
    convolve.filters = filters_of(layer_.weight, true, pass);
    if (norm_ || upsampled_) convolve.y = pass.arena.map(x.images, dy.height, dy.width, x.channels);
  }
  for_image_groups(dy, [&](int64_t first, int64_t count) {
    sums.add_up(dy, first, count);
    if (!through) return;
    convolve(first, count);
    if (norm_) return norm_->backward(x_, convolve.y, true, nullptr, first, count);
    for (int64_t i = first; upsampled_ && i < first + count; ++i)
      kernel::sum_doubled(convolve.y.image(i), x.height, x.width, x.channels, x_.shared, x_.gradient.image(i),
                          x_.gradient.pixel_stride);
  });
  if (norm_) norm_->finish(parameters);
  if (parameters.wanted()) sums.write(parameters.place(layer_.bias).data_ptr<float>());
  add_filter_gradient(pass, layer_.weight, x, norm_ ? &*norm_ : nullptr, upsampled_, dy, parameters);
  pass.arena.rewind(mark);
}

TrainedDownsample::TrainedDownsample(const Convolution& layer, const TracedMap& x, const TracedMap& y,
                                     Arena& arena)
    : layer_(layer),
      x_(x),
      y_(y),
      patches_(arena.map(y.value.images, y.value.height, y.value.width, 9 * x.value.channels)),
      taps_(layer.weight.detach().permute({0, 2, 3, 1}).reshape({layer.weight.size(0), -1})) {}

void TrainedDownsample::forward(TrainedPass& pass) {
  const Arena::Mark mark = pass.arena.mark();
  const kernel::PackedFactor factor = row_factor(taps_, false, pass);
  const kernel::PatchShape shape = downsampling_patches(x_.value, y_.value, layer_.padding);
  for_image_groups(x_.value, [&](int64_t first, int64_t count) {
    for (int64_t i = first; i < first + count; ++i)
      kernel::gather_patches(shape, x_.value.image(i), x_.value.pixel_stride, patches_.image(i));
    multiply_rows(patches_, factor, {.bias = layer_.bias.data_ptr<float>()}, y_.value, first, count);
  });
  pass.arena.rewind(mark);
}

void TrainedDownsample::backward(TrainedPass& pass, ParameterGradients& parameters) {
  const Arena::Mark mark = pass.arena.mark();
  const FeatureMap &dy = y_.gradient, &dx = x_.gradient;
  const ImageSums sums(dy, pass.arena);
  const kernel::PackedFactor factor = row_factor(taps_, true, pass);
  const kernel::PatchShape shape = downsampling_patches(x_.value, y_.value, layer_.padding);
  const FeatureMap of_patches = pass.arena.map(dy.images, dy.height, dy.width, patches_.channels);
  for_image_groups(x_.value, [&](int64_t first, int64_t count) {
    sums.add_up(dy, first, count);
    multiply_rows(dy, factor, {}, of_patches, first, count);
    for (int64_t i = first; i < first + count; ++i)
      kernel::scatter_patches(shape, of_patches.image(i), dx.image(i), dx.pixel_stride);
  });
  if (parameters.wanted()) {
    Tensor taps = at::empty_like(taps_);
    kernel::row_weight_gradient(patches_.rows(), patches_.channels, dy.rows(), dy.channels,
                                dy.images * dy.pixels(), taps.data_ptr<float>());
    parameters.place(layer_.weight).copy_(taps.view({dy.channels, 3, 3, -1}).permute({0, 3, 1, 2}));
    sums.write(parameters.place(layer_.bias).data_ptr<float>());
  }
  pass.arena.rewind(mark);
}

}  // namespace fokker
