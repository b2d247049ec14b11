#include "fokker/core/random/philox.h"

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

void box_muller_plain(double u1, double turn, double& first, double& second) {
  const double radius = std::sqrt(-2 * std::log(u1)), angle = 2 * std::numbers::pi * turn;
  first = radius * std::cos(angle);
  second = radius * std::sin(angle);
}

std::array<float, 4> normals(const Block& bits, float) {
  std::array<float, 4> values;
  for (int i = 0; i < 2; ++i) {
    const float u1 = (static_cast<float>(bits[i] >> 1) + 0.5f) * 0x1p-31f;
    double first, second;
    box_muller_plain(u1, bits[i + 2] * 0x1p-32, first, second);
    values[i] = static_cast<float>(first);
    values[i + 2] = static_cast<float>(second);
  }
  return values;
}
std::array<double, 2> normals(const Block& bits, double) {
  std::array<double, 2> values = uniforms(bits, double());
  box_muller_plain(values[0], values[1], values[0], values[1]);
  return values;
}

template <typename T, typename Numbers>
void fill_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out, Numbers numbers) {
  constexpr int64_t size = philox_block<T>;
  const int64_t blocks = blocks_per_row<T>(rows);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t row = i / blocks, block = i % blocks;
    const auto values = numbers(random_block(rows, row, block), T());
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

std::array<uint32_t, 4> random_block(const PhiloxRows& rows, int64_t row, int64_t block) {
  const uint64_t sample = rows.first_sample + static_cast<uint64_t>(row);
  return philox4x32({static_cast<uint32_t>(block), rows.step, low_half(sample), high_half(sample)}, rows.key);
}

template <typename T>
std::array<T, philox_block<T>> uniform_block(const PhiloxRows& rows, int64_t row, int64_t block) {
  return uniforms(random_block(rows, row, block), T());
}

template <typename T>
void fill_uniforms_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out) {
  fill_plain(rows, begin, end, out, [](const Block& bits, T type) { return uniforms(bits, type); });
}

template <typename T>
void fill_normals_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out) {
  fill_plain(rows, begin, end, out, [](const Block& bits, T type) { return normals(bits, type); });
}

#define FOKKER_PHILOX(T)                                                                         \
  template std::array<T, philox_block<T>> uniform_block<T>(const PhiloxRows&, int64_t, int64_t); \
  template void fill_uniforms_plain(const PhiloxRows&, int64_t, int64_t, T*);                    \
  template void fill_normals_plain(const PhiloxRows&, int64_t, int64_t, T*)

FOKKER_PHILOX(float);
FOKKER_PHILOX(double);

}  // namespace fokker
