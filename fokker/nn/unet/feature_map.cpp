#include "fokker/nn/unet/feature_map.h"

#include <algorithm>

namespace fokker {

FeatureMap FeatureMap::part(int64_t first, int64_t count) const {
  FeatureMap result = *this;
  result.data += first;
  result.channels = count;
  return result;
}

float* Arena::take(int64_t numbers) {
  constexpr int64_t chunk_numbers = int64_t{1024} * 1024;
  const int64_t size = (numbers + 15) / 16 * 16;
  while (mark_.chunk < chunks_.size() && mark_.used + size > chunks_[mark_.chunk].size)
    mark_ = {mark_.chunk + 1, 0};
  if (mark_.chunk == chunks_.size()) chunks_.push_back({{}, std::max(size, chunk_numbers)});
  Chunk& chunk = chunks_[mark_.chunk];
  float* begin = chunk.memory.reserve(chunk.size) + mark_.used;
  mark_.used += size;
  return begin;
}

FeatureMap Arena::map(int64_t images, int64_t height, int64_t width, int64_t channels) {
  return {.data = take(images * height * width * channels),
          .pixel_stride = channels,
          .images = images,
          .height = height,
          .width = width,
          .channels = channels};
}

void divide(const FeatureMap& y, double divisor, int64_t first, int64_t count) {
  if (divisor == 1) return;
  const auto factor = static_cast<float>(1 / divisor);
  const kernel::MatrixRows rows = y.rows(first);
  for (int64_t i = 0; i < count * y.pixels(); ++i)
    for (int64_t c = 0; c < y.channels; ++c) rows.row(i)[c] *= factor;
}

kernel::PatchShape downsampling_patches(const FeatureMap& x, const FeatureMap& y, int64_t padding) {
  return {.height = x.height,
          .width = x.width,
          .channels = x.channels,
          .rows = y.height,
          .columns = y.width,
          .stride = 2,
          .padding = padding};
}

void read_images(const Tensor& x, int64_t begin, bool centred, const FeatureMap& to) {
  const int64_t height = x.size(2), width = x.size(3), channels = x.size(1);
  const float* from = x.data_ptr<float>() + begin * channels * height * width;
  std::fill_n(to.data, to.images * to.pixels() * channels, 0.0f);
  for (int64_t i = 0; i < to.images; ++i)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t row = 0; row < height; ++row)
        for (int64_t column = 0; column < width; ++column, ++from)
          to.image(i)[(row * to.width + column) * channels + c] = centred ? *from * 2 - 1 : *from;
}

void write_images(const FeatureMap& from, int64_t begin, const Tensor& y) {
  const int64_t height = y.size(2), width = y.size(3), channels = y.size(1);
  float* to = y.data_ptr<float>() + begin * channels * height * width;
  for (int64_t i = 0; i < from.images; ++i)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t row = 0; row < height; ++row)
        for (int64_t column = 0; column < width; ++column, ++to)
          *to = from.image(i)[(row * from.width + column) * channels + c];
}

}  // namespace fokker
