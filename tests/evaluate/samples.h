#pragma once
// Sets of rows that the tests of two samples compare.
#include "expect_error.h"
#include "fokker/core/error.h"
#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"

namespace fokker {

inline Tensor normal_rows(uint64_t seed, int64_t n, int64_t d) {
  return Rng(seed).normal({n, d}, {}, at::kDouble);
}
/// 0 or 1, the latter with that probability.
inline Tensor zero_one_rows(uint64_t seed, int64_t n, int64_t d, double probability) {
  return (Rng(seed).uniform({n, d}, {}, at::kDouble) < probability).to(at::kDouble);
}
/// Rows in another order.
inline Tensor shuffled(const Tensor& x, uint64_t seed) {
  return x.index_select(0, Rng(seed).permutation(x.size(0)));
}

}  // namespace fokker
