// Energy distance under relabellings.
#include "fokker/evaluate/two_sample/two_sample.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/evaluate/two_sample/energy_strengths.h"
#include "fokker/evaluate/two_sample/pairwise.h"

namespace fokker {

Tensor energy_statistics(const Tensor& pooled, const Relabelling& relabelling, const Ranks& ranks) {
  const Tensor distances = distances_between_groups(pooled, relabelling.group(), relabelling.groups(), ranks);
  const auto n = static_cast<double>(relabelling.first_rows()),
             m = static_cast<double>(relabelling.second_rows());
  const Tensor& labels = relabelling.labels();
  const Tensor row_sums = distances.sum(1);
  const double all = row_sums.sum().item<double>();
  const Tensor first = (labels.matmul(distances) * labels).sum(1), touching = labels.matmul(row_sums);
  return 2 * (touching - first) / (n * m) - first / (n * n) - (all - 2 * touching + first) / (m * m);
}

PermutationTest energy_test(const Tensor& x, const Tensor& y, int64_t permutations, const Rng& rng) try {
  check(permutations > 0, "energy_test: expected permutations > 0 but received {}", permutations);
  const auto [a, b, unit] = checked_pair(x, y);
  const Relabelling relabelling(a.size(0), b.size(0), permutations, rng);
  const Tensor statistics = energy_statistics(at::cat({a, b}), relabelling);
  return {unit * statistics[0].item<double>(), shares_as_strong(statistics)[0].item<double>()};
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
