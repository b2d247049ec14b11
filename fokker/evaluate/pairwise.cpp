#include "fokker/evaluate/pairwise.h"

#include <numeric>

#include "fokker/core/device.h"
#include "fokker/core/error.h"
#include "fokker/core/jobs.h"

namespace fokker {
namespace {

constexpr int64_t block_rows = 256;
constexpr int64_t block_columns = 1024;  // 2 MB a block: it stays in cache

/// Adds up `of(i)` for the blocks of rows that begin at i, which threads share; in the order of the rows.
template <typename BlockSum>
double sum_over_row_blocks(int64_t rows, const BlockSum& of) {
  std::vector<double> sums((rows + block_rows - 1) / block_rows);
  run_jobs(sums.size(), threads(),
           [&](size_t block) { sums[block] = of(static_cast<int64_t>(block) * block_rows); });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
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

double sum_over_pairs(const Tensor& x, const Tensor& y, const PairFunction& f) {
  return sum_over_row_blocks(x.size(0), [&](int64_t i) {
    double total = 0;
    for (int64_t j = 0; j < y.size(0); j += block_columns)
      total += f(squared_distances(x.slice(0, i, i + block_rows), y.slice(0, j, j + block_columns)))
                   .sum()
                   .item<double>();
    return total;
  });
}

double sum_over_distinct_pairs(const Tensor& x, const PairFunction& f) {
  const int64_t n = x.size(0);
  return sum_over_row_blocks(n, [&](int64_t i) {
    const Tensor rows = x.slice(0, i, i + block_rows);
    const Tensor values = f(squared_distances(rows, rows));
    double total = values.fill_diagonal_(0).sum().item<double>();
    for (int64_t j = i + block_rows; j < n; j += block_columns)
      total += 2 * f(squared_distances(rows, x.slice(0, j, j + block_columns))).sum().item<double>();
    return total;
  });
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

std::pair<Tensor, Tensor> checked_pair(const Tensor& x, const Tensor& y) {
  const Tensor a = checked_samples(x, "samples"), b = checked_samples(y, "reference");
  check(a.size(1) == b.size(1), "compare: expected sets of one dimension but received {} and {}", a.size(1),
        b.size(1));
  const Tensor centre = b.mean(0);
  return {a - centre, b - centre};
}

}  // namespace fokker
