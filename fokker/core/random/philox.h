#pragma once
#include <array>
#include <cstdint>

namespace fokker {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a bijection of
/// `counter` for each `key`. Agrees with the known-answer vectors published with Random123.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// A matrix of random numbers, row by row: row i is sample first_sample + i. A row is cut into blocks of four
/// float32 or two float64 numbers (the last one cut short), and block b comes from the 128 random bits of
/// counter (b, step, sample).
struct PhiloxRows {
  std::array<uint32_t, 2> key{};
  uint32_t step = 0;
  uint64_t first_sample = 0;
  int64_t columns = 1;
};

template <typename T>
constexpr int64_t philox_block = sizeof(T) == 4 ? 4 : 2;

template <typename T>
int64_t blocks_per_row(const PhiloxRows& rows) {
  return (rows.columns + philox_block<T> - 1) / philox_block<T>;
}

/// The random bits of one block, and the uniform numbers made of them.
std::array<uint32_t, 4> random_block(const PhiloxRows& rows, int64_t row, int64_t block);
template <typename T>
std::array<T, philox_block<T>> uniform_block(const PhiloxRows& rows, int64_t row, int64_t block);

/// Uniform numbers in (0, 1), never an end: 24 random bits for float32, 53 for float64.
/// Fills blocks [begin, end), counted through all rows, of the matrix at `out`. T is float or double.
template <typename T>
void fill_uniforms(const PhiloxRows& rows, int64_t begin, int64_t end, T* out);

/// Standard normal numbers by Box–Muller, sqrt(-2 log u1) (cos 2 pi u2, sin 2 pi u2): within 2 units in the
/// last place of the radius. In float64 (u1, u2) are the uniforms of a block, and the largest number is 8.57.
/// In float32 numbers 0 and 2 of a block come from its words 0 and 2, numbers 1 and 3 from words 1 and 3: u1
/// = (floor(w1 / 2) + 1/2) / 2^31, rounded to float32, and u2 = w2 / 2^32; the largest number is 6.66. As
/// many at a time as the processor's vectors hold, in operations that IEEE 754 rounds exactly: every number
/// has the same bits on every processor, wherever a range begins or ends.
template <typename T>
void fill_normals(const PhiloxRows& rows, int64_t begin, int64_t end, T* out);

/// The same two, block by block with the C library's functions in float64: the definition that they are
/// tested against.
template <typename T>
void fill_uniforms_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out);
template <typename T>
void fill_normals_plain(const PhiloxRows& rows, int64_t begin, int64_t end, T* out);

}  // namespace fokker
