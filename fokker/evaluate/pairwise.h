#pragma once
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker {

/// |x_i - y_j|^2, (n, m), for float64 x (n, d) and y (m, d): by differences for small d, by a matrix product
/// otherwise (then centre the data first: the error is the rounding of |x|^2).
Tensor squared_distances(const Tensor& x, const Tensor& y);

/// Maps a block of squared distances to a block of summands; may work in place.
using PairFunction = std::function<Tensor(Tensor squared)>;

/// sum_ij f(|x_i - y_j|^2), in blocks of bounded memory.
double sum_over_pairs(const Tensor& x, const Tensor& y, const PairFunction& f);
/// sum over i != j of f(|x_i - x_j|^2).
double sum_over_distinct_pairs(const Tensor& x, const PairFunction& f);

/// x as (n, d) float64 after checking it; `name` appears in errors.
Tensor checked_samples(const Tensor& x, const char* name);
/// Both sets, with equal dimensions, about a common centre.
std::pair<Tensor, Tensor> checked_pair(const Tensor& x, const Tensor& y);

}  // namespace fokker
