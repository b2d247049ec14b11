// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/matrix/bf16_gemm.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include "fokker/kernel/vector/vector_loops-inl.h"
// clang-format on

#include <algorithm>

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
    for (int64_t block = 0; block < p.blocks(); ++block) {
      const auto* right = reinterpret_cast<const uint32_t*>(p.right(block, panel)) + v * lanes;
      const auto* left = reinterpret_cast<const uint32_t*>(p.left(block, row));
      for (int64_t k = 0; k < bf16_depth / 2; ++k) {
        const auto pair = hn::LoadU(du, right + k * gemm_panel);
        const auto even = hn::BitCast(d, hn::ShiftLeft<16>(pair));
        const auto odd = hn::BitCast(d, hn::And(pair, hn::Set(du, 0xffff0000u)));
        for (int64_t i = 0; i < Rows; ++i) {
          const uint32_t factors = left[i * bf16_depth / 2 + k];
          total[i] = hn::MulAdd(hn::BitCast(d, hn::Set(du, factors << 16)), even, total[i]);
          total[i] = hn::MulAdd(hn::BitCast(d, hn::Set(du, factors & 0xffff0000u)), odd, total[i]);
        }
      }
    }
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

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {
namespace {

HWY_EXPORT(alternate_rows);
HWY_EXPORT(round_row);
HWY_EXPORT(gemm_without_unit);

int64_t filled(int64_t count, int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// Lays out a matrix of pairs: a copy of 32 bits each, whatever numbers they would be.
void pack_pairs(const uint32_t* pairs, int64_t row_stride, int64_t column_stride, int64_t rows,
                int64_t columns, void* to) {
  pack_matrix({reinterpret_cast<const float*>(pairs), row_stride, column_stride}, rows, columns,
              static_cast<float*>(to));
}

/// Rounds rows of numbers that lie side by side, each filled up with zeros to `stride` numbers.
void round_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, uint16_t* to,
                int64_t stride) {
  for (int64_t i = 0; i < rows; ++i, from += from_stride, to += stride) {
    HWY_DYNAMIC_DISPATCH(round_row)(from, columns, to);
    std::fill(to + columns, to + stride, uint16_t{0});
  }
}

/// Rounds rows two by two, (filled(rows) / 2, columns) pairs; those beyond the rows are zero.
void pair_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, int64_t stride,
               uint32_t* to) {
  for (int64_t i = 0; i < filled(rows, bf16_depth); i += 2, to += stride) {
    const float* even = from + i * from_stride;
    if (i < rows)
      HWY_DYNAMIC_DISPATCH(alternate_rows)(even, i + 1 < rows ? even + from_stride : nullptr, columns, to);
    else
      std::fill_n(to, columns, 0u);
  }
}

/// The left factor as a unit reads it, in this thread's memory.
Bf16Product with_left_rounded(const MatrixView& a, int64_t m, const PackedBf16& b) {
  const int64_t depth = filled(b.rows, bf16_depth), padded = filled(m, bf16_tile_rows);
  auto* blocks = scratch<uint16_t>(Scratch::factor, depth * (2 * padded + bf16_tile_rows));
  Bf16Product product = {
      .a = blocks, .rows = m, .padded_rows = padded, .b = b, .start = {}, .c = nullptr, .c_stride = 0};
  if (a.column_stride == 1) {
    for (int64_t k = 0; k < b.rows; k += bf16_depth, blocks += padded * bf16_depth) {
      const int64_t columns = std::min(bf16_depth, b.rows - k);
      round_rows(a.data + k, a.row_stride, m, columns, blocks, bf16_depth);
      std::fill(blocks + m * bf16_depth, blocks + padded * bf16_depth, uint16_t{0});
    }
  } else {
    auto* pairs = reinterpret_cast<uint32_t*>(blocks + depth * padded);
    const int64_t stride =
        padded + bf16_tile_rows / 2;  // a power of two would share a few places of the cache
    for (int64_t i = 0; i < depth / 2; ++i) std::fill_n(pairs + i * stride + m, padded - m, 0u);
    pair_rows(a.data, a.column_stride, b.rows, m, stride, pairs);
    pack_pairs(pairs, 1, stride, padded, depth / 2, blocks);
  }
  return product;
}

bool chosen(int64_t target) {
  return (hwy::SupportedTargets() & target) != 0;
}

}  // namespace

Bf16Unit bf16_unit() {
#if HWY_ARCH_X86
  if (chosen(HWY_AVX3 | HWY_AVX3_DL)) {
    if (has_bf16_tiles()) return Bf16Unit::tiles;
    if (has_bf16_vectors()) return Bf16Unit::vectors;
  }
#endif
  return Bf16Unit::none;
}

PackedBf16 pack_bf16(const MatrixView& a, int64_t rows, int64_t columns, uint16_t* panels) {
  const int64_t depth = filled(rows, bf16_depth);
  if (a.column_stride == 1) {
    for (int64_t j = 0; j < columns; j += gemm_panel) {
      const int64_t count = std::min(gemm_panel, columns - j);
      auto* to = reinterpret_cast<uint32_t*>(panels + j * depth);
      if (count < gemm_panel) std::fill_n(to, depth / 2 * gemm_panel, 0u);
      pair_rows(a.data + j, a.row_stride, rows, count, gemm_panel, to);
    }
  } else {
    const int64_t stride = depth + bf16_depth;
    auto* rounded = scratch<uint16_t>(Scratch::factor, columns * stride);
    round_rows(a.data, a.column_stride, columns, rows, rounded, stride);
    pack_pairs(reinterpret_cast<uint32_t*>(rounded), 1, stride / 2, depth / 2, columns, panels);
  }
  return {panels, rows, columns};
}

void gemm_by(Bf16Unit unit, const MatrixView& a, int64_t m, const PackedBf16& b, const GemmStart& start,
             float* c, int64_t c_stride) {
  Bf16Product product = with_left_rounded(a, m, b);
  product.start = start;
  product.c = c;
  product.c_stride = c_stride;
  switch (unit) {
    case Bf16Unit::tiles:
      return gemm_with_tiles(product);
    case Bf16Unit::vectors:
      return gemm_with_vectors(product);
    case Bf16Unit::none:
      return HWY_DYNAMIC_DISPATCH(gemm_without_unit)(product);
  }
}

void gemm(const MatrixView& a, int64_t m, const PackedBf16& b, const GemmStart& start, float* c,
          int64_t c_stride) {
  gemm_by(bf16_unit(), a, m, b, start, c, c_stride);
}

}  // namespace fokker::kernel
#endif
