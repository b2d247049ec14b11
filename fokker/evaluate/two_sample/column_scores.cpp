#include "fokker/evaluate/two_sample/column_scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"

namespace fokker {
namespace {

/// Makes a score mean 0 and mean square 1; 0 where it is constant.
void standardise_score(double* score, int64_t n) {
  const auto count = static_cast<double>(n);
  const double mean = std::accumulate(score, score + n, 0.0) / count;
  double square = 0;
  for (int64_t i = 0; i < n; ++i) {
    score[i] -= mean;
    square += score[i] * score[i];
  }
  // 1e-10 of what such a score usually varies: rounding.
  const double factor = square / count > 1e-10 ? std::sqrt(count / square) : 0;
  for (int64_t i = 0; i < n; ++i) score[i] *= factor;
}

/// Takes from a score of order one what earlier ones say, and standardises the rest.
void orthogonalise_score(double* score, const double* earlier, int64_t count, int64_t n) {
  for (int repeat = 0; repeat < 2; ++repeat)  // twice is enough (Kahan)
    for (int64_t k = 0; k < count; ++k) {
      const double* other = earlier + k * n;
      const double share = std::inner_product(score, score + n, other, 0.0) / static_cast<double>(n);
      for (int64_t i = 0; i < n; ++i) score[i] -= share * other[i];
    }
  standardise_score(score, n);
}

/// Runs of equal values of a column in sorted order.
struct Runs {
  std::vector<int64_t> order, begins;  // begins[k]..begins[k + 1] of order are one value
};

Runs runs_of(const double* column, int64_t n) {
  Runs runs{std::vector<int64_t>(n), {}};
  std::iota(runs.order.begin(), runs.order.end(), int64_t{0});
  std::sort(runs.order.begin(), runs.order.end(),
            [column](int64_t a, int64_t b) { return column[a] < column[b]; });
  for (int64_t i = 0; i < n; ++i)
    if (i == 0 || column[runs.order[i - 1]] < column[runs.order[i]]) runs.begins.push_back(i);
  runs.begins.push_back(n);
  return runs;
}

/// Legendre's P_1, P_2, ... of 2u - 1, by (k + 1) P_{k+1} = (2k + 1) x P_k - k P_{k-1}.
void legendre(double u, int64_t stride, double* score) {
  const double x = 2 * u - 1;
  double before = 1, now = x;
  for (int64_t k = 1; k <= smooth_scores; ++k) {
    score[(k - 1) * stride] = now;
    const auto order = static_cast<double>(k);
    before = std::exchange(now, ((2 * order + 1) * x * now - order * before) / (order + 1));
  }
}

struct ColumnFacts {
  double distance, repeated_first, repeated_second;
};

ColumnFacts score_column(const double* column, int64_t n, int64_t first_rows, double* scores) {
  const Runs runs = runs_of(column, n);
  const auto second_rows = static_cast<double>(n - first_rows), first = static_cast<double>(first_rows);
  int64_t longest = 0;
  for (size_t r = 0; r + 1 < runs.begins.size(); ++r)
    longest = std::max(longest, runs.begins[r + 1] - runs.begins[r]);
  ColumnFacts facts{0, 0, 0};
  double first_below = 0, second_below = 0;
  bool top_seen = longest == 1;  // where every value stands once, none is the most frequent
  for (size_t r = 0; r + 1 < runs.begins.size(); ++r) {
    const int64_t begin = runs.begins[r], end = runs.begins[r + 1];
    const bool top = !top_seen && end - begin == longest;
    top_seen = top_seen || top;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = runs.order[i];
      double* score = scores + row;
      legendre(0.5 * static_cast<double>(begin + end) / static_cast<double>(n), n, score);
      score[smooth_scores * n] = std::log(static_cast<double>(end - begin));
      score[(smooth_scores + 1) * n] = top;
      (row < first_rows ? first_below : second_below) += 1;
      if (end - begin > 1) (row < first_rows ? facts.repeated_first : facts.repeated_second) += 1;
    }
    facts.distance = std::max(facts.distance, std::abs(first_below / first - second_below / second_rows));
  }
  facts.repeated_first /= first;
  facts.repeated_second /= second_rows;
  for (int64_t k = 0; k < column_scores; ++k)
    orthogonalise_score(scores + k * n, scores, k < smooth_scores ? k : 0, n);
  return facts;
}

}  // namespace

ColumnScores::ColumnScores(const Tensor& columns, int64_t first_rows)
    : values(at::empty({columns.size(0), column_scores, columns.size(1)}, at::kDouble)),
      distance(columns.size(0)),
      repeated_first(columns.size(0)),
      repeated_second(columns.size(0)) {
  const int64_t n = columns.size(1);
  const double* from = columns.data_ptr<double>();
  double* to = values.data_ptr<double>();
  run_jobs(distance.size(), thread_count(), [&](size_t c) {
    const auto place = static_cast<int64_t>(c);
    const ColumnFacts facts = score_column(from + place * n, n, first_rows, to + place * column_scores * n);
    distance[c] = facts.distance;
    repeated_first[c] = facts.repeated_first;
    repeated_second[c] = facts.repeated_second;
  });
}

Tensor groups_of_equal_rows(const Tensor& x) {
  const Tensor rows = x.contiguous();
  const int64_t n = rows.size(0), d = rows.size(1);
  const double* value = rows.data_ptr<double>();
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto before = [&](int64_t a, int64_t b) {
    return std::lexicographical_compare(value + a * d, value + (a + 1) * d, value + b * d,
                                        value + (b + 1) * d);
  };
  std::sort(order.begin(), order.end(), before);
  Tensor groups = at::empty({n}, at::kLong);
  int64_t group = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (i > 0 && before(order[i - 1], order[i])) ++group;
    groups.data_ptr<int64_t>()[order[i]] = group;
  }
  return groups;
}

}  // namespace fokker
