#include "fokker/evaluate/two_sample/copies.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/evaluate/two_sample/column_scores.h"

namespace fokker {
namespace {

constexpr int64_t shuffles = 64;

/// Sum over groups of how many rows both sets have: the smaller number.
int64_t paired_rows(const Tensor& group, int64_t groups, int64_t n) {
  const Tensor first = at::bincount(group.slice(0, 0, n), {}, groups);
  const Tensor second = at::bincount(group.slice(0, n), {}, groups);
  return at::minimum(first, second).sum().item<int64_t>();
}

/// Rows of each set in a random order, those without a partner in the other set first; pairs then stand at
/// the same place of both.
struct Partners {
  std::vector<int64_t> first_alone, second_alone, first, second;
};

Partners pair_up(const Tensor& group, int64_t groups, int64_t n, const Rng& rng) {
  const Tensor order = rng.permutation(group.size(0));
  std::vector<std::vector<int64_t>> first(groups), second(groups);
  for (int64_t i = 0; i < order.size(0); ++i) {
    const int64_t row = order.data_ptr<int64_t>()[i], g = group.data_ptr<int64_t>()[row];
    row < n ? first[g].push_back(row) : second[g].push_back(row - n);
  }
  Partners result;
  for (int64_t g = 0; g < groups; ++g) {
    const size_t pairs = std::min(first[g].size(), second[g].size());
    for (size_t i = 0; i < first[g].size(); ++i)
      (i < pairs ? result.first : result.first_alone).push_back(first[g][i]);
    for (size_t i = 0; i < second[g].size(); ++i)
      (i < pairs ? result.second : result.second_alone).push_back(second[g][i]);
  }
  return result;
}

}  // namespace

Copies count_copies(const Tensor& x, const Tensor& y, const Rng& rng) try {
  const int64_t n = x.size(0);
  const Tensor group = groups_of_equal_rows(at::cat({x, y}));
  const int64_t groups = group.max().item<int64_t>() + 1;
  Copies result{.rows = paired_rows(group, groups, n)};
  if (groups == group.size(0)) return result;
  double total = 0, squares = 0;
  for (int64_t i = 0; i < shuffles; ++i) {
    const Tensor order = rng.stream(static_cast<uint64_t>(i)).permutation(group.size(0));
    const auto rows = static_cast<double>(paired_rows(group.index_select(0, order), groups, n));
    total += rows;
    squares += rows * rows;
  }
  result.expected = total / shuffles;
  const double variance = std::max(0.0, squares / shuffles - result.expected * result.expected);
  // A single pair says nothing: its deviation is one half.
  const double deviation = std::max(0.5, std::sqrt(variance));
  result.beyond_chance = static_cast<double>(result.rows) > result.expected + 6 * deviation;
  return result;
} catch (...) {
  detail::throw_as_error();
}

std::pair<Tensor, Tensor> without_copies(const Tensor& x, const Tensor& y, const Rng& rng) try {
  const int64_t n = x.size(0), m = y.size(0);
  const Tensor group = groups_of_equal_rows(at::cat({x, y}));
  Partners p = pair_up(group, group.max().item<int64_t>() + 1, n, rng.stream("partners"));
  const auto copies = static_cast<int64_t>(p.first.size());
  const int64_t kept = std::clamp<int64_t>((m - n + copies) / 2, 0, copies);
  const Tensor order = rng.stream("copies").permutation(copies);
  for (int64_t i = 0; i < copies; ++i) {
    const int64_t pair = order.data_ptr<int64_t>()[i];
    i < kept ? p.first_alone.push_back(p.first[pair]) : p.second_alone.push_back(p.second[pair]);
  }
  return {x.index_select(0, at::tensor(p.first_alone, at::kLong)),
          y.index_select(0, at::tensor(p.second_alone, at::kLong))};
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
