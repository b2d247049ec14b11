// Tests of whether two sets come from one law.
#include "fokker/core/error.h"
#include "fokker/core/stop.h"
#include "fokker/evaluate/metrics.h"
#include "fokker/evaluate/pairwise.h"

namespace fokker {
namespace {

/// Energy statistics of labellings (p, N) with ones for the first set of n points, from all distances (N, N).
Tensor labelled_statistics(const Tensor& labels, const Tensor& distances, double n) {
  const Tensor row_sums = distances.sum(1);
  const double all = row_sums.sum().item<double>(), m = static_cast<double>(distances.size(0)) - n;
  const Tensor first = (labels.matmul(distances) * labels).sum(1);
  const Tensor touching = labels.matmul(row_sums);
  return 2 * (touching - first) / (n * m) - first / (n * n) - (all - 2 * touching + first) / (m * m);
}

/// Random labellings, keyed by their index.
Tensor relabelled(int64_t begin, int64_t count, int64_t n, int64_t total, const Rng& rng) {
  const Tensor keys = rng.uniform({count, total}, {.first_sample = begin}, at::kDouble);
  const Tensor chosen = keys.argsort(/*stable=*/true, 1, false).slice(1, 0, n);
  return at::zeros({count, total}, at::kDouble).scatter_(1, chosen, 1.0);
}

/// Votes of the k nearest training points: how many test points of each row are classified as the first set.
int64_t correct_votes(const Tensor& training, const Tensor& labels, const Tensor& test, const Tensor& truth,
                      int64_t neighbours) {
  constexpr int64_t step = 256;
  int64_t correct = 0;
  for (int64_t i = 0; i < test.size(0); i += step) {
    check_stop();
    const Tensor nearest = std::get<1>(squared_distances(test.slice(0, i, i + step), training)
                                           .topk(neighbours, 1, /*largest=*/false, false));
    const Tensor vote = labels.take(nearest).mean(1) > 0.5;
    correct += (vote == (truth.slice(0, i, i + step) > 0.5)).sum().item<int64_t>();
  }
  return correct;
}

}  // namespace

PermutationTest energy_test(const Tensor& x, const Tensor& y, int64_t permutations, const Rng& rng) {
  check(permutations > 0, "energy_test: expected permutations > 0 but received {}", permutations);
  const auto [a, b] = checked_pair(x, y);
  const int64_t n = a.size(0), total = n + b.size(0);
  check(total <= 10'000, "energy_test: expected at most 10000 points in all but received {}", total);
  const Tensor pooled = at::cat({a, b});
  const Tensor distances = squared_distances(pooled, pooled).fill_diagonal_(0).sqrt_();
  const auto size = static_cast<double>(n);
  const Tensor given = at::cat({at::ones({1, n}, at::kDouble), at::zeros({1, total - n}, at::kDouble)}, 1);
  const double statistic = labelled_statistics(given, distances, size).item<double>();
  // Labellings that split identical points alike differ by rounding alone: they count as ties.
  const double threshold = statistic - 1e-12 * distances.mean().item<double>();
  int64_t as_far = 0;
  constexpr int64_t step = 128;
  for (int64_t p = 0; p < permutations; p += step) {
    check_stop();
    const Tensor labels = relabelled(p, std::min(step, permutations - p), n, total, rng);
    as_far += (labelled_statistics(labels, distances, size) >= threshold).sum().item<int64_t>();
  }
  return {statistic, static_cast<double>(1 + as_far) / static_cast<double>(1 + permutations)};
}

ClassifierTest classifier_test(const Tensor& x, const Tensor& y, const Rng& rng) {
  const auto [a, b] = checked_pair(x, y);
  const int64_t half = std::min(a.size(0), b.size(0)) / 2;
  check(half >= 2, "classifier_test: expected at least 4 rows in each set but received {} and {}", a.size(0),
        b.size(0));
  // The same permutation for both: where one set is a copy of the other, no copy trains the vote on its
  // original.
  const Tensor first = a.index_select(0, rng.permutation(a.size(0)).slice(0, 0, 2 * half));
  const Tensor second = b.index_select(0, rng.permutation(b.size(0)).slice(0, 0, 2 * half));
  const auto fold = [&](int64_t i) {
    return at::cat({first.slice(0, i * half, (i + 1) * half), second.slice(0, i * half, (i + 1) * half)});
  };
  const Tensor labels = at::cat({at::ones({half}, at::kDouble), at::zeros({half}, at::kDouble)});
  const auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(2 * half)));
  const int64_t neighbours = std::min(root | 1, 2 * half - 1);  // odd: no ties
  const int64_t correct = correct_votes(fold(0), labels, fold(1), labels, neighbours) +
                          correct_votes(fold(1), labels, fold(0), labels, neighbours);
  const auto fold_size = static_cast<double>(2 * half);
  return {static_cast<double>(correct) / (2 * fold_size), 0.5 / std::sqrt(fold_size), neighbours};
}

}  // namespace fokker
