#include "fokker/core/philox.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fokker {
namespace {

using Block = std::array<uint32_t, 4>;

uint32_t low_half(uint64_t value) {
  return static_cast<uint32_t>(value);
}
uint32_t high_half(uint64_t value) {
  return static_cast<uint32_t>(value >> 32);
}

// The largest integer plus a half rounds to 1, an end; the largest number below 1 takes its place.
float open_unit(uint32_t bits) {
  return std::min((static_cast<float>(bits >> 8) + 0.5f) * 0x1p-24f, 1 - 0x1p-24f);
}
double open_unit(uint32_t hi, uint32_t lo) {
  const uint64_t bits = (static_cast<uint64_t>(hi) << 32 | lo) >> 11;
  return std::min((static_cast<double>(bits) + 0.5) * 0x1p-53, 1 - 0x1p-53);
}

std::array<float, 4> uniforms(const Block& bits, float) {
  return {open_unit(bits[0]), open_unit(bits[1]), open_unit(bits[2]), open_unit(bits[3])};
}
std::array<double, 2> uniforms(const Block& bits, double) {
  return {open_unit(bits[0], bits[1]), open_unit(bits[2], bits[3])};
}

template <typename T, typename Convert>
void fill_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out, Convert convert) {
  constexpr int64_t size = philox_block<T>;
  const int64_t blocks = blocks_per_row<T>(rows);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t row = i / blocks, block = i % blocks;
    auto values = uniform_block<T>(rows, row, block);
    convert(values);
    std::copy_n(values.data(), std::min(size, rows.columns - block * size),
                out + row * rows.columns + block * size);
  }
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = 0xD2511F53ull * counter[0];
    const uint64_t second = 0xCD9E8D57ull * counter[2];
    counter = {high_half(second) ^ counter[1] ^ key[0], low_half(second),
               high_half(first) ^ counter[3] ^ key[1], low_half(first)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

template <typename T>
std::array<T, philox_block<T>> uniform_block(const PhiloxRows& rows, int64_t row, int64_t block) {
  const uint64_t sample = rows.first_sample + static_cast<uint64_t>(row);
  return uniforms(
      philox4x32({static_cast<uint32_t>(block), rows.step, low_half(sample), high_half(sample)}, rows.key),
      T());
}

template <typename T>
void fill_uniforms_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out) {
  fill_plain(rows, begin, end, out, [](auto&) {});
}

template <typename T>
void fill_normals_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out) {
  fill_plain(rows, begin, end, out, [](auto& values) {
    for (size_t i = 0; i < values.size(); i += 2) {
      const T radius = std::sqrt(-2 * std::log(values[i]));
      const T angle = 2 * std::numbers::pi_v<T> * values[i + 1];
      values[i] = radius * std::cos(angle);
      values[i + 1] = radius * std::sin(angle);
    }
  });
}

#define FOKKER_PHILOX(T)                                                                         \
  template std::array<T, philox_block<T>> uniform_block<T>(const PhiloxRows&, int64_t, int64_t); \
  template void fill_uniforms_plain(const PhiloxRows&, int64_t, int64_t, T*);                    \
  template void fill_normals_plain(const PhiloxRows&, int64_t, int64_t, T*)

FOKKER_PHILOX(float);
FOKKER_PHILOX(double);

}  // namespace fokker
