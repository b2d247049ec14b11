#include "fokker/evaluate/table/contingency.h"

#include <bit>
#include <cmath>
#include <cstdlib>

namespace fokker {
namespace {

constexpr int64_t dense_cells = int64_t{1} << 16;

}  // namespace

void ContingencyComparison::add_dense(const CodePairs& set, int64_t second_codes, int64_t weight) {
  for (size_t i = 0; i < set.first.size(); ++i)
    sums_[static_cast<size_t>(set.first[i] * second_codes + set.second[i])] += weight;
}

void ContingencyComparison::add_sparse(const CodePairs& set, int64_t second_codes, int64_t weight) {
  const size_t mask = keys_.size() - 1;
  for (size_t i = 0; i < set.first.size(); ++i) {
    const uint64_t key = static_cast<uint64_t>(set.first[i] * second_codes + set.second[i]) + 1;
    size_t slot = (key * 0x9E3779B97F4A7C15ULL >> 20) & mask;
    while (keys_[slot] != key && keys_[slot] != 0) slot = (slot + 1) & mask;
    keys_[slot] = key;
    sums_[slot] += weight;
  }
}

double ContingencyComparison::distance(const CodePairs& x, const CodePairs& y, int64_t first_codes,
                                       int64_t second_codes) {
  const auto n = static_cast<int64_t>(x.first.size()), m = static_cast<int64_t>(y.first.size());
  // Counts times the other set's size: shares on one denominator, in whole numbers.
  if (first_codes * second_codes <= dense_cells) {
    sums_.assign(static_cast<size_t>(first_codes * second_codes), 0);
    add_dense(x, second_codes, m);
    add_dense(y, second_codes, -n);
  } else {
    const size_t slots = std::bit_ceil(static_cast<size_t>(2 * (n + m)));
    sums_.assign(slots, 0);
    keys_.assign(slots, 0);
    add_sparse(x, second_codes, m);
    add_sparse(y, second_codes, -n);
  }
  int64_t total = 0;
  for (const int64_t sum : sums_) total += std::abs(sum);
  return static_cast<double>(total) / (2 * static_cast<double>(n) * static_cast<double>(m));
}

}  // namespace fokker
