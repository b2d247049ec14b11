// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/matrix/panel_product.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/cache_control.h>
#include <hwy/highway.h>
// clang-format on

#include "fokker/kernel/matrix/panel_product.h"

#include <algorithm>
#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lane = hn::CappedTag<float, panel_width>;
using LaneVector = hn::Vec<Lane>;
constexpr int64_t lanes = hn::MaxLanes(Lane()), vectors = panel_width / lanes;

/// Products of a tile of queries with a panel, in registers.
struct Tile {
  LaneVector sum[tile_rows][vectors];

  HWY_INLINE void clear() {
    for (auto& row : sum)
      for (auto& v : row) v = hn::Zero(Lane());
  }
  HWY_INLINE void load(const float* products, int64_t stride) {
    for (int64_t r = 0; r < tile_rows; ++r)
      for (int64_t v = 0; v < vectors; ++v) sum[r][v] = hn::LoadU(Lane(), products + r * stride + v * lanes);
  }
  HWY_INLINE void store(float* products, int64_t stride) const {
    for (int64_t r = 0; r < tile_rows; ++r)
      for (int64_t v = 0; v < vectors; ++v) hn::StoreU(sum[r][v], Lane(), products + r * stride + v * lanes);
  }
};

/// Adds the products over coordinates [from, to), a stage.
HWY_INLINE void add_products(const Panels& panels, const PanelQueries& all, int64_t panel, int64_t place,
                             int64_t from, int64_t to, Tile& tile) {
  const Lane d;
  const float *means = panels.stage(panel, from, to),
              *queries = all.values + (place * panels.dimension + from) * tile_rows;
  if (panel + 1 < panels.count) {  // this tile's share of the next panel comes into cache meanwhile
    const float* next = panels.stage(panel + 1, from, to);
    for (int64_t j = (to - from) * place / all.tiles; j < (to - from) * (place + 1) / all.tiles; ++j)
      hwy::Prefetch(next + j * panel_width);
  }
  Tile local = tile;
  for (int64_t j = 0; j < to - from; ++j) {
    LaneVector mean[vectors];
    for (int64_t v = 0; v < vectors; ++v) mean[v] = hn::Load(d, means + j * panel_width + v * lanes);
    HWY_UNROLL(6) for (int64_t r = 0; r < tile_rows; ++r) {
      const auto x = hn::Set(d, queries[j * tile_rows + r]);
      for (int64_t v = 0; v < vectors; ++v) local.sum[r][v] = hn::MulAdd(x, mean[v], local.sum[r][v]);
    }
  }
  tile = local;
}

/// Logits of row r from its products and half the squared norms of the same coordinates.
HWY_INLINE LaneVector logits_of(const Panels& panels, const PanelQueries& queries, int64_t row, int64_t place,
                                const float* half_norms, LaneVector product) {
  const Lane d;
  const auto bias = hn::NegMulAdd(hn::Set(d, queries.curvatures[row]), hn::LoadU(d, half_norms + place),
                                  hn::LoadU(d, panels.log_weights + place));
  return hn::MulAdd(hn::Set(d, queries.slopes[row]), product, bias);
}

/// The largest logits so far of each lane, and the panels that they are from.
struct Largest {
  Largest() {
    for (auto& row : logits) std::fill_n(row, panel_width, -HUGE_VALF);
  }
  int64_t place(int64_t row) const {
    const int64_t lane = std::max_element(logits[row], logits[row] + panel_width) - logits[row];
    return panels[row][lane] * panel_width + lane;
  }
  HWY_ALIGN float logits[tile_rows][panel_width];
  HWY_ALIGN int32_t panels[tile_rows][panel_width] = {};
};

HWY_INLINE void keep_largest(int64_t row, int64_t panel, int64_t at, LaneVector logits, Largest& largest) {
  const Lane d;
  const auto before = hn::Load(d, largest.logits[row] + at);
  const auto larger = hn::Gt(logits, before);
  if (hn::AllFalse(d, larger)) return;
  hn::Store(hn::IfThenElse(larger, logits, before), d, largest.logits[row] + at);
  const hn::RebindToSigned<Lane> integers;
  const auto numbers = hn::Load(integers, largest.panels[row] + at);
  const auto now = hn::Set(integers, static_cast<int32_t>(panel));
  hn::Store(hn::IfThenElse(hn::RebindMask(integers, larger), now, numbers), integers,
            largest.panels[row] + at);
}

void start_logits(const Panels& panels, const PanelQueries& queries, float* products, int64_t stride,
                  int64_t* best) {
  const bool all = panels.head == panels.dimension;
  Largest largest[most_tiles];
  for (int64_t panel = 0; panel < panels.count; ++panel)
    for (int64_t tile = 0; tile < queries.tiles; ++tile) {
      Tile sums;
      sums.clear();
      add_products(panels, queries, panel, tile, 0, panels.head, sums);
      for (int64_t r = 0; r < tile_rows; ++r)
        for (int64_t v = 0; v < vectors; ++v) {
          const int64_t place = panel * panel_width + v * lanes;
          const auto logits =
              logits_of(panels, queries, tile * tile_rows + r, place, panels.head_norms, sums.sum[r][v]);
          keep_largest(r, panel, v * lanes, logits, largest[tile]);
          if (all) sums.sum[r][v] = logits;
        }
      sums.store(products + tile * tile_rows * stride + panel * panel_width, stride);
    }
  for (int64_t row = 0; row < queries.tiles * tile_rows; ++row)
    best[row] = largest[row / tile_rows].place(row % tile_rows);
}

/// Whether a component of the panel can exceed the threshold of a row, judged before `look`'s coordinates.
HWY_INLINE bool can_matter(const Panels& panels, const PanelQueries& queries, const float* thresholds,
                           int64_t tile, int64_t panel, int64_t look, const Tile& sums) {
  const Lane d;
  const int64_t place = panel * panel_width;
  const float* tails = panels.tail_norms + look * panels.count * panel_width + place;
  auto excess = hn::Set(d, -HUGE_VALF);
  for (int64_t r = 0; r < tile_rows; ++r) {
    const int64_t row = tile * tile_rows + r;
    // The slope's sign is that of alpha: the largest product is the smallest where it is negative.
    const float rest =
        std::copysign(queries.tail_norms[look * queries.tiles * tile_rows + row], queries.slopes[row]);
    for (int64_t v = 0; v < vectors; ++v) {
      const auto product = hn::MulAdd(hn::Set(d, rest), hn::LoadU(d, tails + v * lanes), sums.sum[r][v]);
      const auto bound = logits_of(panels, queries, row, place + v * lanes, panels.half_norms, product);
      excess = hn::Max(excess, hn::Sub(bound, hn::Set(d, thresholds[row])));
    }
  }
  return !hn::AllTrue(d, hn::Le(excess, hn::Zero(d)));
}

void finish_logits(const Panels& panels, const PanelQueries& queries, const float* thresholds,
                   float* products, int64_t stride) {
  const Lane d;
  for (int64_t panel = 0; panel < panels.count; ++panel)
    for (int64_t tile = 0; tile < queries.tiles; ++tile) {
      float* place = products + tile * tile_rows * stride + panel * panel_width;
      Tile sums;
      sums.load(place, stride);
      bool matters = true;
      for (int64_t look = 0; look < panels.looks() && matters; ++look) {
        matters = can_matter(panels, queries, thresholds, tile, panel, look, sums);
        if (matters)
          add_products(panels, queries, panel, tile, panels.depth(look), panels.depth(look + 1), sums);
      }
      for (int64_t r = 0; r < tile_rows; ++r)
        for (int64_t v = 0; v < vectors; ++v)
          sums.sum[r][v] = matters
                               ? logits_of(panels, queries, tile * tile_rows + r,
                                           panel * panel_width + v * lanes, panels.half_norms, sums.sum[r][v])
                               : hn::Set(d, -HUGE_VALF);
      sums.store(place, stride);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(start_logits);
HWY_EXPORT(finish_logits);

void start_logits(const Panels& panels, const PanelQueries& queries, float* products, int64_t stride,
                  int64_t* best) {
  HWY_DYNAMIC_DISPATCH(start_logits)(panels, queries, products, stride, best);
}
void finish_logits(const Panels& panels, const PanelQueries& queries, const float* thresholds,
                   float* products, int64_t stride) {
  HWY_DYNAMIC_DISPATCH(finish_logits)(panels, queries, thresholds, products, stride);
}

}  // namespace fokker::kernel
#endif
