#include "fokker/nn/unet/frozen_blocks.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "fokker/kernel/image/attention.h"
#include "fokker/kernel/vector/scratch.h"

namespace fokker {
namespace {

/// The query, key and value of all heads as one layer, with the scores' scale in the query.
FrozenLinear frozen_projections(const AttentionBlock& block, kernel::FactorPrecision precision) {
  const double scale =
      std::sqrt(static_cast<double>(block.heads) / static_cast<double>(block.out.weight.size(0)));
  return {at::cat({block.query.weight * scale, block.key.weight, block.value.weight}),
          at::cat({block.query.bias * scale, block.key.bias, block.value.bias}), precision};
}

}  // namespace

FrozenResnet::FrozenResnet(const ResnetBlock& block, int64_t first_start, kernel::FactorPrecision precision)
    : norm1_(block.norm1),
      norm2_(block.norm2),
      conv1_(block.conv1, precision),
      conv2_(block.conv2, precision),
      first_start_(first_start),
      output_scale_(block.output_scale) {
  if (block.shortcut) shortcut_.emplace(block.shortcut->weight, block.shortcut->bias, precision);
}

void FrozenResnet::operator()(const FeatureMap& x, const FeatureMap& y, FrozenPass& pass) const {
  Arena& arena = pass.arena;
  const Arena::Mark mark = arena.mark();
  const FeatureMap h = arena.map(x.images, x.height, x.width, conv1_.outputs());
  conv1_(x, h,
         {.norm = norm1_(x, arena), .start = pass.starts + first_start_, .start_stride = pass.start_stride});
  FeatureMap residual = x;
  if (shortcut_) (*shortcut_)(x, residual = arena.map(x.images, x.height, x.width, y.channels));
  conv2_(h, y, {.norm = norm2_(h, arena), .residual = &residual});
  divide(y, output_scale_, 0, y.images);
  arena.rewind(mark);
}

FrozenAttention::FrozenAttention(const AttentionBlock& block, kernel::FactorPrecision precision)
    : norm_(block.norm),
      projections_(frozen_projections(block, precision)),
      out_(block.out, precision),
      heads_(block.heads),
      output_scale_(block.output_scale) {}

void FrozenAttention::operator()(const FeatureMap& x, const FeatureMap& y, FrozenPass& pass) const {
  const Arena::Mark mark = pass.arena.mark();
  const FrozenNorm::Affine norm = norm_(x, pass.arena);
  at::parallel_for(0, x.images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) image(x, y, i, norm);
  });
  divide(y, output_scale_, 0, y.images);
  pass.arena.rewind(mark);
}

void FrozenAttention::image(const FeatureMap& x, const FeatureMap& y, int64_t i,
                            const FrozenNorm::Affine& norm) const {
  const int64_t channels = x.channels, pixels = x.pixels();
  const kernel::AttentionShape shape = {.pixels = pixels, .heads = heads_, .size = channels / heads_};
  float* rows =
      kernel::scratch(kernel::Scratch::own, 4 * pixels * channels + kernel::attention_scratch(shape));
  float *qkv = rows + pixels * channels, *rest = qkv + 3 * pixels * channels;
  const float *scale = norm.scale + i * channels, *centre = norm.centre + i * channels,
              *shift = norm.shift + i * channels;
  for (int64_t p = 0; p < pixels; ++p)
    for (int64_t c = 0; c < channels; ++c)
      rows[p * channels + c] = scale[c] * (x.image(i)[p * x.pixel_stride + c] - centre[c]) + shift[c];
  projections_(rows, channels, pixels, qkv, 3 * channels);
  kernel::attend(shape, qkv, rows, rest);
  out_(rows, channels, pixels, y.image(i), y.pixel_stride);
  for (int64_t p = 0; p < pixels; ++p)
    for (int64_t c = 0; c < channels; ++c)
      y.image(i)[p * y.pixel_stride + c] += x.image(i)[p * x.pixel_stride + c];
}

}  // namespace fokker
