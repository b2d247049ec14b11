#pragma once
#include <functional>

#include "fokker/core/tensor.h"
#include "fokker/distributed/ranks.h"

namespace fokker {

/// |x_i - y_j|^2, (n, m), for float64 x (n, d) and y (m, d): by differences for small d, by a matrix product
/// otherwise (then centre the data first: the error is the rounding of |x|^2).
Tensor squared_distances(const Tensor& x, const Tensor& y);

/// Maps a block of squared distances to a block of summands; may work in place.
using PairFunction = std::function<Tensor(Tensor squared)>;

/// sum_ij f(|x_i - y_j|^2), in blocks of bounded memory, which ranks share.
double sum_over_pairs(const Tensor& x, const Tensor& y, const PairFunction& f, const Ranks& ranks = {});
/// sum over i != j of f(|x_i - x_j|^2).
double sum_over_distinct_pairs(const Tensor& x, const PairFunction& f, const Ranks& ranks = {});

/// (groups, groups): sum of |z_i - z_j| over the rows i of one group and j of another, given each row's
/// group, (n) int64 in 0..groups - 1. O(n^2 d) time, in blocks of bounded memory, which ranks share.
Tensor distances_between_groups(const Tensor& z, const Tensor& group, int64_t groups,
                                const Ranks& ranks = {});

/// x as (n, d) float64 after checking it; `name` appears in errors.
Tensor checked_samples(const Tensor& x, const char* name);
/// Both sets, with equal dimensions, about a common centre, and in a unit in which their squares neither
/// overflow nor vanish (1 unless they are huge or tiny, a power of two always).
struct CheckedPair {
  Tensor x, y;
  double unit;
};
CheckedPair checked_pair(const Tensor& x, const Tensor& y);
/// x times 2^exponent, (d) or a single one, without overflow on the way.
Tensor times_power_of_two(const Tensor& x, const Tensor& exponent);
/// The exponent of the largest absolute value of each column, (d) float64; 0 where all are 0.
Tensor column_exponents(const Tensor& x);

}  // namespace fokker
