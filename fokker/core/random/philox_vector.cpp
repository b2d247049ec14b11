// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/core/random/philox_vector.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
// clang-format on

#include <algorithm>

#include "fokker/core/random/box_muller-inl.h"
#include "fokker/core/random/philox.h"
#include "fokker/core/random/philox_rounds-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fokker {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR  // a processor without SSSE3: the same operations on one number at a time

void normals_of(hn::ScalableTag<float> d, const std::array<uint32_t, 4>& bits, std::array<float, 4>& values) {
  const hn::ScalableTag<uint32_t> words;
  for (int j = 0; j < 2; ++j) {
    hn::Vec<decltype(d)> first, second;
    box_muller(d, hn::Set(words, bits[j]), hn::Set(words, bits[j + 2]), first, second);
    values[j] = hn::GetLane(first);
    values[j + 2] = hn::GetLane(second);
  }
}

void normals_of(hn::ScalableTag<double> d, const std::array<uint32_t, 4>&, std::array<double, 2>& values) {
  auto first = hn::Set(d, values[0]), second = hn::Set(d, values[1]);
  box_muller(d, first, second);
  values = {hn::GetLane(first), hn::GetLane(second)};
}

template <typename T, bool kNormal>
void fill(const PhiloxRows& rows, int64_t begin, int64_t end, T* out) {
  constexpr int64_t size = philox_block<T>;
  const hn::ScalableTag<T> d;
  const int64_t blocks = blocks_per_row<T>(rows);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t row = i / blocks, block = i % blocks;
    auto values = uniform_block<T>(rows, row, block);
    if constexpr (kNormal) normals_of(d, random_block(rows, row, block), values);
    std::copy_n(values.data(), std::min(size, rows.columns - block * size),
                out + row * rows.columns + block * size);
  }
}

#else

/// Stores four vectors which interleaved are the uniform numbers of the blocks in order.
HWY_INLINE void uniforms_of(hn::ScalableTag<float> d, const Bits& bits, float* out) {
  const Words words;
  const hn::RebindToSigned<Words> integers;
  for (int i = 0; i < 4; ++i) {
    const auto odd = hn::BitCast(words, hn::ShiftLeft<32>(bits.odd[i]));
    const auto all = hn::OddEven(odd, hn::BitCast(words, bits.even[i]));
    const auto integer = hn::ConvertTo(d, hn::BitCast(integers, hn::ShiftRight<8>(all)));
    const auto unit = hn::Mul(hn::Add(integer, hn::Set(d, 0.5f)), hn::Set(d, 0x1p-24f));
    hn::Store(hn::Min(unit, hn::Set(d, 1 - 0x1p-24f)), d, out + i * hn::Lanes(d));
  }
}

HWY_INLINE void uniforms_of(hn::ScalableTag<double> d, const Bits& bits, double* out) {
  const Pairs pairs;
  const auto unit = [&](PairVector high, PairVector low) {
    const auto low_word = hn::And(low, hn::Set(pairs, uint64_t{0xffffffff}));
    const auto integer = hn::ShiftRight<11>(hn::Or(hn::ShiftLeft<32>(high), low_word));
    // 26 bits and 27 bits, each exact as the low bits of 2^52 or 2^79.
    const auto upper = hn::Or(hn::ShiftRight<27>(integer), hn::Set(pairs, uint64_t{0x44E0000000000000}));
    const auto lower = hn::Or(hn::And(integer, hn::Set(pairs, uint64_t{(1 << 27) - 1})),
                              hn::Set(pairs, uint64_t{0x4330000000000000}));
    const auto value = hn::Add(hn::Sub(hn::BitCast(d, upper), hn::Set(d, 0x1p79)),
                               hn::Sub(hn::BitCast(d, lower), hn::Set(d, 0x1p52)));
    return hn::Min(hn::Mul(hn::Add(value, hn::Set(d, 0.5)), hn::Set(d, 0x1p-53)), hn::Set(d, 1 - 0x1p-53));
  };
  hn::Store(unit(bits.even[0], bits.even[1]), d, out);
  hn::Store(unit(bits.even[2], bits.even[3]), d, out + hn::Lanes(d));
  hn::Store(unit(bits.odd[0], bits.odd[1]), d, out + 2 * hn::Lanes(d));
  hn::Store(unit(bits.odd[2], bits.odd[3]), d, out + 3 * hn::Lanes(d));
}

/// Stores the bits of the blocks as four vectors: words 0 and 1 of the even blocks side by side, their words
/// 2 and 3, and the same of the odd blocks.
HWY_INLINE void words_of(const Bits& bits, float* out) {
  const Words words;
  const hn::ScalableTag<float> d;
  const auto store = [&](PairVector low, PairVector high, int place) HWY_ATTR {
    const auto both = hn::OddEven(hn::BitCast(words, hn::ShiftLeft<32>(high)), hn::BitCast(words, low));
    hn::Store(hn::BitCast(d, both), d, out + place * hn::Lanes(d));
  };
  store(bits.even[0], bits.even[1], 0);
  store(bits.even[2], bits.even[3], 1);
  store(bits.odd[0], bits.odd[1], 2);
  store(bits.odd[2], bits.odd[3], 3);
}

/// Stores the numbers of a vector of blocks in order.
HWY_INLINE void store_uniforms(const float* from, float* out) {
  const hn::ScalableTag<float> d;
  const size_t step = hn::Lanes(d);
  hn::StoreInterleaved4(hn::Load(d, from), hn::Load(d, from + step), hn::Load(d, from + 2 * step),
                        hn::Load(d, from + 3 * step), d, out);
}
HWY_INLINE void store_uniforms(const double* from, double* out) {
  const hn::ScalableTag<double> d;
  const size_t step = hn::Lanes(d);
  hn::StoreInterleaved4(hn::Load(d, from), hn::Load(d, from + step), hn::Load(d, from + 2 * step),
                        hn::Load(d, from + 3 * step), d, out);
}

/// The same of normal numbers, from what words_of stored.
HWY_INLINE void store_normals(const float* from, float* out) {
  const hn::ScalableTag<float> d;
  const hn::Repartition<double, decltype(d)> pairs;  // of floats
  const Words words;
  const size_t step = hn::Lanes(d);
  const auto load = [&](int place) HWY_ATTR { return hn::BitCast(words, hn::Load(d, from + place * step)); };
  hn::Vec<decltype(d)> even_first, even_second, odd_first, odd_second;
  box_muller(d, load(0), load(1), even_first, even_second);
  box_muller(d, load(2), load(3), odd_first, odd_second);
  hn::StoreInterleaved4(hn::BitCast(pairs, even_first), hn::BitCast(pairs, even_second),
                        hn::BitCast(pairs, odd_first), hn::BitCast(pairs, odd_second), pairs,
                        reinterpret_cast<double*>(out));
}

/// From uniform numbers.
HWY_INLINE void store_normals(const double* from, double* out) {
  const hn::ScalableTag<double> d;
  const size_t step = hn::Lanes(d);
  auto v0 = hn::Load(d, from), v1 = hn::Load(d, from + step);
  auto v2 = hn::Load(d, from + 2 * step), v3 = hn::Load(d, from + 3 * step);
  box_muller(d, v0, v1);
  box_muller(d, v2, v3);
  hn::StoreInterleaved4(v0, v1, v2, v3, d, out);
}

/// Copies what rows hold of `count` blocks, which lie one after the other at `values`.
template <typename T>
HWY_NOINLINE void scatter(const PhiloxRows& rows, int64_t blocks, Place place, int64_t count, const T* values,
                          T* out) {
  constexpr int64_t size = philox_block<T>;
  for (int64_t i = 0; i < count; ++i, values += size) {
    const int64_t column = place.block * size;
    T* to = out + place.row * rows.columns + column;
    const int64_t width = std::min(size, rows.columns - column);
    for (int64_t j = 0; j < width; ++j) to[j] = values[j];
    if (++place.block == blocks) place = {place.row + 1, 0};
  }
}

HWY_INLINE Place advanced(Place place, int64_t count, int64_t blocks) {
  place.block += count;
  if (place.block < blocks) return place;
  return {place.row + place.block / blocks, place.block % blocks};
}

/// Random bits of several vectors of blocks, which then become numbers: two short loops, whose
/// iterations the processor overlaps, where one long loop would wait for its own results.
template <typename T, bool kNormal>
HWY_INLINE void fill(const PhiloxRows& rows, int64_t begin, int64_t end, T* out) {
  constexpr int64_t size = philox_block<T>, batch = 16;
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(Words())), step = static_cast<int64_t>(hn::Lanes(d));
  const int64_t blocks = blocks_per_row<T>(rows);
  const bool whole = rows.columns % size == 0;
  HWY_ALIGN T numbers[batch * 4 * hn::MaxLanes(d)];
  HWY_ALIGN T buffer[4 * hn::MaxLanes(d)];
  const KeySchedule keys(rows.key);
  Place place{begin / blocks, begin % blocks};
  for (int64_t first = begin; first < end; first += batch * lanes) {
    const int64_t vectors = std::min(batch, (end - first + lanes - 1) / lanes);
    Place at = place;
    for (int64_t i = 0; i < vectors; ++i, at = advanced(at, lanes, blocks)) {
      Bits bits = counters_of(rows, blocks, at);
      philox(bits, keys);
      if constexpr (kNormal && sizeof(T) == 4)
        words_of(bits, numbers + i * 4 * step);
      else
        uniforms_of(d, bits, numbers + i * 4 * step);
    }
    for (int64_t i = 0; i < vectors; ++i, place = advanced(place, lanes, blocks)) {
      const int64_t block = first + i * lanes;
      const bool direct = whole && block + lanes <= end;
      T* to = direct ? out + block * size : buffer;
      kNormal ? store_normals(numbers + i * 4 * step, to) : store_uniforms(numbers + i * 4 * step, to);
      if (!direct) scatter(rows, blocks, place, std::min(lanes, end - block), buffer, out);
    }
  }
}

#endif

void normals32(const PhiloxRows& rows, int64_t begin, int64_t end, float* out) {
  fill<float, true>(rows, begin, end, out);
}
void normals64(const PhiloxRows& rows, int64_t begin, int64_t end, double* out) {
  fill<double, true>(rows, begin, end, out);
}
void uniforms32(const PhiloxRows& rows, int64_t begin, int64_t end, float* out) {
  fill<float, false>(rows, begin, end, out);
}
void uniforms64(const PhiloxRows& rows, int64_t begin, int64_t end, double* out) {
  fill<double, false>(rows, begin, end, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker {

HWY_EXPORT(normals32);
HWY_EXPORT(normals64);
HWY_EXPORT(uniforms32);
HWY_EXPORT(uniforms64);

template <>
void fill_normals(const PhiloxRows& rows, int64_t begin, int64_t end, float* out) {
  HWY_DYNAMIC_DISPATCH(normals32)(rows, begin, end, out);
}
template <>
void fill_normals(const PhiloxRows& rows, int64_t begin, int64_t end, double* out) {
  HWY_DYNAMIC_DISPATCH(normals64)(rows, begin, end, out);
}
template <>
void fill_uniforms(const PhiloxRows& rows, int64_t begin, int64_t end, float* out) {
  HWY_DYNAMIC_DISPATCH(uniforms32)(rows, begin, end, out);
}
template <>
void fill_uniforms(const PhiloxRows& rows, int64_t begin, int64_t end, double* out) {
  HWY_DYNAMIC_DISPATCH(uniforms64)(rows, begin, end, out);
}

}  // namespace fokker
#endif
