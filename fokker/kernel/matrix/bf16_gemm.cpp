// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/matrix/bf16_gemm.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include "fokker/kernel/vector/vector_loops-inl.h"
// clang-format on

#include <algorithm>
#include <cstring>

#include "fokker/kernel/matrix/bf16_units.h"
#include "fokker/kernel/vector/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The bits of x rounded to bfloat16, in the upper half.
template <class D, class V = hn::Vec<D>>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> rounded_bits(D, V x) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, x), upper = hn::Set(du, 0xffff0000u);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
  const auto nearest = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7fffu)));
  const auto quiet = hn::Or(bits, hn::Set(du, 0x00400000u));  // adding would carry a NaN's mantissa away
  const auto is_nan = hn::RebindMask(du, hn::IsNaN(x));
  return hn::And(hn::IfThenElse(is_nan, quiet, nearest), upper);
}

/// to[j] = the rounded even[j], and odd[j] in the upper half; no odd: zeros.
void alternate_rows(const float* even, const float* odd, int64_t columns, uint32_t* to) {
  const hn::ScalableTag<float> d;
  for_vectors(d, columns, [&](auto access, int64_t k) HWY_ATTR {
    const auto low = hn::ShiftRight<16>(rounded_bits(d, access.load(d, even + k)));
    const auto both = odd ? hn::Or(low, rounded_bits(d, access.load(d, odd + k))) : low;
    access.store(hn::BitCast(d, both), d, reinterpret_cast<float*>(to) + k);
  });
}

/// The numbers of a row, rounded; `columns` of them.
void round_row(const float* from, int64_t columns, uint16_t* to) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<uint16_t, decltype(d)> half;
  const hn::RebindToSigned<decltype(d)> integers;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN float rest[hn::MaxLanes(d)] = {};
  HWY_ALIGN uint16_t rounded[hn::MaxLanes(half)];
  const auto round = [&](const float* numbers) HWY_ATTR {
    const auto bits = hn::ShiftRight<16>(rounded_bits(d, hn::LoadU(d, numbers)));
    return hn::DemoteTo(half, hn::BitCast(integers, bits));
  };
  int64_t k = 0;
  for (; k + lanes <= columns; k += lanes) hn::StoreU(round(from + k), half, to + k);
  if (k == columns) return;
  std::copy_n(from + k, columns - k, rest);
  hn::Store(round(rest), half, rounded);
  std::copy_n(rounded, columns - k, to + k);
}

/// One panel's product for up to four rows: the numbers of a pair of rows are the halves of a lane.
template <int64_t Rows>
HWY_INLINE void rounded_tile(const Bf16Product& p, int64_t row, int64_t panel, float* sums) {
  const hn::CappedTag<float, gemm_panel> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  constexpr int64_t lanes = hn::MaxLanes(d), vectors = gemm_panel / lanes;
  for (int64_t v = 0; v < vectors; ++v) {
    hn::Vec<decltype(d)> total[Rows];
    for (int64_t i = 0; i < Rows; ++i) total[i] = hn::LoadU(d, sums + i * gemm_panel + v * lanes);
    p.each_block(row, [&](int64_t block, const uint16_t* left) HWY_ATTR {
      const auto* right = reinterpret_cast<const uint32_t*>(p.right(block, panel)) + v * lanes;
      for (int64_t k = 0; k < bf16_depth / 2; ++k) {
        const auto pair = hn::LoadU(du, right + k * gemm_panel);
        const auto even = hn::BitCast(d, hn::ShiftLeft<16>(pair));
        const auto odd = hn::BitCast(d, hn::And(pair, hn::Set(du, 0xffff0000u)));
        for (int64_t i = 0; i < Rows; ++i) {
          uint32_t factors;
          std::memcpy(&factors, left + i * p.a.row_step + k * p.a.pair_step, sizeof factors);
          total[i] = hn::MulAdd(hn::BitCast(d, hn::Set(du, factors << 16)), even, total[i]);
          total[i] = hn::MulAdd(hn::BitCast(d, hn::Set(du, factors & 0xffff0000u)), odd, total[i]);
        }
      }
    });
    for (int64_t i = 0; i < Rows; ++i) hn::StoreU(total[i], d, sums + i * gemm_panel + v * lanes);
  }
}

void gemm_without_unit(const Bf16Product& p) {
  constexpr int64_t together = 4;  // divides bf16_tile_rows, to which rows are padded
  HWY_ALIGN float sums[together * gemm_panel];
  for (int64_t row = 0; row < p.rows; row += together)
    for (int64_t j = 0; j < p.b.columns; j += gemm_panel) {
      const int64_t rows = std::min(together, p.rows - row), columns = std::min(gemm_panel, p.b.columns - j);
      std::fill_n(sums, together * gemm_panel, 0.0f);
      for (int64_t i = 0; i < rows; ++i) {
        const float* start = p.start.add    ? p.c + (row + i) * p.c_stride + j
                             : p.start.bias ? p.start.bias + j
                                            : nullptr;
        if (start) std::copy_n(start, columns, sums + i * gemm_panel);
      }
      rounded_tile<together>(p, row, j, sums);
      for (int64_t i = 0; i < rows; ++i)
        std::copy_n(sums + i * gemm_panel, columns, p.c + (row + i) * p.c_stride + j);
    }
}

/// The units belong to AVX-512, whose target of Highway stands for them: a process kept from it has none.
Bf16Unit unit_of_target() {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if (has_bf16_tiles()) return Bf16Unit::tiles;
  if (has_bf16_vectors()) return Bf16Unit::vectors;
#endif
  return Bf16Unit::none;
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {
namespace {

HWY_EXPORT(alternate_rows);
HWY_EXPORT(round_row);
HWY_EXPORT(gemm_without_unit);
HWY_EXPORT(unit_of_target);

int64_t filled(int64_t count, int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// Lays out a matrix of pairs: a copy of 32 bits each, whatever numbers they would be.
void pack_pairs(const uint32_t* pairs, int64_t row_stride, int64_t column_stride, int64_t rows,
                int64_t columns, void* to) {
  pack_matrix({reinterpret_cast<const float*>(pairs), row_stride, column_stride}, rows, columns,
              static_cast<float*>(to));
}

/// How rows are rounded here.
struct Rounding {
  void (*row)(const float*, int64_t, uint16_t*);
  void (*alternate)(const float*, const float*, int64_t, uint32_t*);

  explicit Rounding(Bf16Unit unit)
      : row(unit == Bf16Unit::none ? HWY_DYNAMIC_DISPATCH(round_row) : round_with_vectors),
        alternate(unit == Bf16Unit::none ? HWY_DYNAMIC_DISPATCH(alternate_rows) : alternate_with_vectors) {}
};

/// As round_rows of bf16_units.h.
void round_rows(const Rounding& rounding, const float* from, int64_t from_stride, int64_t rows,
                int64_t columns, uint16_t* to, int64_t stride) {
  for (int64_t i = 0; i < rows; ++i, from += from_stride, to += stride) {
    rounding.row(from, columns, to);
    std::fill(to + columns, to + stride, uint16_t{0});
  }
}

/// Rounds rows two by two, `pairs` rows of pairs; those beyond the rows are zero.
void pair_rows(const Rounding& rounding, const float* from, int64_t from_stride, int64_t rows,
               int64_t columns, int64_t pairs, int64_t stride, uint32_t* to) {
  for (int64_t i = 0; i < 2 * pairs; i += 2, to += stride) {
    const float* even = from + i * from_stride;
    if (i < rows)
      rounding.alternate(even, i + 1 < rows ? even + from_stride : nullptr, columns, to);
    else
      std::fill_n(to, columns, 0u);
  }
}

/// Rows whose numbers lie side by side, in blocks of columns.
Bf16Left left_by_rows(const Rounding& rounding, const MatrixView& a, int64_t m, int64_t columns) {
  const int64_t padded = filled(m, bf16_tile_rows);
  auto* blocks = scratch<uint16_t>(Scratch::factor, filled(columns, bf16_depth) * padded);
  const Bf16Left left = {blocks, padded * bf16_depth, bf16_depth, 2};
  for (int64_t k = 0; k < columns; k += bf16_depth, blocks += left.block_step) {
    round_rows(rounding, a.data + k, a.row_stride, m, std::min(bf16_depth, columns - k), blocks, bf16_depth);
    std::fill(blocks + m * bf16_depth, blocks + left.block_step, uint16_t{0});
  }
  return left;
}

/// Columns whose numbers lie side by side: in pairs of them, and in one piece only where tiles need it.
Bf16Left left_by_columns(const Rounding& rounding, const MatrixView& a, int64_t m, int64_t columns,
                         bool tiles) {
  const int64_t padded = filled(m, bf16_tile_rows), depth = filled(columns, bf16_depth);
  const int64_t stride = padded + bf16_tile_rows / 2;  // a power of two would share a few places of the cache
  auto* memory = scratch<uint16_t>(Scratch::factor, depth * (padded + stride));
  auto* pairs = reinterpret_cast<uint32_t*>(memory + depth * padded);
  for (int64_t i = 0; i < depth / 2; ++i) std::fill_n(pairs + i * stride + m, padded - m, 0u);
  pair_rows(rounding, a.data, a.column_stride, columns, m, depth / 2, stride, pairs);
  if (!tiles) return {memory + depth * padded, bf16_depth * stride, 2, 2 * stride};
  pack_pairs(pairs, 1, stride, padded, depth / 2, memory);
  return {memory, padded * bf16_depth, bf16_depth, 2};
}

}  // namespace

bool bf16_unit_is_faster() {
#if defined(__x86_64__)
  static const bool fast_vectors = __builtin_cpu_is("amd");
#else
  constexpr bool fast_vectors = false;
#endif
  const Bf16Unit unit = bf16_unit();
  return unit == Bf16Unit::tiles || (unit == Bf16Unit::vectors && fast_vectors);
}

Bf16Unit bf16_unit() {
  return HWY_DYNAMIC_DISPATCH(unit_of_target)();
}

PackedBf16 pack_bf16(const MatrixView& a, int64_t rows, int64_t columns, uint16_t* panels) {
  const int64_t depth = filled(rows, bf16_depth);
  const Rounding rounding(bf16_unit());
  if (a.column_stride == 1) {
    for (int64_t j = 0; j < columns; j += gemm_panel) {
      const int64_t count = std::min(gemm_panel, columns - j);
      auto* to = reinterpret_cast<uint32_t*>(panels + j * depth);
      if (count < gemm_panel) std::fill_n(to, depth / 2 * gemm_panel, 0u);
      pair_rows(rounding, a.data + j, a.row_stride, rows, count, depth / 2, gemm_panel, to);
    }
  } else {
    const int64_t stride = depth + bf16_depth;
    auto* rounded = scratch<uint16_t>(Scratch::factor, columns * stride);
    round_rows(rounding, a.data, a.column_stride, columns, rows, rounded, stride);
    pack_pairs(reinterpret_cast<uint32_t*>(rounded), 1, stride / 2, depth / 2, columns, panels);
  }
  return {panels, rows, columns, depth};
}

void round_rows(Bf16Unit unit, const float* from, int64_t from_stride, int64_t rows, int64_t columns,
                uint16_t* to, int64_t stride) {
  round_rows(Rounding(unit), from, from_stride, rows, columns, to, stride);
}

void round_transposed(Bf16Unit unit, const float* from, int64_t from_stride, int64_t rows, int64_t columns,
                      uint16_t* to, int64_t stride) {
  const int64_t depth = filled(rows, bf16_depth), pair_stride = columns + 8;
  auto* pairs = scratch<uint32_t>(Scratch::factor, depth / 2 * (pair_stride + columns));
  auto* block = reinterpret_cast<uint16_t*>(pairs + depth / 2 * pair_stride);
  pair_rows(Rounding(unit), from, from_stride, rows, columns, depth / 2, pair_stride, pairs);
  pack_pairs(pairs, 1, pair_stride, columns, depth / 2, block);
  for (int64_t k = 0; k < depth; k += bf16_depth)
    for (int64_t j = 0; j < columns; ++j, block += bf16_depth)
      std::copy_n(block, bf16_depth, to + j * stride + k);
}

void multiply_by(Bf16Unit unit, const Bf16Product& product) {
  switch (unit) {
    case Bf16Unit::tiles:
      return gemm_with_tiles(product);
    case Bf16Unit::vectors:
      return gemm_with_vectors(product);
    case Bf16Unit::none:
      return HWY_DYNAMIC_DISPATCH(gemm_without_unit)(product);
  }
}

void gemm_by(Bf16Unit unit, const MatrixView& a, int64_t m, const PackedBf16& b, const GemmStart& start,
             float* c, int64_t c_stride) {
  const Rounding rounding(unit);
  const Bf16Left left = a.column_stride == 1
                            ? left_by_rows(rounding, a, m, b.rows)
                            : left_by_columns(rounding, a, m, b.rows, unit == Bf16Unit::tiles);
  multiply_by(unit, {left, m, b, start, c, c_stride});
}

void gemm(const MatrixView& a, int64_t m, const PackedBf16& b, const GemmStart& start, float* c,
          int64_t c_stride) {
  gemm_by(bf16_unit(), a, m, b, start, c, c_stride);
}

}  // namespace fokker::kernel
#endif
