#pragma once
#include "fokker/train/sample_model.h"

namespace fokker {

/// Times for a table: Karras et al. (2022), eq. 5, from the prior to sigma/alpha = 0.01, where levels are
/// drawn.
TimeGrid table_grid(const GaussianProcess& process, int64_t steps);

/// How rows of a table are drawn.
struct TableDraw {
  Tensor start;    ///< (n, dims)
  Tensor classes;  ///< (n), or undefined
  KnownCells known;
  const Sampler& sampler;
  const TimeGrid& grid;
  const Rng& rng;
};

struct TableSamples {
  Tensor cells;             ///< (n, columns) float64
  int64_t evaluations = 0;  ///< of the denoiser per row
  int64_t rejected = 0;     ///< steps of an adaptive method
};

/// Rows of a table from the prior's, in the user's cells. At the end of the grid the levels of each row are
/// drawn from p(level | x_t), and numbers are E[number | x_t]; known cells are copied. Where a grid ends at
/// t = 0 levels are the nearest.
TableSamples sample_table(const Model& model, const TableDraw& draw, IntegrateOptions options);

}  // namespace fokker
