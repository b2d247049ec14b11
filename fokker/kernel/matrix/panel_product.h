#pragma once
#include <algorithm>
#include <cstdint>

namespace fokker::kernel {

// A float32 matrix product of queries and components, in tiles that stay in registers, which gives a tile up
// as soon as no component of it can matter to a query: with a product known over the first coordinates, the
// rest is at most the product of the norms of what is left (Cauchy-Schwarz).

constexpr int64_t panel_width = 16, tile_rows = 6, most_tiles = 8;

/// Components in panels of panel_width; the last one is filled up with weights of zero.
struct Panels {
  int64_t dimension, count;
  int64_t head;  ///< coordinates of the first stage
  int64_t step;  ///< coordinates from one look at the bounds to the next
  /// Stage after stage (the head, then what lies between looks), (count, coordinates, panel_width) each.
  const float* values;
  const float* log_weights;  ///< (count panel_width)
  const float* half_norms;   ///< (count panel_width): half the squared norm
  const float* head_norms;   ///< the same of the first `head` coordinates
  const float* tail_norms;   ///< (looks(), count panel_width): norm of the coordinates from each look on
  int64_t looks() const { return (dimension - head + step - 1) / step; }
  int64_t depth(int64_t look) const { return std::min(head + look * step, dimension); }
  /// Of a panel, coordinates [from, to) of a stage.
  const float* stage(int64_t panel, int64_t from, int64_t to) const {
    return values + (count * from + panel * (to - from)) * panel_width;
  }
};

/// Queries in tiles of tile_rows: logit = slope x.m - curvature |m|^2 / 2 + log w.
struct PanelQueries {
  int64_t tiles;            ///< at most most_tiles
  const float* values;      ///< (tiles, dimension, tile_rows)
  const float* slopes;      ///< (tiles tile_rows)
  const float* curvatures;  ///< (tiles tile_rows)
  const float* tail_norms;  ///< (looks, tiles tile_rows)
};

/// First stage: products over the head, (rows, stride), and each row's component with the largest logit over
/// the head alone. Where the head is all, the products are logits.
void start_logits(const Panels& panels, const PanelQueries& queries, float* products, int64_t stride,
                  int64_t* best);

/// Second stage: products become logits, and -inf where no component of a tile can exceed its row's
/// threshold.
void finish_logits(const Panels& panels, const PanelQueries& queries, const float* thresholds,
                   float* products, int64_t stride);

}  // namespace fokker::kernel
