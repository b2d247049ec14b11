#include "fokker/evaluate/two_sample/relabelling.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"

namespace fokker {
namespace {

/// Most groups in all where one set is small, so that groups must be small too.
constexpr int64_t group_limit = 4096;
/// So many groups of a set at least, where it has so many rows.
constexpr int64_t fewest_groups = 16;

/// Largest size of a group that leaves `rows` enough groups: enough for those of one row more, too.
int64_t largest_group(int64_t rows) {
  const auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(rows)));
  return std::max<int64_t>(1, std::min(rows / fewest_groups, root));
}

/// Rows of one set go into groups of `size` and, where they do not fit, of `size` + 1.
int64_t group_size(int64_t n, int64_t m) {
  const int64_t most = largest_group(std::min(n, m));
  const int64_t wanted = (n + m + Relabelling::most_groups - 1) / Relabelling::most_groups;
  const int64_t size = std::min(most, wanted);
  // A size that fits one set alone would leave groups of the other without any to change places with.
  for (int64_t s = size; s < std::min(most, size + 8); ++s)
    if ((n % s == 0) == (m % s == 0)) return s;
  return size;
}

/// `count` random labellings of `total` groups with `first` ones each, keyed by their index.
Tensor random_labels(int64_t count, int64_t first, int64_t total, const Rng& rng) {
  const Tensor chosen =
      rng.uniform({count, total}, {}, at::kDouble).argsort(true, 1, false).slice(1, 0, first);
  return at::zeros({count, total}, at::kDouble).scatter_(1, chosen, 1.0);
}

}  // namespace

Relabelling::Relabelling(int64_t n, int64_t m, int64_t relabellings, const Rng& rng) : n_(n), m_(m) {
  check(n > 0 && m > 0, "Relabelling: expected rows in both sets but received {} and {}", n, m);
  check(relabellings > 0, "Relabelling: expected relabellings > 0 but received {}", relabellings);
  const int64_t size = group_size(n, m);
  group_ = at::empty({n + m}, at::kLong);
  int64_t* group = group_.data_ptr<int64_t>();
  const Tensor first_order = rng.stream("first groups").permutation(n),
               second_order = rng.stream("second groups").permutation(m);
  const auto assign = [&](const Tensor& order, int64_t offset, int64_t from, int64_t groups, int64_t rows) {
    const int64_t* row = order.data_ptr<int64_t>() + from;
    for (int64_t g = 0; g < groups; ++g, ++group_count_)
      for (int64_t i = 0; i < rows; ++i) group[offset + *row++] = group_count_;
  };
  const int64_t larger_first = n % size, larger_second = m % size;
  const int64_t plain_first = n / size - larger_first, plain_second = m / size - larger_second;
  assign(first_order, 0, 0, plain_first, size);
  assign(second_order, n, 0, plain_second, size);
  strata_.push_back({0, plain_first, plain_first + plain_second});
  assign(first_order, 0, plain_first * size, larger_first, size + 1);
  assign(second_order, n, plain_second * size, larger_second, size + 1);
  strata_.push_back({strata_[0].count, larger_first, larger_first + larger_second});
  labels_ = at::zeros({1 + relabellings, group_count_}, at::kDouble);
  for (size_t i = 0; i < strata_.size(); ++i) {
    const auto [begin, first, count] = strata_[i];
    if (count == 0) continue;
    labels_[0].slice(0, begin, begin + first).fill_(1);
    labels_.slice(0, 1)
        .slice(1, begin, begin + count)
        .copy_(random_labels(relabellings, first, count, rng.stream("labels").stream(i)));
  }
}

Tensor Relabelling::group_sums(const Tensor& numbers) const {
  const Tensor rows = numbers.to(at::kDouble).contiguous();
  Tensor sums = at::zeros({rows.size(0), group_count_}, at::kDouble);
  const int64_t length = rows.size(1);
  const int64_t* group = group_.data_ptr<int64_t>();
  const double* from = rows.data_ptr<double>();
  double* to = sums.data_ptr<double>();
  run_jobs(static_cast<size_t>(rows.size(0)), thread_count(), [&](size_t k) {
    const double* value = from + static_cast<int64_t>(k) * length;
    double* sum = to + static_cast<int64_t>(k) * group_count_;
    for (int64_t i = 0; i < length; ++i) sum[group[i]] += value[i];
  });
  return sums;
}

Tensor Relabelling::standardised(const Tensor& numbers) const {
  const Tensor sums = group_sums(numbers);
  Tensor total = at::zeros({count(), sums.size(0)}, at::kDouble);
  Tensor variance = at::zeros({sums.size(0)}, at::kDouble), size = sums.square().mean(1);
  for (const auto& [begin, first, groups] : strata_) {
    if (first == 0 || first == groups) continue;  // nothing changes places
    const Tensor part = sums.slice(1, begin, begin + groups), centred = part - part.mean(1, true);
    total.addmm_(labels_.slice(1, begin, begin + groups), centred.t());
    // Sampling without replacement: var = n m / (N - 1) times the variance of a group's sum.
    const auto n = static_cast<double>(first), m = static_cast<double>(groups - first);
    variance += centred.square().mean(1) * (n * m / (n + m - 1));
  }
  const Tensor varies = variance > 1e-12 * size;
  return at::where(varies, total / variance.sqrt(), at::zeros_like(total));
}

int64_t most_relabelled_rows(int64_t smaller) {
  return std::max(smaller, (group_limit - 2 * fewest_groups) * largest_group(smaller) - smaller);
}

Tensor shares_as_strong(const Tensor& strengths) {
  // Nine digits of the spread: labellings that split equal rows alike differ by rounding alone.
  const double spread = (strengths.max() - strengths.min()).item<double>();
  const Tensor values = spread > 0 ? ((strengths - strengths.min()) * (1e9 / spread)).round() : strengths * 0;
  const Tensor sorted = std::get<0>(values.sort());
  const auto count = static_cast<double>(values.size(0));
  return (count - at::searchsorted(sorted, values).to(at::kDouble)) / count;
}

}  // namespace fokker
