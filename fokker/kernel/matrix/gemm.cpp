// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/matrix/gemm.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
// clang-format on

#include "fokker/kernel/matrix/gemm.h"

#include <algorithm>
#include <array>

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Two panels, one, or the first half of one where no more columns are wanted, as a tile computes them.
template <int64_t Width>
struct PanelPart {
  static constexpr int64_t width = Width;
  using Tag = hn::CappedTag<float, std::min(Width, gemm_panel)>;
  using Vector = hn::Vec<Tag>;
  static constexpr int64_t lanes = hn::MaxLanes(Tag());
  static constexpr int64_t vectors = Width / lanes;  // of a row
  // As many sums as registers hold beside a row of the panels and a broadcast: wide registers come in 32.
  static constexpr int64_t rows = vectors == 1 || lanes == 16 ? 12 : vectors == 2 ? 6 : 2;
};
using PanelPair = PanelPart<2 * gemm_panel>;
using WholePanel = PanelPart<gemm_panel>;
using HalfPanel = PanelPart<gemm_panel / 2>;
// One vector a row needs a load for each multiplication; only wide registers are enough for two of 16 lanes.
constexpr bool takes_pairs = PanelPair::lanes == gemm_panel;
constexpr int64_t gemm_depth = 256;   // of a panel's part that stays in the first cache: 16 KiB
constexpr int64_t gemm_height = 120;  // rows of a that stay in the second cache meanwhile

/// A part of one panel's product: `depth` terms for up to `rows` of its part.
struct GemmTile {
  MatrixView a;
  const float* panel;
  int64_t next_panel;  // numbers from one panel to the next
  int64_t depth;
  const float* bias;  // or null
  bool add;
  float* c;
  int64_t c_stride;
};

template <class Part, int64_t Rows>
HWY_INLINE void gemm_tile(const GemmTile& tile) {
  constexpr int64_t vectors = Part::vectors, lanes = Part::lanes;
  const typename Part::Tag d;
  typename Part::Vector sums[Rows][vectors];
  HWY_UNROLL(16)
  for (int64_t i = 0; i < Rows; ++i) HWY_UNROLL(8)
  for (int64_t v = 0; v < vectors; ++v)
    sums[i][v] = tile.add    ? hn::LoadU(d, tile.c + i * tile.c_stride + v * lanes)
                 : tile.bias ? hn::LoadU(d, tile.bias + v * lanes)
                             : hn::Zero(d);
  const float *a = tile.a.data, *b = tile.panel;
  const int64_t row = tile.a.row_stride, column = tile.a.column_stride;
  for (int64_t k = 0; k < tile.depth; ++k, a += column, b += gemm_panel) {
    typename Part::Vector factors[vectors];
    HWY_UNROLL(8)
    for (int64_t v = 0; v < vectors; ++v)
      factors[v] = hn::LoadU(d, b + v * lanes / gemm_panel * tile.next_panel + v * lanes % gemm_panel);
    HWY_UNROLL(16)
    for (int64_t i = 0; i < Rows; ++i) {
      const auto left = hn::Set(d, a[i * row]);
      HWY_UNROLL(8)
      for (int64_t v = 0; v < vectors; ++v) sums[i][v] = hn::MulAdd(left, factors[v], sums[i][v]);
    }
  }
  HWY_UNROLL(16)
  for (int64_t i = 0; i < Rows; ++i) HWY_UNROLL(8)
  for (int64_t v = 0; v < vectors; ++v) hn::StoreU(sums[i][v], d, tile.c + i * tile.c_stride + v * lanes);
}

/// The last rows of a block.
template <class Part, int64_t Rows>
HWY_INLINE void gemm_tile_of(int64_t rows, const GemmTile& tile) {
  if constexpr (Rows > 0) {
    if (rows == Rows) return gemm_tile<Part, Rows>(tile);
    gemm_tile_of<Part, Rows - 1>(rows, tile);
  }
}

/// The same for a part of which only the first columns are wanted.
template <class Part>
HWY_INLINE void narrow_tile(int64_t rows, int64_t columns, GemmTile tile) {
  float* const c = tile.c;
  const int64_t stride = tile.c_stride;
  HWY_ALIGN float whole[Part::rows * Part::width] = {};
  HWY_ALIGN float bias[Part::width] = {};
  if (tile.add)
    for (int64_t i = 0; i < rows; ++i) std::copy_n(c + i * stride, columns, whole + i * Part::width);
  if (tile.bias) std::copy_n(tile.bias, columns, bias);
  tile.c = whole;
  tile.c_stride = Part::width;
  tile.bias = bias;
  gemm_tile_of<Part, Part::rows>(rows, tile);
  for (int64_t i = 0; i < rows; ++i) std::copy_n(whole + i * Part::width, columns, c + i * stride);
}

template <class Part>
HWY_INLINE void gemm_block(const MatrixView& a, int64_t rows, int64_t columns, const GemmTile& panel) {
  for (int64_t i = 0; i < rows; i += Part::rows) {
    GemmTile tile = panel;
    tile.a.data = a.data + i * a.row_stride;
    tile.c = panel.c + i * panel.c_stride;
    const int64_t count = std::min(Part::rows, rows - i);
    if (columns < Part::width)
      narrow_tile<Part>(count, columns, tile);
    else if (count == Part::rows)
      gemm_tile<Part, Part::rows>(tile);
    else
      gemm_tile_of<Part, Part::rows>(count, tile);
  }
}

/// The next of the columns that are left, and how many those are.
HWY_INLINE int64_t gemm_columns(const MatrixView& a, int64_t rows, int64_t left, const GemmTile& panel) {
  if constexpr (takes_pairs) {
    if (left >= PanelPair::width) {
      gemm_block<PanelPair>(a, rows, PanelPair::width, panel);
      return PanelPair::width;
    }
  }
  const int64_t columns = std::min(gemm_panel, left);
  if (columns > HalfPanel::width)
    gemm_block<WholePanel>(a, rows, columns, panel);
  else
    gemm_block<HalfPanel>(a, rows, columns, panel);
  return columns;
}

void gemm(const MatrixView& a, int64_t m, const PackedMatrix& b, const GemmStart& start, float* c,
          int64_t c_stride) {
  const int64_t panel_rows = b.panel_rows ? b.panel_rows : b.rows;
  for (int64_t first = 0; first < m; first += gemm_height) {
    const int64_t rows = std::min(gemm_height, m - first);
    // Even without terms the start is written once.
    for (int64_t k = 0; k == 0 || k < b.rows; k += gemm_depth) {
      MatrixView part = a;
      part.data = a.data + first * a.row_stride + k * a.column_stride;
      for (int64_t j = 0, taken = 0; j < b.columns; j += taken) {
        const GemmTile panel = {.a = part,
                                .panel = b.panels + j * panel_rows + k * gemm_panel,
                                .next_panel = panel_rows * gemm_panel,
                                .depth = std::min(gemm_depth, b.rows - k),
                                .bias = start.bias && k == 0 ? start.bias + j : nullptr,
                                .add = start.add || k > 0,
                                .c = c + first * c_stride + j,
                                .c_stride = c_stride};
        taken = gemm_columns(part, rows, b.columns - j, panel);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(gemm);

void gemm(const MatrixView& a, int64_t m, const PackedMatrix& b, const GemmStart& start, float* c,
          int64_t c_stride) {
  HWY_DYNAMIC_DISPATCH(gemm)(a, m, b, start, c, c_stride);
}

}  // namespace fokker::kernel
#endif
