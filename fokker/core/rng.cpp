#include "fokker/core/rng.h"

#include <ATen/Parallel.h>

#include "fokker/core/error.h"

namespace fokker {
namespace {

uint32_t low(uint64_t value) {
  return static_cast<uint32_t>(value);
}
uint32_t high(uint64_t value) {
  return static_cast<uint32_t>(value >> 32);
}

/// FNV-1a: names of streams become numbers.
uint64_t hash(std::string_view text) {
  uint64_t value = 14695981039346656037ull;
  for (unsigned char c : text) value = (value ^ c) * 1099511628211ull;
  return value;
}

/// Fills (n, event) row by row, several threads sharing the blocks.
template <typename T>
void fill(Tensor& out, PhiloxRows rows, void (*fill_blocks)(const PhiloxRows&, int64_t, int64_t, T*)) {
  if (out.numel() == 0) return;
  rows.columns = out.numel() / out.size(0);
  T* data = out.data_ptr<T>();
  at::parallel_for(0, out.size(0) * blocks_per_row<T>(rows), 4096,
                   [&](int64_t begin, int64_t end) { fill_blocks(rows, begin, end, data); });
}

Tensor empty_draw(IntArrayRef shape, at::ScalarType type) {
  check(!shape.empty(), "Rng: expected a shape with a sample dimension but received ()");
  check(type == at::kFloat || type == at::kDouble, "Rng: expected float32 or float64 but received {}",
        at::toString(type));
  return at::empty(shape, at::TensorOptions(type));
}

PhiloxRows rows_at(std::array<uint32_t, 2> key, DrawPosition position) {
  return {.key = key, .step = position.step, .first_sample = static_cast<uint64_t>(position.first_sample)};
}

}  // namespace

Rng::Rng(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {
  const auto mixed =
      philox4x32({low(stream), high(stream), 0x666F6B6Bu, 0x65720000u}, {low(seed), high(seed)});
  key_ = {mixed[0], mixed[1]};
}

Rng Rng::stream(uint64_t id) const {
  const auto mixed = philox4x32({low(id), high(id), low(stream_), high(stream_)}, {0x73747265u, 0x616D0000u});
  return Rng(seed_, static_cast<uint64_t>(mixed[1]) << 32 | mixed[0]);
}

Rng Rng::stream(std::string_view purpose) const {
  return stream(hash(purpose));
}

Tensor Rng::normal(IntArrayRef shape, DrawPosition position, at::ScalarType type) const {
  Tensor out = empty_draw(shape, type);
  if (type == at::kFloat)
    fill<float>(out, rows_at(key_, position), fill_normals<float>);
  else
    fill<double>(out, rows_at(key_, position), fill_normals<double>);
  return out;
}

Tensor Rng::uniform(IntArrayRef shape, DrawPosition position, at::ScalarType type) const {
  Tensor out = empty_draw(shape, type);
  if (type == at::kFloat)
    fill<float>(out, rows_at(key_, position), fill_uniforms<float>);
  else
    fill<double>(out, rows_at(key_, position), fill_uniforms<double>);
  return out;
}

Tensor Rng::integers(int64_t count, int64_t bound, DrawPosition position) const {
  check(bound > 0 && bound < (int64_t{1} << 53), "Rng::integers: expected 0 < bound < 2^53 but received {}",
        bound);
  return (uniform({count}, position, at::kDouble) * static_cast<double>(bound)).floor().to(at::kLong);
}

Tensor Rng::permutation(int64_t count) const {
  return uniform({count}, {}, at::kDouble).argsort(/*stable=*/true, 0, /*descending=*/false);
}

NoiseSource Rng::noise_source(at::ScalarType type) const {
  return [rng = *this, type](IntArrayRef shape, DrawPosition position) {
    return rng.normal(shape, position, type);
  };
}

}  // namespace fokker
