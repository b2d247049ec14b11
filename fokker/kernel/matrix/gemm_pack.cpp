// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/matrix/gemm_pack.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
// clang-format on

#include <algorithm>

#include "fokker/kernel/matrix/gemm.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// One panel, of which the first `columns` are a's and the others zero.
HWY_INLINE void pack_panel(const MatrixView& a, int64_t rows, int64_t columns, float* panel) {
  for (int64_t i = 0; i < rows; ++i, panel += gemm_panel) {
    const float* from = a.data + i * a.row_stride;
    for (int64_t k = 0; k < columns; ++k) panel[k] = from[k * a.column_stride];
    std::fill(panel + columns, panel + gemm_panel, 0.0f);
  }
}

/// A whole panel of a matrix whose rows are contiguous.
HWY_INLINE void copy_panel(const MatrixView& a, int64_t rows, float* panel) {
  const hn::CappedTag<float, gemm_panel> d;
  constexpr int64_t lanes = hn::MaxLanes(d);
  for (int64_t i = 0; i < rows; ++i, panel += gemm_panel)
    for (int64_t k = 0; k < gemm_panel; k += lanes)
      hn::StoreU(hn::LoadU(d, a.data + i * a.row_stride + k), d, panel + k);
}

/// A whole panel of a matrix whose columns are contiguous: squares of four by four are transposed.
HWY_INLINE void transpose_panel(const MatrixView& a, int64_t rows, float* panel) {
#if HWY_TARGET == HWY_SCALAR
  pack_panel(a, rows, gemm_panel, panel);
#else
  constexpr int64_t square = 4;
  const hn::FixedTag<float, square> d;
  int64_t i = 0;
  for (; i + square <= rows; i += square)
    for (int64_t k = 0; k < gemm_panel; k += square) {
      const float* from = a.data + i + k * a.column_stride;
      const auto column0 = hn::LoadU(d, from), column1 = hn::LoadU(d, from + a.column_stride);
      const auto column2 = hn::LoadU(d, from + 2 * a.column_stride);
      const auto column3 = hn::LoadU(d, from + 3 * a.column_stride);
      const auto low01 = hn::InterleaveLower(d, column0, column1);
      const auto low23 = hn::InterleaveLower(d, column2, column3);
      const auto high01 = hn::InterleaveUpper(d, column0, column1);
      const auto high23 = hn::InterleaveUpper(d, column2, column3);
      float* to = panel + i * gemm_panel + k;
      hn::StoreU(hn::ConcatLowerLower(d, low23, low01), d, to);
      hn::StoreU(hn::ConcatUpperUpper(d, low23, low01), d, to + gemm_panel);
      hn::StoreU(hn::ConcatLowerLower(d, high23, high01), d, to + 2 * gemm_panel);
      hn::StoreU(hn::ConcatUpperUpper(d, high23, high01), d, to + 3 * gemm_panel);
    }
  const MatrixView rest{a.data + i, a.row_stride, a.column_stride};
  pack_panel(rest, rows - i, gemm_panel, panel + i * gemm_panel);
#endif
}

void pack_panels(const MatrixView& a, int64_t rows, int64_t columns, float* panels) {
  for (int64_t j = 0; j < columns; j += gemm_panel, panels += rows * gemm_panel) {
    const MatrixView part{a.data + j * a.column_stride, a.row_stride, a.column_stride};
    if (columns - j < gemm_panel)
      pack_panel(part, rows, columns - j, panels);
    else if (a.column_stride == 1)
      copy_panel(part, rows, panels);
    else if (a.row_stride == 1)
      transpose_panel(part, rows, panels);
    else
      pack_panel(part, rows, gemm_panel, panels);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(pack_panels);

PackedMatrix pack_matrix(const MatrixView& a, int64_t rows, int64_t columns, float* panels) {
  HWY_DYNAMIC_DISPATCH(pack_panels)(a, rows, columns, panels);
  return {panels, rows, columns, rows};
}

}  // namespace fokker::kernel
#endif
