// The classifier two-sample test and its two rules.
#include <algorithm>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"
#include "fokker/distributed/shared_jobs.h"
#include "fokker/evaluate/two_sample/copies.h"
#include "fokker/evaluate/two_sample/pairwise.h"
#include "fokker/evaluate/two_sample/two_sample.h"

namespace fokker {
namespace {

/// Rows of which as many are of the first set (1) as of the second (0).
struct LabelledRows {
  Tensor rows, labels;
  int64_t size() const { return rows.size(0); }
};

int64_t neighbours_for(int64_t training) {
  const auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(training)));
  return std::min(root | 1, training - 1);  // odd: no ties
}

/// How many test rows the k nearest training rows name rightly.
int64_t correct_by_neighbours(const LabelledRows& training, const LabelledRows& test, const Ranks& ranks) {
  constexpr int64_t step = 256;
  const int64_t neighbours = neighbours_for(training.size());
  const int64_t blocks = (test.size() + step - 1) / step;
  const Tensor correct = shared_jobs(ranks, blocks, 1, [&](int64_t block, double* found) {
    const int64_t i = block * step;
    const Tensor nearest = std::get<1>(squared_distances(test.rows.slice(0, i, i + step), training.rows)
                                           .topk(neighbours, 1, /*largest=*/false, false));
    const Tensor vote = training.labels.take(nearest).mean(1) > 0.5;
    *found = (vote == (test.labels.slice(0, i, i + step) > 0.5)).sum().item<double>();
  });
  return correct.sum().to(at::kLong).item<int64_t>();
}

/// Upper ends of bins that hold about a sixteenth (eight at least) of the sorted values each; a value that is
/// a thirty-second of all has one of its own. What is above the last end goes to one more bin.
std::vector<double> bin_ends(const std::vector<double>& sorted) {
  const size_t n = sorted.size(), frequent = std::max<size_t>(4, n / 32), bin = std::max<size_t>(8, n / 16);
  std::vector<double> ends;
  size_t begin = 0;  // of the open bin
  for (size_t i = 0; i < n;) {
    size_t next = i;
    while (next < n && sorted[next] == sorted[i]) ++next;
    if (next - i > frequent) {
      ends.push_back(std::nextafter(sorted[i], -INFINITY));
      ends.push_back(sorted[i]);
      begin = next;
    } else if (next - begin >= bin) {
      ends.push_back(sorted[next - 1]);
      begin = next;
    }
    i = next;
  }
  return ends;
}

/// Adds a column's log ratio of the two histograms, each bin counted once more than it is, to each test
/// row's.
void add_log_ratios(const Tensor& training, const Tensor& labels, const Tensor& test, Tensor& total) {
  const int64_t n = training.size(0);
  const double* value = training.data_ptr<double>();
  std::vector<double> sorted(value, value + n);
  std::sort(sorted.begin(), sorted.end());
  const std::vector<double> ends = bin_ends(sorted);
  const auto bin = [&](double v) { return std::lower_bound(ends.begin(), ends.end(), v) - ends.begin(); };
  std::vector<double> first(ends.size() + 1, 1.0), second(ends.size() + 1, 1.0);
  for (int64_t i = 0; i < n; ++i) (labels.data_ptr<double>()[i] > 0.5 ? first : second)[bin(value[i])] += 1;
  double* sum = total.data_ptr<double>();
  for (int64_t i = 0; i < test.size(0); ++i) {
    const auto b = bin(test.data_ptr<double>()[i]);
    sum[i] += std::log(first[b] / second[b]);
  }
}

/// How many test rows the product of the columns' ratios names rightly.
int64_t correct_by_columns(const LabelledRows& training, const LabelledRows& test) {
  const Tensor columns = training.rows.t().contiguous(), asked = test.rows.t().contiguous();
  constexpr int64_t share = 16;  // columns that are added up together, in an order that threads do not change
  const int64_t d = columns.size(0), shares = (d + share - 1) / share;
  Tensor sums = at::zeros({shares, test.size()}, at::kDouble);
  run_jobs(static_cast<size_t>(shares), thread_count(), [&](size_t s) {
    const auto begin = static_cast<int64_t>(s) * share;
    Tensor sum = sums[static_cast<int64_t>(s)];
    for (int64_t c = begin; c < std::min(d, begin + share); ++c)
      add_log_ratios(columns[c], training.labels, asked[c], sum);
  });
  return ((sums.sum(0) > 0) == (test.labels > 0.5)).sum().item<int64_t>();
}

/// Half of the rows, of each set as many.
LabelledRows half_of(const LabelledRows& all, int64_t which) {
  const int64_t each = all.size() / 2, half = each / 2;
  const auto part = [&](const Tensor& t, int64_t offset) {
    return t.slice(0, offset + which * half, offset + (which + 1) * half);
  };
  return {at::cat({part(all.rows, 0), part(all.rows, each)}),
          at::cat({part(all.labels, 0), part(all.labels, each)})};
}

/// Which rule tells the halves of the training rows apart better.
bool columns_are_better(const LabelledRows& training, const Ranks& ranks) {
  if (training.size() < 8) return false;
  const LabelledRows first = half_of(training, 0), second = half_of(training, 1);
  return correct_by_columns(first, second) + correct_by_columns(second, first) >
         correct_by_neighbours(first, second, ranks) + correct_by_neighbours(second, first, ranks);
}

}  // namespace

ClassifierTest classifier_test(const Tensor& x, const Tensor& y, const Rng& rng, const Ranks& ranks) try {
  const auto [given_x, given_y, unit] = checked_pair(x, y);
  check(given_x.size(0) >= 4 && given_y.size(0) >= 4,
        "classifier_test: expected at least 4 rows in each set but received {} and {}", given_x.size(0),
        given_y.size(0));
  Tensor a = given_x, b = given_y;
  if (count_copies(a, b, rng.stream("chance")).beyond_chance)
    std::tie(a, b) = without_copies(given_x, given_y, rng.stream("copies"));
  const int64_t half = std::min(a.size(0), b.size(0)) / 2;
  const LabelledRows all{
      at::cat({a.index_select(0, rng.stream("first").permutation(a.size(0)).slice(0, 0, 2 * half)),
               b.index_select(0, rng.stream("second").permutation(b.size(0)).slice(0, 0, 2 * half))}),
      at::cat({at::ones({2 * half}, at::kDouble), at::zeros({2 * half}, at::kDouble)})};
  const LabelledRows folds[] = {half_of(all, 0), half_of(all, 1)};
  int64_t correct = 0;
  bool by_columns[2];
  for (int i = 0; i < 2; ++i) {
    by_columns[i] = columns_are_better(folds[i], ranks);
    correct += by_columns[i] ? correct_by_columns(folds[i], folds[1 - i])
                             : correct_by_neighbours(folds[i], folds[1 - i], ranks);
  }
  const auto fold_size = static_cast<double>(2 * half);
  return {.accuracy = static_cast<double>(correct) / (2 * fold_size),
          .standard_error = 0.5 / std::sqrt(fold_size),
          .neighbours = neighbours_for(2 * half),
          .rows = 2 * half,
          .rule = by_columns[0] != by_columns[1] ? "neighbours and columns"
                  : by_columns[0]                ? "columns"
                                                 : "neighbours"};
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
