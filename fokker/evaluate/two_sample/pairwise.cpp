#include "fokker/evaluate/two_sample/pairwise.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fokker/core/check.h"
#include "fokker/distributed/shared_jobs.h"

namespace fokker {
namespace {

constexpr int64_t block_rows = 256;
constexpr int64_t block_columns = 1024;  // 2 MB a block: it stays in cache

/// Adds up `of(i)` for the blocks of rows that begin at i, which ranks and threads share; in the order of the
/// rows.
template <typename BlockSum>
double sum_over_row_blocks(const Ranks& ranks, int64_t rows, const BlockSum& of) {
  const Tensor sums = shared_jobs(ranks, (rows + block_rows - 1) / block_rows, 1,
                                  [&](int64_t block, double* sum) { *sum = of(block * block_rows); });
  const double* first = sums.data_ptr<double>();
  return std::accumulate(first, first + sums.numel(), 0.0);
}

using Range = std::pair<int64_t, int64_t>;

/// Adds a block of distances, whose first row is `from`, to the sums of its groups, a row each.
void add_group_sums(const Tensor& distances, int64_t from, const int64_t* begin, Range rows, Range columns,
                    Tensor& sums) {
  const int64_t width = distances.size(1), groups = sums.size(1), left = begin[columns.first];
  double* block = distances.data_ptr<double>();
  for (int64_t r = rows.first; r < rows.second; ++r) {
    double* sum = sums.data_ptr<double>() + (r - rows.first) * groups;
    for (int64_t i = begin[r]; i < begin[r + 1]; ++i) {
      double* line = block + (i - from) * width;
      if (i >= left && i < left + width) line[i - left] = 0;  // a product form leaves rounding here
      for (int64_t c = columns.first; c < columns.second; ++c)
        sum[c] = std::accumulate(line + (begin[c] - left), line + (begin[c + 1] - left), sum[c]);
    }
  }
}

/// Exact, which a vectorised power need not be.
Tensor powers_of_two(const Tensor& exponent) {
  Tensor powers = exponent.contiguous().clone();
  double* value = powers.data_ptr<double>();
  for (int64_t i = 0; i < powers.numel(); ++i) value[i] = std::ldexp(1.0, static_cast<int>(value[i]));
  return powers;
}

}  // namespace

Tensor squared_distances(const Tensor& x, const Tensor& y) {
  if (x.size(1) > 8) {
    const Tensor norms = y.square().sum(1);
    return at::addmm(norms.unsqueeze(0), x, y.t(), 1, -2).add_(x.square().sum(1, true)).clamp_min_(0);
  }
  Tensor total;
  for (int64_t c = 0; c < x.size(1); ++c) {
    const Tensor difference = x.slice(1, c, c + 1) - y.select(1, c);
    if (c == 0)
      total = difference.square();
    else
      total.addcmul_(difference, difference);
  }
  return total;
}

double sum_over_pairs(const Tensor& x, const Tensor& y, const PairFunction& f, const Ranks& ranks) {
  return sum_over_row_blocks(ranks, x.size(0), [&](int64_t i) {
    double total = 0;
    for (int64_t j = 0; j < y.size(0); j += block_columns)
      total += f(squared_distances(x.slice(0, i, i + block_rows), y.slice(0, j, j + block_columns)))
                   .sum()
                   .item<double>();
    return total;
  });
}

double sum_over_distinct_pairs(const Tensor& x, const PairFunction& f, const Ranks& ranks) {
  const int64_t n = x.size(0);
  return sum_over_row_blocks(ranks, n, [&](int64_t i) {
    const Tensor rows = x.slice(0, i, i + block_rows);
    const Tensor values = f(squared_distances(rows, rows));
    double total = values.fill_diagonal_(0).sum().item<double>();
    for (int64_t j = i + block_rows; j < n; j += block_columns)
      total += 2 * f(squared_distances(rows, x.slice(0, j, j + block_columns))).sum().item<double>();
    return total;
  });
}

Tensor distances_between_groups(const Tensor& z, const Tensor& group, int64_t groups, const Ranks& ranks) {
  const Tensor order = group.argsort(/*stable=*/true, 0, false);
  const Tensor rows = z.index_select(0, order);
  // Where each group begins among the rows.
  const Tensor begins = at::cat({at::zeros({1}, at::kLong), at::bincount(group, {}, groups).cumsum(0)});
  const int64_t* begin = begins.data_ptr<int64_t>();
  std::vector<int64_t> firsts;  // of the groups that are taken together
  for (int64_t g = 0; g < groups; ++g)
    if (firsts.empty() || begin[g + 1] - begin[firsts.back()] > block_rows) firsts.push_back(g);
  firsts.push_back(groups);
  // A block of groups writes as many rows of the sums as it has groups; the widest says how many all have.
  int64_t most = 0;
  for (size_t block = 0; block + 1 < firsts.size(); ++block)
    most = std::max(most, firsts[block + 1] - firsts[block]);
  const Tensor found =
      shared_jobs(ranks, std::ssize(firsts) - 1, most * groups, [&](int64_t b, double* into) {
        const auto block = static_cast<size_t>(b);
        const int64_t from = begin[firsts[block]], to = begin[firsts[block + 1]];
        Tensor sums = at::from_blob(into, {most, groups}, at::TensorOptions(at::kDouble));
        for (int64_t g = firsts[block]; g < groups;) {  // groups before are in another block's sums
          int64_t end = g + 1;
          while (end < groups && begin[end + 1] - begin[g] <= block_columns) ++end;
          Tensor distances =
              squared_distances(rows.slice(0, from, to), rows.slice(0, begin[g], begin[end])).sqrt_();
          add_group_sums(distances, from, begin, {firsts[block], firsts[block + 1]}, {g, end}, sums);
          g = end;
        }
      });
  std::vector<Tensor> parts;
  for (int64_t block = 0; block < found.size(0); ++block)
    parts.push_back(found[block].view({most, groups}).narrow(0, 0, firsts[block + 1] - firsts[block]));
  const Tensor sums = at::cat(parts);
  return sums.triu() + sums.triu(1).t();
}

Tensor checked_samples(const Tensor& x, const char* name) {
  check(x.defined() && (x.dim() == 1 || x.dim() == 2) && x.numel() > 0 && !x.is_complex(),
        "compare: {}: expected shape (n, d) with at least one row but received {}", name,
        x.defined() ? shape_string(x) : "nothing");
  const Tensor rows = x.detach().to(at::kCPU, at::kDouble).reshape({x.size(0), -1}).contiguous();
  const Tensor bad = at::isfinite(rows).all(1).logical_not();
  if (bad.any().item<bool>())
    fail(ErrorKind::argument, "compare: {}: expected finite values but row {} has nan or inf", name,
         bad.to(at::kLong).argmax().item<int64_t>());
  return rows;
}

Tensor times_power_of_two(const Tensor& x, const Tensor& exponent) {
  // In two halves: 2^-1074 and 2^1023 are numbers, the quotient of the largest and the smallest is none.
  const Tensor half = (exponent / 2).floor();
  return x * powers_of_two(half) * powers_of_two(exponent - half);
}

Tensor column_exponents(const Tensor& x) {
  const Tensor largest = x.abs().amax(0);
  return at::where(largest > 0, at::log2(largest).floor(), at::zeros_like(largest));
}

CheckedPair checked_pair(const Tensor& x, const Tensor& y) {
  Tensor a = checked_samples(x, "samples"), b = checked_samples(y, "reference");
  check(a.size(1) == b.size(1), "compare: expected sets of one dimension but received {} and {}", a.size(1),
        b.size(1));
  const double exponent = at::maximum(column_exponents(a), column_exponents(b)).max().item<double>();
  double unit = 1;
  constexpr double usual = 300;  // 2^300 = 1e90: products of three such numbers still fit
  if (std::abs(exponent) > usual) {
    unit = std::ldexp(1.0, static_cast<int>(std::clamp(exponent, -1000.0, 1000.0)));
    const Tensor shift = at::full({1}, -std::clamp(exponent, -1000.0, 1000.0), at::kDouble);
    a = times_power_of_two(a, shift);
    b = times_power_of_two(b, shift);
  }
  const Tensor centre = b.mean(0);
  return {a - centre, b - centre, unit};
}

}  // namespace fokker
