#include "fokker/core/rng.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <numbers>

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

/// Uniform in (0, 1), never an end: 24 random bits for float, 53 for double.
float open_unit(uint32_t bits) {
  return (static_cast<float>(bits >> 8) + 0.5f) * 0x1p-24f;
}
double open_unit(uint32_t hi, uint32_t lo) {
  const uint64_t bits = (static_cast<uint64_t>(hi) << 32 | lo) >> 11;
  return (static_cast<double>(bits) + 0.5) * 0x1p-53;
}

/// Box–Muller on one Philox block: four float normals, or two double ones.
void normals(const std::array<uint32_t, 4>& bits, float out[4]) {
  for (int pair = 0; pair < 2; ++pair) {
    const float radius = std::sqrt(-2.0f * std::log(open_unit(bits[2 * pair])));
    const float angle = 2.0f * std::numbers::pi_v<float> * open_unit(bits[2 * pair + 1]);
    out[2 * pair] = radius * std::cos(angle);
    out[2 * pair + 1] = radius * std::sin(angle);
  }
}
void normals(const std::array<uint32_t, 4>& bits, double out[2]) {
  const double radius = std::sqrt(-2.0 * std::log(open_unit(bits[0], bits[1])));
  const double angle = 2.0 * std::numbers::pi * open_unit(bits[2], bits[3]);
  out[0] = radius * std::cos(angle);
  out[1] = radius * std::sin(angle);
}
void uniforms(const std::array<uint32_t, 4>& bits, float out[4]) {
  for (int i = 0; i < 4; ++i) out[i] = open_unit(bits[i]);
}
void uniforms(const std::array<uint32_t, 4>& bits, double out[2]) {
  out[0] = open_unit(bits[0], bits[1]);
  out[1] = open_unit(bits[2], bits[3]);
}

template <typename T>
constexpr int64_t per_block = sizeof(T) == 4 ? 4 : 2;

/// Fills (n, event) row by row: counter = (block within the sample, step, sample index).
template <typename T, typename Convert>
void fill(Tensor& out, std::array<uint32_t, 2> key, DrawPosition position, Convert convert) {
  const int64_t rows = out.size(0);
  const int64_t columns = rows ? out.numel() / rows : 0;
  T* data = out.data_ptr<T>();
  at::parallel_for(
      0, rows, std::max<int64_t>(1, 4096 / std::max<int64_t>(columns, 1)), [&](int64_t begin, int64_t end) {
        T block[per_block<T>];
        for (int64_t row = begin; row < end; ++row) {
          const auto sample = static_cast<uint64_t>(position.first_sample + row);
          T* destination = data + row * columns;
          for (int64_t c = 0; c < columns; c += per_block<T>) {
            convert(
                philox4x32(
                    {static_cast<uint32_t>(c / per_block<T>), position.step, low(sample), high(sample)}, key),
                block);
            std::copy_n(block, std::min(per_block<T>, columns - c), destination + c);
          }
        }
      });
}

template <typename Convert>
Tensor filled(IntArrayRef shape, at::ScalarType type, std::array<uint32_t, 2> key, DrawPosition position,
              Convert convert) {
  check(!shape.empty(), "Rng: expected a shape with a sample dimension but received ()");
  check(type == at::kFloat || type == at::kDouble, "Rng: expected float32 or float64 but received {}",
        at::toString(type));
  Tensor out = at::empty(shape, at::TensorOptions(type));
  if (type == at::kFloat)
    fill<float>(out, key, position, convert);
  else
    fill<double>(out, key, position, convert);
  return out;
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = 0xD2511F53ull * counter[0];
    const uint64_t second = 0xCD9E8D57ull * counter[2];
    counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1],
               low(first)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

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
  return filled(shape, type, key_, position, [](const auto& bits, auto* out) { normals(bits, out); });
}

Tensor Rng::uniform(IntArrayRef shape, DrawPosition position, at::ScalarType type) const {
  return filled(shape, type, key_, position, [](const auto& bits, auto* out) { uniforms(bits, out); });
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
