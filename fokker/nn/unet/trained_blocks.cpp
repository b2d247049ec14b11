#include "fokker/nn/unet/trained_blocks.h"

#include <cmath>

#include "fokker/kernel/image/attention.h"
#include "fokker/kernel/image/row_layer.h"

namespace fokker {
namespace {

void add(const FeatureMap& x, const FeatureMap& y, int64_t first, int64_t count) {
  const kernel::MatrixRows from = x.rows(first), to = y.rows(first);
  for (int64_t i = 0; i < count * y.pixels(); ++i)
    for (int64_t c = 0; c < y.channels; ++c) to.row(i)[c] += from.row(i)[c];
}

/// Of a layer on rows: weight, and bias where its sums are given.
void row_gradients(const FeatureMap& x, const FeatureMap& dy, const Tensor& weight) {
  kernel::row_weight_gradient(x.rows(), x.channels, dy.rows(), dy.channels, dy.images * dy.pixels(),
                              weight.data_ptr<float>());
}

}  // namespace

TrainedResnet::TrainedResnet(const ResnetBlock& block, int64_t first_start, const TracedMap& x,
                             const TracedMap& y, Arena& arena)
    : block_(block),
      first_start_(first_start),
      x_(x),
      y_(y),
      h_(arena.map(x.value.images, x.value.height, x.value.width, block.outputs())),
      norm1_(block.norm1, x.value, arena),
      norm2_(block.norm2, h_, arena) {}

void TrainedResnet::forward(TrainedPass& pass) {
  Arena& arena = pass.arena;
  const Arena::Mark mark = arena.mark();
  const FeatureMap &x = x_.value, &y = y_.value;
  FeatureMap residual = x;
  kernel::PackedFactor shortcut;
  if (block_.shortcut) {
    residual = arena.map(x.images, x.height, x.width, y.channels);
    shortcut = row_factor(block_.shortcut->weight, false, pass);
  }
  const ConvolutionCall convolve1 = {.filters = filters_of(block_.conv1.weight, false, pass),
                                     .x = x,
                                     .y = h_,
                                     .norm = &norm1_,
                                     .start = pass.starts + first_start_,
                                     .start_stride = pass.start_stride};
  const ConvolutionCall convolve2 = {.filters = filters_of(block_.conv2.weight, false, pass),
                                     .x = h_,
                                     .y = y,
                                     .norm = &norm2_,
                                     .start = block_.conv2.bias.data_ptr<float>(),
                                     .residual = &residual};
  for_image_groups(x, [&](int64_t first, int64_t count) {
    norm1_.forward(x, first, count);
    convolve1(first, count);
    norm2_.forward(h_, first, count);
    if (block_.shortcut)
      multiply_rows(x, shortcut, {.bias = block_.shortcut->bias.data_ptr<float>()}, residual, first, count);
    convolve2(first, count);
    divide(y, block_.output_scale, first, count);
  });
  arena.rewind(mark);
}

void TrainedResnet::backward(TrainedPass& pass, ParameterGradients& parameters) {
  Arena& arena = pass.arena;
  const Arena::Mark mark = arena.mark();
  const FeatureMap &x = x_.value, &dy = y_.gradient;
  const FeatureMap dh = arena.map(x.images, x.height, x.width, h_.channels);
  const FeatureMap du = arena.map(x.images, x.height, x.width, x.channels);
  const ImageSums of_y(dy, arena), of_h(dh, arena);
  const ConvolutionCall back2 = {.filters = filters_of(block_.conv2.weight, true, pass), .x = dy, .y = dh};
  const ConvolutionCall back1 = {.filters = filters_of(block_.conv1.weight, true, pass), .x = dh, .y = du};
  const TracedMap h = {.value = h_, .gradient = dh};
  kernel::PackedFactor shortcut;
  if (block_.shortcut) shortcut = row_factor(block_.shortcut->weight, true, pass);
  for_image_groups(x, [&](int64_t first, int64_t count) {
    divide(dy, block_.output_scale, first, count);
    of_y.add_up(dy, first, count);
    back2(first, count);
    norm2_.backward(h, dh, true, nullptr, first, count);
    of_h.add_up(dh, first, count);
    back1(first, count);
    norm1_.backward(x_, du, true, block_.shortcut ? nullptr : &dy, first, count);
    if (block_.shortcut) multiply_rows(dy, shortcut, {.add = true}, x_.gradient, first, count);
  });
  of_h.write_rows(pass.start_gradients + first_start_, pass.start_stride);
  norm1_.finish(parameters);
  norm2_.finish(parameters);
  if (parameters.wanted()) weight_gradients(pass, dh, of_y, parameters);
  arena.rewind(mark);
}

void TrainedResnet::weight_gradients(const TrainedPass& pass, const FeatureMap& dh, const ImageSums& of_y,
                                     ParameterGradients& parameters) const {
  add_filter_gradient(pass, block_.conv1.weight, x_.value, &norm1_, false, dh, parameters);
  add_filter_gradient(pass, block_.conv2.weight, h_, &norm2_, false, y_.gradient, parameters);
  of_y.write(parameters.place(block_.conv2.bias).data_ptr<float>());
  if (!block_.shortcut) return;
  row_gradients(x_.value, y_.gradient, parameters.place(block_.shortcut->weight));
  of_y.write(parameters.place(block_.shortcut->bias).data_ptr<float>());
}

TrainedAttention::TrainedAttention(const AttentionBlock& block, const TracedMap& x, const TracedMap& y,
                                   Arena& arena)
    : block_(block),
      x_(x),
      y_(y),
      norm_(block.norm, x.value, arena),
      normed_(arena.map(x.value.images, x.value.height, x.value.width, x.value.channels)),
      projections_(arena.map(x.value.images, x.value.height, x.value.width, 3 * x.value.channels)),
      mixed_(arena.map(x.value.images, x.value.height, x.value.width, x.value.channels)),
      query_scale_(std::sqrt(static_cast<double>(block.heads) / static_cast<double>(x.value.channels))),
      weight_(at::cat({block.query.weight * query_scale_, block.key.weight, block.value.weight})),
      bias_(at::cat({block.query.bias * query_scale_, block.key.bias, block.value.bias})) {}

void TrainedAttention::forward(TrainedPass& pass) {
  const Arena::Mark mark = pass.arena.mark();
  const FeatureMap &x = x_.value, &y = y_.value;
  const kernel::PackedFactor project = row_factor(weight_, false, pass),
                             out = row_factor(block_.out.weight, false, pass);
  const kernel::AttentionShape shape = {
      .pixels = x.pixels(), .heads = block_.heads, .size = x.channels / block_.heads};
  for_image_groups(x, [&](int64_t first, int64_t count) {
    norm_.forward(x, first, count);
    for (int64_t i = first; i < first + count; ++i) norm_.apply(x, i, normed_.image(i));
    multiply_rows(normed_, project, {.bias = bias_.data_ptr<float>()}, projections_, first, count);
    float* room = kernel::scratch(kernel::Scratch::own, kernel::attention_scratch(shape));
    for (int64_t i = first; i < first + count; ++i)
      kernel::attend(shape, projections_.image(i), mixed_.image(i), room);
    multiply_rows(mixed_, out, {.bias = block_.out.bias.data_ptr<float>()}, y, first, count);
    add(x, y, first, count);
    divide(y, block_.output_scale, first, count);
  });
  pass.arena.rewind(mark);
}

void TrainedAttention::backward(TrainedPass& pass, ParameterGradients& parameters) {
  Arena& arena = pass.arena;
  const Arena::Mark mark = arena.mark();
  const FeatureMap &x = x_.value, &dy = y_.gradient;
  // The gradient of what was mixed gives way to that of the normalised input.
  const FeatureMap through = arena.map(x.images, x.height, x.width, x.channels);
  const FeatureMap of_projections = arena.map(x.images, x.height, x.width, 3 * x.channels);
  const ImageSums out_sums(dy, arena), projection_sums(of_projections, arena);
  const kernel::PackedFactor project = row_factor(weight_, true, pass),
                             out = row_factor(block_.out.weight, true, pass);
  const kernel::AttentionShape shape = {
      .pixels = x.pixels(), .heads = block_.heads, .size = x.channels / block_.heads};
  for_image_groups(x, [&](int64_t first, int64_t count) {
    divide(dy, block_.output_scale, first, count);
    out_sums.add_up(dy, first, count);
    multiply_rows(dy, out, {}, through, first, count);
    float* room = kernel::scratch(kernel::Scratch::own, kernel::attention_gradient_scratch(shape));
    for (int64_t i = first; i < first + count; ++i)
      kernel::attend_gradient(shape, projections_.image(i), through.image(i), of_projections.image(i), room);
    projection_sums.add_up(of_projections, first, count);
    multiply_rows(of_projections, project, {}, through, first, count);
    norm_.backward(x_, through, false, &dy, first, count);
  });
  norm_.finish(parameters);
  if (parameters.wanted()) weight_gradients(of_projections, projection_sums, out_sums, parameters);
  arena.rewind(mark);
}

void TrainedAttention::weight_gradients(const FeatureMap& of_projections, const ImageSums& projection_sums,
                                        const ImageSums& out_sums, ParameterGradients& parameters) const {
  row_gradients(mixed_, y_.gradient, parameters.place(block_.out.weight));
  out_sums.write(parameters.place(block_.out.bias).data_ptr<float>());
  Tensor weight = at::empty_like(weight_), bias = at::empty_like(bias_);
  row_gradients(normed_, of_projections, weight);
  projection_sums.write(bias.data_ptr<float>());
  const int64_t channels = x_.value.channels;
  const Linear* layers[] = {&block_.query, &block_.key, &block_.value};
  for (int64_t k = 0; k < 3; ++k) {
    const double scale = k == 0 ? query_scale_ : 1;
    parameters.place(layers[k]->weight).copy_(weight.narrow(0, k * channels, channels) * scale);
    parameters.place(layers[k]->bias).copy_(bias.narrow(0, k * channels, channels) * scale);
  }
}

}  // namespace fokker
