#pragma once
#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"

namespace fokker {

/// Rows of one set that stand in the other too, value for value, one for one: a row that is twice in one set
/// and once in the other is one copy.
struct Copies {
  int64_t rows = 0;
  double expected = 0;  ///< as many as random relabellings of the pooled rows have on average
  /// More than six of their deviations above: one set was made from the other's rows, and the two are not
  /// independent draws.
  bool beyond_chance = false;
};
Copies count_copies(const Tensor& x, const Tensor& y, const Rng& rng);

/// Of each copied row only one of the two, at random, so that the sets become as equal in size as they can:
/// what is left of draws of one law are independent draws of that law.
std::pair<Tensor, Tensor> without_copies(const Tensor& x, const Tensor& y, const Rng& rng);

}  // namespace fokker
