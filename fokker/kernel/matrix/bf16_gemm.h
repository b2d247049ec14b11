#pragma once
#include <cstdint>

#include "fokker/kernel/matrix/gemm.h"

namespace fokker::kernel {

// Products whose factors are rounded to bfloat16 (8 bits of mantissa, to nearest even, the range of float32)
// and summed in float32, with the shapes and the one thread of gemm.h.

/// What computes them here: a processor's matrix tiles (AMX-BF16) or vectors (AVX512-BF16), or float32
/// products of the rounded factors, which are no faster than unrounded ones. Sums differ in their rounding.
enum class Bf16Unit { none, vectors, tiles };

/// The best that the processor has, the system grants, and the chosen instruction sets include.
Bf16Unit bf16_unit();
/// Whether its products are faster than those in float32. Tiles are, and AMD's vectors; those of an Intel
/// processor whose tiles are hidden are not (Emerald Rapids: 74 beside 140 GFLOP/s).
bool bf16_unit_is_faster();

/// Rows of a factor that one step takes; a packed factor's are filled up to a multiple with zeros.
constexpr int64_t bf16_depth = 32;

/// A rounded factor (k, n) in panels of `gemm_panel` columns, in which two rows alternate: number (2 i + e,
/// j) is at (i gemm_panel + j) 2 + e.
struct PackedBf16 {
  const uint16_t* panels = nullptr;
  int64_t rows = 0, columns = 0;
  int64_t panel_rows = 0;  ///< from one panel to the next; 0: rows filled up

  /// The rows [first, first + count), where first is a multiple of bf16_depth.
  PackedBf16 part(int64_t first, int64_t count) const {
    const int64_t whole = panel_rows ? panel_rows : (rows + bf16_depth - 1) / bf16_depth * bf16_depth;
    return {panels + first * gemm_panel, count, columns, whole};
  }
};

/// Numbers that a packed (k, n) takes.
constexpr int64_t packed_bf16_size(int64_t rows, int64_t columns) {
  return packed_size((rows + bf16_depth - 1) / bf16_depth * bf16_depth, columns);
}

/// Rounds a (rows, columns), one of whose strides is 1, into `panels`, of packed_bf16_size(rows, columns)
/// numbers. NaN stays NaN; what is beyond the largest number becomes infinite, and what is below the smallest
/// normal number (1.2e-38) may become zero.
PackedBf16 pack_bf16(const MatrixView& a, int64_t rows, int64_t columns, uint16_t* panels);

/// c (m, n) = start + a (m, k) b (k, n), where one of a's strides is 1 and a is rounded on the way; the rows
/// of c lie c_stride >= n apart. A result's bits do not depend on m.
void gemm(const MatrixView& a, int64_t m, const PackedBf16& b, const GemmStart& start, float* c,
          int64_t c_stride);

}  // namespace fokker::kernel
