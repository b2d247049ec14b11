#pragma once
#include "fokker/denoise/table.h"
#include "fokker/evaluate/likelihood.h"
#include "fokker/table/table_map.h"

namespace fokker {

/// What a table's model gives to rows, all (n) float64.
struct TableLikelihood {
  Tensor bound;        ///< a lower bound of the log-likelihood in nats, in expectation over its draws
  Tensor probe_error;  ///< standard error of each from the directions of its divergence; 0 where exact
  int64_t evaluations = 0, rejected = 0;
  bool exact = true;  ///< the divergence
};

/// A lower bound of the log-likelihood of cells (n, columns): of columns with levels, few values or rounded
/// ones the probability, of other numbers the density per unit of the column. With y = x_t / alpha at
/// sigma/alpha = r small, x_0 the cells' points and q(y | x_0) = N(x_0, r^2 I),
///   log p(cells) >= E_q [ log p_t(y) + sum log p(level | y) + sum log N(number; E[x_0 | y], r^2/(1 + r^2))
///                         - log q(y | x_0) ] + slopes of the maps,
/// where p_t is the probability flow's density (Chen et al. 2018). Levels given y are a distribution, so no
/// column's share is above its probability; the bound is tight as r -> 0. What a cell leaves open, the number
/// beside a gate, is integrated over its law. One draw a row, keyed by row.
///
/// Of `given` columns the bound is that of the others given these: log p(others | given).
TableLikelihood table_likelihood(const TableDenoiser& denoiser, const TableMap& map, const Tensor& cells,
                                 LikelihoodOptions options, const Rng& rng,
                                 const std::vector<int64_t>& given = {});

}  // namespace fokker
