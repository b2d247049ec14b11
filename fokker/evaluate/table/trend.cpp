#include "fokker/evaluate/table/trend.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"
#include "fokker/core/stop.h"
#include "fokker/evaluate/table/cells.h"
#include "fokker/evaluate/table/contingency.h"

namespace fokker {
namespace {

constexpr int range_bins = 10, codes_of_numbers = range_bins + 2;  // and the maximum, and a missing cell

using BinEdges = std::array<double, range_bins + 1>;

/// As numpy's histogram_bin_edges: ten bins between the least and the greatest value.
BinEdges range_edges(const Tensor& column) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (int64_t i = 0; i < column.numel(); ++i)
    if (const double v = column.data_ptr<double>()[i]; !std::isnan(v)) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  if (low > high) low = high = 0;
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  BinEdges edges;
  double step = (high - low) / range_bins;
  if (std::isinf(step)) step = high / range_bins - low / range_bins;
  for (int i = 0; i <= range_bins; ++i) edges[i] = low + i * step;
  edges.back() = high;
  return edges;
}

/// How many edges are at most the value, 1 to 11 of the column's own (and so the maximum is alone in the
/// last); what lies outside of another's edges belongs to its first bin and its maximum.
int32_t range_code(double value, const BinEdges& edges) {
  if (std::isnan(value)) return 0;
  return std::max<int32_t>(
      1, static_cast<int32_t>(std::upper_bound(edges.begin(), edges.end(), value) - edges.begin()));
}

/// The codes of all columns, (D, n).
struct Codes {
  std::vector<std::vector<int32_t>> columns;
  CodePairs pair(size_t first, size_t second) const { return {columns[first], columns[second]}; }
};

/// `ranges` has the columns whose ranges are cut.
Codes codes_of(const Tensor& cells, const Tensor& ranges, const Schema& schema) {
  Codes codes{std::vector<std::vector<int32_t>>(schema.columns.size())};
  run_jobs(schema.columns.size(), thread_count(), [&](size_t c) {
    const Column& column = schema.columns[c];
    const Tensor values = cells[static_cast<int64_t>(c)];
    const double* value = values.data_ptr<double>();
    auto& code = codes.columns[c];
    code.resize(static_cast<size_t>(values.numel()));
    const auto levels = static_cast<int64_t>(column.levels.size());
    const BinEdges edges = column.has_levels() ? BinEdges{} : range_edges(ranges[static_cast<int64_t>(c)]);
    for (size_t i = 0; i < code.size(); ++i)
      code[i] = column.has_levels() ? level_code(value[i], levels) : range_code(value[i], edges);
  });
  return codes;
}

/// Columns about their means in units of their largest deviation, so that nothing overflows or cancels.
Tensor centred(const Tensor& columns) {
  Tensor x = columns / at::nan_to_num(columns.abs(), 0.0).amax(1, true).clamp_min(1e-300);
  x = x - at::nanmean(x, 1, true);
  const Tensor largest = at::nan_to_num(x.abs(), 0.0).amax(1, true);
  return x / at::where(largest > 0, largest, at::ones_like(largest));
}

double correlation_error(double found, double expected) {
  if (std::isnan(expected)) return expected;
  return std::abs(expected - (std::isnan(found) ? 0.0 : found)) / 2;
}

/// The errors of all pairs, first < second, by first and then second.
class PairErrors {
 public:
  PairErrors(const Tensor& x, const Tensor& y, const Schema& schema)
      : schema_(schema),
        samples_(codes_of(x, x, schema)),
        in_common_bins_(codes_of(x, y, schema)),
        reference_(codes_of(y, y, schema)),
        place_(schema.columns.size(), -1) {
    std::vector<int64_t> numbers;
    for (size_t c = 0; c < schema.columns.size(); ++c)
      if (schema.columns[c].is_number()) {
        place_[c] = static_cast<int64_t>(numbers.size());
        numbers.push_back(static_cast<int64_t>(c));
      }
    if (numbers.empty()) return;
    const Tensor which = at::tensor(numbers, at::kLong);
    correlations_ =
        at::stack({correlations(x.index_select(0, which)), correlations(y.index_select(0, which))});
  }

  std::vector<PairTrend> all() const {
    const size_t d = schema_.columns.size();
    std::vector<PairTrend> pairs(d * (d - 1) / 2);
    run_jobs(d, thread_count(), [&](size_t i) {
      ContingencyComparison comparison;
      PairTrend* pair = pairs.data() + (i * d - i * (i + 1) / 2);
      for (size_t j = i + 1; j < d; ++j) *pair++ = compared(i, j, comparison);
    });
    return pairs;
  }

 private:
  PairTrend compared(size_t i, size_t j, ContingencyComparison& comparison) const {
    PairTrend pair{.first = static_cast<int64_t>(i), .second = static_cast<int64_t>(j)};
    if (place_[i] >= 0 && place_[j] >= 0) {
      pair.error = correlation_error(correlation(0, i, j), correlation(1, i, j));
      pair.error_in_common_bins = pair.error;
      return pair;
    }
    check_stop();
    const auto distance = [&](const Codes& x) {
      return comparison.distance(x.pair(i, j), reference_.pair(i, j), codes(i), codes(j));
    };
    pair.error = distance(samples_);
    const bool cut = place_[i] >= 0 || place_[j] >= 0;
    pair.error_in_common_bins = cut ? distance(in_common_bins_) : pair.error;
    return pair;
  }
  double correlation(int64_t set, size_t i, size_t j) const {
    const int64_t numbers = correlations_.size(1);
    return correlations_.data_ptr<double>()[(set * numbers + place_[i]) * numbers + place_[j]];
  }
  int64_t codes(size_t c) const {
    const Column& column = schema_.columns[c];
    return column.has_levels() ? static_cast<int64_t>(column.levels.size()) + 2 : codes_of_numbers;
  }

  const Schema& schema_;
  Codes samples_, in_common_bins_, reference_;
  std::vector<int64_t> place_;  ///< of a column among the numbers; -1 of levels
  Tensor correlations_;         ///< (2, numbers, numbers), of the samples and of the reference
};

void summarise(TrendErrors& result, std::vector<PairTrend> pairs, int64_t worst) {
  std::erase_if(pairs, [](const PairTrend& p) { return std::isnan(p.error); });
  double sum = 0, common = 0;
  for (const PairTrend& pair : pairs) {
    sum += pair.error;
    common += pair.error_in_common_bins;
  }
  result.pairs = static_cast<int64_t>(pairs.size());
  result.mean = sum / static_cast<double>(pairs.size());
  result.mean_in_common_bins = common / static_cast<double>(pairs.size());
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const PairTrend& a, const PairTrend& b) { return a.error > b.error; });
  pairs.resize(std::min(pairs.size(), static_cast<size_t>(worst)));
  result.worst = std::move(pairs);
}

}  // namespace

Tensor correlations(const Tensor& columns) {
  const Tensor x = centred(columns.to(at::kDouble));
  constexpr int64_t step = 65'536;
  const int64_t d = x.size(0);
  Tensor count = at::zeros({d, d}, x.options()), sum = count.clone(), squares = count.clone(),
         products = count.clone();
  for (int64_t i = 0; i < x.size(1); i += step) {
    const Tensor part = x.slice(1, i, i + step), there = at::isnan(part).logical_not().to(at::kDouble);
    const Tensor value = at::nan_to_num(part, 0.0), mask = there.t();
    count += there.matmul(mask);
    sum += value.matmul(mask);  // of the first column, where the second is there
    squares += value.square().matmul(mask);
    products += value.matmul(value.t());
  }
  const Tensor variance = squares / count - (sum / count).square();
  const Tensor covariance = products / count - (sum / count) * (sum.t() / count);
  const Tensor varies = variance > 1e-12 * squares / count;
  const Tensor result = (covariance / (variance * variance.t()).sqrt()).clamp(-1, 1);
  return at::where(varies.logical_and(varies.t()), result,
                   at::full_like(result, std::numeric_limits<double>::quiet_NaN()));
}

TrendErrors trend_errors(const Tensor& samples, const Tensor& reference, const Schema& schema,
                         const TrendOptions& options) try {
  check(options.most_cells > 0 && options.worst >= 0,
        "trend_errors: expected most_cells > 0 and worst >= 0 but received {} and {}", options.most_cells,
        options.worst);
  const int64_t pairs = schema.size() * (schema.size() - 1) / 2;
  const int64_t most = std::max<int64_t>(1000, options.most_cells / std::max<int64_t>(1, 2 * pairs));
  const Rng rng = Rng(options.seed).stream("trend");
  const Tensor x = draw_rows(columns_of_cells(samples, schema, "samples"), most, rng);
  const Tensor y = draw_rows(columns_of_cells(reference, schema, "reference"), most, rng);
  TrendErrors result{.samples = x.size(1), .reference = y.size(1)};
  summarise(result, PairErrors(x, y, schema).all(), options.worst);
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
