#include "fokker/evaluate/metrics.h"

#include <numeric>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/evaluate/two_sample/pairwise.h"

namespace fokker {
namespace {

void check_two(const Tensor& x, const Tensor& y, const char* name) {
  check(x.size(0) >= 2 && y.size(0) >= 2, "{}: expected at least 2 rows in each set but received {} and {}",
        name, x.size(0), y.size(0));
}

Tensor root(Tensor squared) {
  return squared.sqrt_();
}

/// Sum over i < j of |z_i - z_j|: in sorted order, z_(r) is added r times and subtracted n - 1 - r times.
double sorted_pair_sum(const Tensor& values) {
  const auto n = values.size(0);
  const Tensor sorted = std::get<0>(values.sort());
  return (sorted * (2 * at::arange(n, at::kDouble) - static_cast<double>(n - 1))).sum().item<double>();
}

/// The segments of [0, 1] on which both empirical quantile functions are constant.
struct Segments {
  Tensor first, second, width;  // rank in the first set, rank in the second, length
};

Segments common_segments(int64_t n, int64_t m) {
  std::vector<int64_t> first, second;
  std::vector<double> width;
  const double unit = 1.0 / (static_cast<double>(n) * static_cast<double>(m));
  for (int64_t i = 0, j = 0, at_position = 0; i < n && j < m;) {
    const int64_t end = std::min((i + 1) * m, (j + 1) * n);  // in units of 1 / (n m)
    first.push_back(i);
    second.push_back(j);
    width.push_back(static_cast<double>(end - at_position) * unit);
    at_position = end;
    i += end == (i + 1) * m;
    j += end == (j + 1) * n;
  }
  return {at::tensor(first, at::kLong), at::tensor(second, at::kLong), at::tensor(width, at::kDouble)};
}

/// Sum over directions (p, d) of the squared W_2 of the projections.
double sum_of_squared_transport(const Tensor& x, const Tensor& y, const Tensor& directions,
                                const Segments& segments) {
  const Tensor a = std::get<0>(directions.matmul(x.t()).sort(1));
  const Tensor b = std::get<0>(directions.matmul(y.t()).sort(1));
  if (x.size(0) == y.size(0)) return (a - b).square_().mean(1).sum().item<double>();
  const Tensor gap = a.index_select(1, segments.first) - b.index_select(1, segments.second);
  return gap.square().matmul(segments.width).sum().item<double>();
}

}  // namespace

double energy_distance(const Tensor& x, const Tensor& y, const Ranks& ranks) try {
  const auto [a, b, unit] = checked_pair(x, y);
  check_two(a, b, "energy_distance");
  const auto n = static_cast<double>(a.size(0)), m = static_cast<double>(b.size(0));
  double between = 0, within_a = 0, within_b = 0;
  if (a.size(1) == 1) {
    const double half_a = sorted_pair_sum(a.squeeze(1)), half_b = sorted_pair_sum(b.squeeze(1));
    between = sorted_pair_sum(at::cat({a, b}).squeeze(1)) - half_a - half_b;
    within_a = 2 * half_a;
    within_b = 2 * half_b;
  } else {
    between = sum_over_pairs(a, b, root, ranks);
    within_a = sum_over_distinct_pairs(a, root, ranks);
    within_b = sum_over_distinct_pairs(b, root, ranks);
  }
  return unit * (2 * between / (n * m) - within_a / (n * (n - 1)) - within_b / (m * (m - 1)));
} catch (...) {
  detail::throw_as_error();
}

double median_distance(const Tensor& x, const Tensor& y, const Rng& rng) try {
  constexpr int64_t most = 1000;
  const auto [a, b, unit] = checked_pair(x, y);
  const Tensor pooled =
      at::cat({subsample(a, most, rng.stream("first")), subsample(b, most, rng.stream("second"))});
  const int64_t n = pooled.size(0);
  const Tensor above = at::ones({n, n}, at::kBool).triu(1);
  return unit * std::sqrt(squared_distances(pooled, pooled).masked_select(above).median().item<double>());
} catch (...) {
  detail::throw_as_error();
}

double mmd(const Tensor& x, const Tensor& y, double bandwidth, const Ranks& ranks) try {
  check(std::isfinite(bandwidth) && bandwidth > 0, "mmd: expected bandwidth > 0 but received {}", bandwidth);
  const auto [a, b, unit] = checked_pair(x, y);
  check_two(a, b, "mmd");
  const double scale = unit / bandwidth;
  const PairFunction kernel = [scale](Tensor squared) {
    return squared.mul_(scale).mul_(-0.5 * scale).exp_();
  };
  const auto n = static_cast<double>(a.size(0)), m = static_cast<double>(b.size(0));
  // In an order that all ranks keep.
  const double within_a = sum_over_distinct_pairs(a, kernel, ranks),
               within_b = sum_over_distinct_pairs(b, kernel, ranks),
               between = sum_over_pairs(a, b, kernel, ranks);
  return within_a / (n * (n - 1)) + within_b / (m * (m - 1)) - 2 * between / (n * m);
} catch (...) {
  detail::throw_as_error();
}

double sliced_wasserstein(const Tensor& x, const Tensor& y, int64_t projections, const Rng& rng,
                          const Ranks& ranks) try {
  check(projections > 0, "sliced_wasserstein: expected projections > 0 but received {}", projections);
  const auto [a, b, unit] = checked_pair(x, y);
  Tensor directions = at::ones({1, 1}, at::kDouble);
  if (a.size(1) > 1) {
    directions = rng.normal({projections, a.size(1)}, {}, at::kDouble);
    directions = directions / directions.norm(2, {1}, true);
  }
  Segments segments;
  if (a.size(0) != b.size(0)) segments = common_segments(a.size(0), b.size(0));
  const int64_t step = std::max<int64_t>(1, (int64_t{1} << 22) / (a.size(0) + b.size(0)));
  const Share own = ranks.share_blocks(directions.size(0), step);
  std::vector<double> sums;
  for (int64_t p = own.first; p < own.first + own.count; p += step)
    sums.push_back(sum_of_squared_transport(a, b, directions.slice(0, p, p + step), segments));
  const Tensor all = ranks.gather_rows(at::tensor(sums, at::kDouble));
  const double* first = all.data_ptr<double>();
  const double total = std::accumulate(first, first + all.numel(), 0.0);
  return unit * std::sqrt(total / static_cast<double>(directions.size(0)));
} catch (...) {
  detail::throw_as_error();
}

Tensor subsample(const Tensor& x, int64_t count, const Rng& rng) try {
  check(count > 0, "subsample: expected a count > 0 but received {}", count);
  return x.size(0) <= count ? x : x.index_select(0, rng.permutation(x.size(0)).slice(0, 0, count));
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
