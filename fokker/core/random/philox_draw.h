#pragma once
// The plain form of random numbers, in code that the processor and CUDA devices share: the definition that
// vector kernels are tested against, and what a CUDA kernel computes (philox.cu).
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

#ifdef __CUDACC__
#define FOKKER_ANY_DEVICE __host__ __device__
#else
#define FOKKER_ANY_DEVICE
#endif

namespace fokker {

/// A counter of Philox, or the random bits that it becomes.
struct PhiloxWords {
  uint32_t word[4];
};

/// As philox4x32 of philox.h.
FOKKER_ANY_DEVICE inline PhiloxWords philox_words(PhiloxWords c, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = 0xD2511F53ull * c.word[0], second = 0xCD9E8D57ull * c.word[2];
    c = {{static_cast<uint32_t>(second >> 32) ^ c.word[1] ^ key0, static_cast<uint32_t>(second),
          static_cast<uint32_t>(first >> 32) ^ c.word[3] ^ key1, static_cast<uint32_t>(first)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return c;
}

// The largest integer plus a half rounds to 1, an end; the largest number below 1 takes its place.
FOKKER_ANY_DEVICE inline float open_unit(uint32_t bits) {
  const float unit = (static_cast<float>(bits >> 8) + 0.5f) * 0x1p-24f;
  return unit < 1 ? unit : 1 - 0x1p-24f;
}
FOKKER_ANY_DEVICE inline double open_unit(uint32_t high, uint32_t low) {
  const uint64_t bits = (static_cast<uint64_t>(high) << 32 | low) >> 11;
  const double unit = (static_cast<double>(bits) + 0.5) * 0x1p-53;
  return unit < 1 ? unit : 1 - 0x1p-53;
}

/// The uniform numbers of a block.
FOKKER_ANY_DEVICE inline void uniforms_of(const PhiloxWords& bits, float (&out)[4]) {
  for (std::size_t i = 0; i < 4; ++i) out[i] = open_unit(bits.word[i]);
}
FOKKER_ANY_DEVICE inline void uniforms_of(const PhiloxWords& bits, double (&out)[2]) {
  for (std::size_t i = 0; i < 2; ++i) out[i] = open_unit(bits.word[2 * i], bits.word[2 * i + 1]);
}

FOKKER_ANY_DEVICE inline void box_muller_plain(double u1, double turn, double& first, double& second) {
  const double radius = std::sqrt(-2 * std::log(u1)), angle = 2 * std::numbers::pi * turn;
  first = radius * std::cos(angle);
  second = radius * std::sin(angle);
}

/// The normal numbers of a block, as fill_normals of philox.h says.
FOKKER_ANY_DEVICE inline void normals_of(const PhiloxWords& bits, float (&out)[4]) {
  for (int i = 0; i < 2; ++i) {
    const float u1 = (static_cast<float>(bits.word[i] >> 1) + 0.5f) * 0x1p-31f;
    double first, second;
    box_muller_plain(u1, bits.word[i + 2] * 0x1p-32, first, second);
    out[i] = static_cast<float>(first);
    out[i + 2] = static_cast<float>(second);
  }
}
FOKKER_ANY_DEVICE inline void normals_of(const PhiloxWords& bits, double (&out)[2]) {
  double units[2];
  uniforms_of(bits, units);
  box_muller_plain(units[0], units[1], out[0], out[1]);
}

/// A draw of `count` numbers: those from number `skipped` on of the rows of philox.h's PhiloxRows.
struct PhiloxDraw {
  uint32_t key[2];
  uint32_t step;
  uint64_t first_sample;
  int64_t columns, skipped, count;

  template <typename T>
  FOKKER_ANY_DEVICE int64_t blocks_per_row() const {
    constexpr int64_t size = sizeof(T) == 4 ? 4 : 2;
    return (columns + size - 1) / size;
  }
  /// Blocks of all rows that the draw touches.
  template <typename T>
  FOKKER_ANY_DEVICE int64_t blocks() const {
    return (skipped + count + columns - 1) / columns * blocks_per_row<T>();
  }
};

/// A draw of whole samples, one a row. Samples so small that several fit a block share it: sample i is part i
/// % share of the block of sample i / share.
template <typename T>
PhiloxDraw with_shared_blocks(PhiloxDraw draw) {
  constexpr int64_t size = sizeof(T) == 4 ? 4 : 2;
  if (draw.columns >= size || size % draw.columns != 0) return draw;
  const auto share = static_cast<uint64_t>(size / draw.columns);
  draw.skipped = static_cast<int64_t>(draw.first_sample % share) * draw.columns;
  draw.first_sample /= share;
  draw.columns = size;
  return draw;
}

/// Writes the numbers of block i of draw.blocks<T>(), of those that the draw has, to their places from `out`
/// on.
template <typename T>
FOKKER_ANY_DEVICE void store_normals(const PhiloxDraw& draw, int64_t i, T* out) {
  constexpr int64_t size = sizeof(T) == 4 ? 4 : 2;
  const int64_t row = i / draw.blocks_per_row<T>(), block = i % draw.blocks_per_row<T>();
  const uint64_t sample = draw.first_sample + static_cast<uint64_t>(row);
  T values[size];
  normals_of(philox_words({{static_cast<uint32_t>(block), draw.step, static_cast<uint32_t>(sample),
                            static_cast<uint32_t>(sample >> 32)}},
                          draw.key[0], draw.key[1]),
             values);
  const int64_t place = row * draw.columns + block * size - draw.skipped;
  for (int64_t j = 0; j < size && block * size + j < draw.columns; ++j)
    if (place + j >= 0 && place + j < draw.count) out[place + j] = values[j];
}

}  // namespace fokker
