#include "fokker/evaluate/table/privacy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/evaluate/table/cells.h"

namespace fokker {
namespace {

using Row = std::span<const double>;

bool same_cell(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

bool same_row(Row a, Row b) {
  return std::equal(a.begin(), a.end(), b.begin(), same_cell);
}

uint64_t row_hash(Row row) {
  uint64_t hash = 0x2545F4914F6CDD1DULL;
  for (const double cell : row) {
    const uint64_t bits = std::isnan(cell) ? 1 : std::bit_cast<uint64_t>(cell == 0 ? 0.0 : cell);
    hash = (hash ^ bits) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

/// Rows of a table by their hash.
class RowIndex {
 public:
  explicit RowIndex(const Tensor& cells) : cells_(cells.to(at::kDouble).contiguous()) {
    for (int64_t i = 0; i < cells_.size(0); ++i) places_.emplace_back(row_hash(row(i)), i);
    std::sort(places_.begin(), places_.end());
  }
  Row row(int64_t i) const {
    return {cells_.data_ptr<double>() + i * cells_.size(1), static_cast<size_t>(cells_.size(1))};
  }
  /// Whether the row is there at least so many times.
  bool has(Row wanted, int64_t times) const {
    const uint64_t hash = row_hash(wanted);
    auto at = std::lower_bound(places_.begin(), places_.end(), std::pair<uint64_t, int64_t>(hash, 0));
    for (; at != places_.end() && at->first == hash; ++at)
      if (same_row(row(at->second), wanted) && --times == 0) return true;
    return false;
  }
  int64_t count_of(const RowIndex& others, int64_t times) const {
    int64_t count = 0;
    for (int64_t i = 0; i < others.cells_.size(0); ++i) count += has(others.row(i), times);
    return count;
  }

 private:
  Tensor cells_;
  std::vector<std::pair<uint64_t, int64_t>> places_;
};

Tensor drawn(const Tensor& cells, int64_t count, const Rng& rng) {
  return draw_rows(cells.t(), count, rng).t();
}

std::vector<double> quantiles_of(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  std::vector<double> result;
  for (const double level : closest_levels) {
    const double at = level * static_cast<double>(values.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, values.size() - 1);
    result.push_back(values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]));
  }
  return result;
}

void count_copies_of_rows(Privacy& result, const Tensor& samples, const Tensor& reference,
                          const Tensor& held_out) {
  const RowIndex rows(reference);
  result.copies = rows.count_of(RowIndex(samples), 1);
  const auto n = static_cast<double>(samples.size(0));
  if (held_out.defined())
    result.copies_expected =
        static_cast<double>(rows.count_of(RowIndex(held_out), 1)) / static_cast<double>(held_out.size(0)) * n;
  else
    result.copies_expected =
        static_cast<double>(rows.count_of(rows, 2)) / static_cast<double>(reference.size(0)) * n;
}

int64_t rows_searched(const Tensor& reference, const Tensor& held_out, int64_t queries,
                      const PrivacyOptions& options) {
  const int64_t affordable =
      std::max<int64_t>(1000, options.most_differences / queries / std::max<int64_t>(1, reference.size(1)));
  const int64_t rows = std::min({reference.size(0), options.most_rows, affordable});
  return held_out.defined() ? std::min(rows, held_out.size(0)) : rows;
}

void compare_nearest(Privacy& result, const std::vector<float>& training,
                     const std::vector<float>& held_out) {
  double nearer = 0;
  for (size_t i = 0; i < training.size(); ++i)
    nearer += training[i] < held_out[i] ? 1 : training[i] == held_out[i] ? 0.5 : 0;
  const auto n = static_cast<double>(training.size());
  const double share = nearer / n;
  result.nearer_to_training = share;
  result.nearer_standard_error = std::sqrt(share * (1 - share) / n);
}

}  // namespace

int64_t rows_found_in(const Tensor& cells, const Tensor& others) {
  check(cells.dim() == 2 && others.dim() == 2 && cells.size(1) == others.size(1),
        "rows_found_in: expected rows of as many columns but received {} and {}", shape_string(cells),
        shape_string(others));
  return RowIndex(others).count_of(RowIndex(cells), 1);
}

int64_t rows_repeated(const Tensor& cells) {
  check(cells.dim() == 2, "rows_repeated: expected cells (n, D) but received {}", shape_string(cells));
  const RowIndex rows(cells);
  return rows.count_of(rows, 2);
}

Privacy privacy(const Tensor& samples, const Tensor& reference, const Tensor& held_out, const Schema& schema,
                const PrivacyOptions& options) try {
  check(options.queries > 0 && options.most_rows > 0 && options.most_differences > 0,
        "privacy: expected queries, most_rows and most_differences above 0");
  columns_of_cells(samples, schema, "samples");
  columns_of_cells(reference, schema, "reference");
  Privacy result;
  count_copies_of_rows(result, samples, reference, held_out);
  const Rng rng = Rng(options.seed).stream("privacy");
  const Tensor queries = drawn(samples, options.queries, rng.stream("queries"));
  result.queries = queries.size(0);
  result.searched = rows_searched(reference, held_out, result.queries, options);
  const Tensor training = drawn(reference, result.searched, rng.stream("training"));
  const NearestRows nearest(training, training, schema);
  const std::vector<float> to_training = nearest.distances(queries, options.ranks);
  result.closest = quantiles_of(to_training);
  result.nearer_to_training = result.nearer_standard_error = std::numeric_limits<double>::quiet_NaN();
  if (!held_out.defined()) return result;
  const Tensor others = drawn(held_out, result.searched, rng.stream("held-out"));
  compare_nearest(result, to_training,
                  NearestRows(others, training, schema).distances(queries, options.ranks));
  const Tensor asked = drawn(held_out, options.queries, rng.stream("held-out queries"));
  result.closest_held_out = quantiles_of(nearest.distances(asked, options.ranks));
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
