#pragma once
#include <cstdint>

namespace fokker::kernel {

// Products of float32 matrices small enough to stay in cache, on one thread: callers split the rows among
// theirs. The right factor, which is used again and again, is laid out once.

/// A matrix read with strides, in elements: element (i, j) is data[i * row_stride + j * column_stride].
struct MatrixView {
  const float* data = nullptr;
  int64_t row_stride = 0;
  int64_t column_stride = 1;
};

/// A factor (k, n) in panels of `gemm_panel` columns, each of them k rows of that many numbers; the last
/// panel is filled up with zeros.
struct PackedMatrix {
  const float* panels = nullptr;
  int64_t rows = 0, columns = 0;
  int64_t panel_rows = 0;  ///< from one panel to the next; 0: rows

  /// The rows [first, first + count).
  PackedMatrix part(int64_t first, int64_t count) const;
};

constexpr int64_t gemm_panel = 16;
/// Callers split their rows into multiples of this: the tile that registers hold has 6 or 12 rows.
constexpr int64_t gemm_rows = 6;

inline PackedMatrix PackedMatrix::part(int64_t first, int64_t count) const {
  return {panels + first * gemm_panel, count, columns, panel_rows ? panel_rows : rows};
}

/// Numbers that a packed (k, n) takes.
constexpr int64_t packed_size(int64_t rows, int64_t columns) {
  return rows * ((columns + gemm_panel - 1) / gemm_panel) * gemm_panel;
}

/// Lays out a (rows, columns) in `panels`, of packed_size(rows, columns) numbers.
PackedMatrix pack_matrix(const MatrixView& a, int64_t rows, int64_t columns, float* panels);

/// What the result starts from: zero, a row that is added to every row, or its present value.
struct GemmStart {
  const float* bias = nullptr;
  bool add = false;  ///< excludes a bias
};

/// c (m, n) = start + a (m, k) b (k, n), in float32 with fused multiply-adds where the processor has them;
/// the rows of c lie c_stride >= n apart. A result's bits do not depend on m.
void gemm(const MatrixView& a, int64_t m, const PackedMatrix& b, const GemmStart& start, float* c,
          int64_t c_stride);

}  // namespace fokker::kernel
