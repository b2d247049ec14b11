#include "fokker/core/random/philox.h"

#include <algorithm>

#include "fokker/core/random/philox_draw.h"

namespace fokker {
namespace {

using Block = std::array<uint32_t, 4>;

uint32_t low_half(uint64_t value) {
  return static_cast<uint32_t>(value);
}
uint32_t high_half(uint64_t value) {
  return static_cast<uint32_t>(value >> 32);
}

template <typename T>
using Numbers = std::array<T, philox_block<T>>;

PhiloxWords words_of(const Block& bits) {
  return {{bits[0], bits[1], bits[2], bits[3]}};
}

template <typename T>
Numbers<T> uniforms(const Block& bits) {
  T values[philox_block<T>];
  uniforms_of(words_of(bits), values);
  return std::to_array(values);
}

template <typename T>
Numbers<T> normals(const Block& bits) {
  T values[philox_block<T>];
  normals_of(words_of(bits), values);
  return std::to_array(values);
}

template <typename T>
void fill_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out,
                Numbers<T> (*numbers)(const Block&)) {
  constexpr int64_t size = philox_block<T>;
  const int64_t blocks = blocks_per_row<T>(rows);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t row = i / blocks, block = i % blocks;
    const auto values = numbers(random_block(rows, row, block));
    std::copy_n(values.data(), std::min(size, rows.columns - block * size),
                out + row * rows.columns + block * size);
  }
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  return std::to_array(philox_words(words_of(counter), key[0], key[1]).word);
}

std::array<uint32_t, 4> random_block(const PhiloxRows& rows, int64_t row, int64_t block) {
  const uint64_t sample = rows.first_sample + static_cast<uint64_t>(row);
  return philox4x32({static_cast<uint32_t>(block), rows.step, low_half(sample), high_half(sample)}, rows.key);
}

template <typename T>
std::array<T, philox_block<T>> uniform_block(const PhiloxRows& rows, int64_t row, int64_t block) {
  return uniforms<T>(random_block(rows, row, block));
}

template <typename T>
void fill_uniforms_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out) {
  fill_plain(rows, begin, end, out, uniforms<T>);
}

template <typename T>
void fill_normals_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out) {
  fill_plain(rows, begin, end, out, normals<T>);
}

#define FOKKER_PHILOX(T)                                                                         \
  template std::array<T, philox_block<T>> uniform_block<T>(const PhiloxRows&, int64_t, int64_t); \
  template void fill_uniforms_plain(const PhiloxRows&, int64_t, int64_t, T*);                    \
  template void fill_normals_plain(const PhiloxRows&, int64_t, int64_t, T*)

FOKKER_PHILOX(float);
FOKKER_PHILOX(double);

}  // namespace fokker
