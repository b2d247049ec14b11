#include "fokker/core/random/rng.h"

#include <ATen/Parallel.h>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/random/philox_draw.h"
#ifdef FOKKER_CUDA
#include "fokker/core/random/philox_cuda.h"
#endif

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

template <typename T>
using FillBlocks = void (*)(const PhiloxRows&, int64_t, int64_t, T*);

/// Fills (n, event) row by row, several threads sharing the blocks.
template <typename T>
void fill_rows(Tensor& out, const PhiloxRows& rows, FillBlocks<T> fill_blocks) {
  T* data = out.data_ptr<T>();
  at::parallel_for(0, out.size(0) * blocks_per_row<T>(rows), 4096,
                   [&](int64_t begin, int64_t end) { fill_blocks(rows, begin, end, data); });
}

/// Numbers [begin, end) of one block.
template <typename T>
void fill_part(PhiloxRows rows, int64_t block, int64_t begin, int64_t end, FillBlocks<T> fill_blocks,
               T* out) {
  T values[philox_block<T>];
  rows.first_sample += static_cast<uint64_t>(block);
  fill_blocks(rows, 0, 1, values);
  std::copy(values + begin, values + end, out);
}

template <typename T>
PhiloxDraw draw_of(const PhiloxRows& rows, const Tensor& out) {
  return with_shared_blocks<T>({.key = {rows.key[0], rows.key[1]},
                                .step = rows.step,
                                .first_sample = rows.first_sample,
                                .columns = event_size(out.sizes()),
                                .skipped = 0,
                                .count = out.numel()});
}

/// Numbers from `skipped` on of rows that are blocks.
template <typename T>
void fill_shared(Tensor& out, const PhiloxRows& rows, int64_t skipped, FillBlocks<T> fill_blocks) {
  constexpr int64_t size = philox_block<T>;
  const int64_t end = skipped + out.numel();  // in numbers, from the beginning of the first block
  T* data = out.data_ptr<T>() - skipped;
  const int64_t first_whole = (skipped + size - 1) / size, last_whole = end / size;
  if (skipped) fill_part(rows, 0, skipped, std::min(size, end), fill_blocks, data + skipped);
  if (end % size && last_whole >= first_whole)
    fill_part(rows, last_whole, 0, end % size, fill_blocks, data + last_whole * size);
  at::parallel_for(first_whole, std::max(first_whole, last_whole), 4096,
                   [&](int64_t from, int64_t to) { fill_blocks(rows, from, to, data); });
}

template <typename T>
void fill(Tensor& out, PhiloxRows rows, FillBlocks<T> fill_blocks) {
  if (out.numel() == 0) return;
  const PhiloxDraw draw = draw_of<T>(rows, out);
  const bool shared = draw.columns != event_size(out.sizes());
  rows.first_sample = draw.first_sample;
  rows.columns = draw.columns;
  shared ? fill_shared(out, rows, draw.skipped, fill_blocks) : fill_rows(out, rows, fill_blocks);
}

#ifdef FOKKER_CUDA
template <typename T>
void fill_on_cuda(Tensor& out, const PhiloxRows& rows) {
  if (out.numel() > 0) fill_normals_cuda<T>(draw_of<T>(rows, out), out.device().index(), out.data_ptr<T>());
}
#endif

Tensor empty_draw(IntArrayRef shape, at::TensorOptions options) {
  const auto type = c10::typeMetaToScalarType(options.dtype());
  check(!shape.empty(), "Rng: expected a shape with a sample dimension but received ()");
  check(type == at::kFloat || type == at::kDouble, "Rng: expected float32 or float64 but received {}",
        at::toString(type));
  return at::empty(shape, options);
}

/// A counter has 32 bits for the step: each further 2^32 steps have a key of their own.
PhiloxRows rows_at(std::array<uint32_t, 2> key, DrawPosition position) {
  if (high(position.step)) {
    const auto mixed = philox4x32({high(position.step), 0, 0x73746570u, 0x73000000u}, key);
    key = {mixed[0], mixed[1]};
  }
  return {
      .key = key, .step = low(position.step), .first_sample = static_cast<uint64_t>(position.first_sample)};
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

Tensor Rng::normal(IntArrayRef shape, DrawPosition position, at::ScalarType type) const try {
  Tensor out = empty_draw(shape, type);
  if (type == at::kFloat)
    fill<float>(out, rows_at(key_, position), fill_normals<float>);
  else
    fill<double>(out, rows_at(key_, position), fill_normals<double>);
  return out;
} catch (...) {
  detail::throw_as_error();
}

Tensor Rng::normal(IntArrayRef shape, DrawPosition position, const at::TensorOptions& type) const try {
  const auto scalar = c10::typeMetaToScalarType(type.dtype());
#ifdef FOKKER_CUDA
  if (type.device().is_cuda()) {
    Tensor out = empty_draw(shape, type);
    scalar == at::kFloat ? fill_on_cuda<float>(out, rows_at(key_, position))
                         : fill_on_cuda<double>(out, rows_at(key_, position));
    return out;
  }
#endif
  return normal(shape, position, scalar).to(type.device());
} catch (...) {
  detail::throw_as_error();
}

Tensor Rng::uniform(IntArrayRef shape, DrawPosition position, at::ScalarType type) const try {
  Tensor out = empty_draw(shape, type);
  if (type == at::kFloat)
    fill<float>(out, rows_at(key_, position), fill_uniforms<float>);
  else
    fill<double>(out, rows_at(key_, position), fill_uniforms<double>);
  return out;
} catch (...) {
  detail::throw_as_error();
}

Tensor Rng::integers(int64_t count, int64_t bound, DrawPosition position) const try {
  check(bound > 0 && bound < (int64_t{1} << 53), "Rng::integers: expected 0 < bound < 2^53 but received {}",
        bound);
  return (uniform({count}, position, at::kDouble) * static_cast<double>(bound)).floor().to(at::kLong);
} catch (...) {
  detail::throw_as_error();
}

Tensor Rng::permutation(int64_t count) const try {
  return uniform({count}, {}, at::kDouble).argsort(/*stable=*/true, 0, /*descending=*/false);
} catch (...) {
  detail::throw_as_error();
}

NoiseSource Rng::noise_source(at::ScalarType type) const {
  return noise_source(at::TensorOptions(type));
}

NoiseSource Rng::noise_source(const at::TensorOptions& type) const {
  return [rng = *this, type](IntArrayRef shape, DrawPosition position) {
    return rng.normal(shape, position, type);
  };
}

}  // namespace fokker
