#pragma once
#include "fokker/kernel/matrix/bf16_gemm.h"

namespace fokker::kernel {

/// What the factors of products are: float32 numbers, or those rounded to bfloat16. Sums are float32.
enum class FactorPrecision { float32, bfloat16 };

/// A right factor laid out for products in one precision.
struct PackedFactor {
  FactorPrecision precision = FactorPrecision::float32;
  PackedMatrix whole;
  PackedBf16 rounded;

  int64_t rows() const { return precision == FactorPrecision::float32 ? whole.rows : rounded.rows; }
  int64_t columns() const { return precision == FactorPrecision::float32 ? whole.columns : rounded.columns; }
};

/// Numbers of 32 bits that a packed (k, n) takes.
constexpr int64_t packed_factor_size(FactorPrecision precision, int64_t rows, int64_t columns) {
  return precision == FactorPrecision::float32 ? packed_size(rows, columns)
                                               : packed_bf16_size(rows, columns) / 2;
}

/// Lays out a (rows, columns), one of whose strides is 1.
inline PackedFactor pack_factor(FactorPrecision precision, const MatrixView& a, int64_t rows, int64_t columns,
                                float* memory) {
  PackedFactor factor{.precision = precision, .whole = {}, .rounded = {}};
  if (precision == FactorPrecision::float32)
    factor.whole = pack_matrix(a, rows, columns, memory);
  else
    factor.rounded = pack_bf16(a, rows, columns, reinterpret_cast<uint16_t*>(memory));
  return factor;
}

/// c (m, n) = start + a (m, k) b (k, n), as the products of either precision.
inline void gemm(const MatrixView& a, int64_t m, const PackedFactor& b, const GemmStart& start, float* c,
                 int64_t c_stride) {
  if (b.precision == FactorPrecision::float32)
    gemm(a, m, b.whole, start, c, c_stride);
  else
    gemm(a, m, b.rounded, start, c, c_stride);
}

/// Rows of a left factor that its products take together: callers split theirs into multiples of this.
constexpr int64_t rows_together(FactorPrecision precision) {
  return precision == FactorPrecision::float32 ? gemm_rows : 16;
}

}  // namespace fokker::kernel
