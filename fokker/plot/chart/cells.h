#pragma once
#include "fokker/core/random/rng.h"
#include "fokker/table/schema.h"

namespace fokker::plot {

/// Cells (n, columns) of a table as places in a picture: levels spread over 0.7 of their unit, so that those
/// of many rows show as more, and a missing cell below all others. Finite, of the shape of the cells.
Tensor places_of_cells(const Tensor& cells, const Schema& schema, const Rng& rng);

}  // namespace fokker::plot
