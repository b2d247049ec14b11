#include "fokker/table/distribution.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fokker {
namespace {

constexpr int64_t fewest_rows = 100;  // that tell a tail
constexpr int64_t neighbours = 5;
constexpr size_t most_spikes = 20;
constexpr double least_share = 0.02, least_excess = 5, heap_excess = 3;
constexpr double heavy_quartiles = 12, heavy_percentile = 1.9;
constexpr int64_t fewest_bounded = 500;
constexpr double bound_slope = 0.7;  // between a tail's 0.2 to 0.4 and the 1 of a step

/// What a value's count would be if it were like those around it.
double expected_count(const ValueCounts& column, int64_t at) {
  const int64_t last = std::ssize(column.counts);
  const auto count = [&](int64_t i) { return static_cast<double>(column.counts[static_cast<size_t>(i)]); };
  std::vector<double> around;
  for (int64_t i = std::max<int64_t>(0, at - neighbours); i < std::min(last, at + neighbours + 1); ++i)
    if (i != at) around.push_back(count(i));
  if (around.empty()) return 0;
  std::sort(around.begin(), around.end());
  const size_t half = around.size() / 2;
  const double median = around.size() % 2 ? around[half] : 0.5 * (around[half - 1] + around[half]);
  const double left = at > 0 ? count(at - 1) : INFINITY, right = at + 1 < last ? count(at + 1) : INFINITY;
  return std::max(median, std::min(left, right));
}

/// Quantiles of weighted values, the least value below which a share of the rows is.
class Quantiles {
 public:
  explicit Quantiles(const ValueCounts& column) : values_(column.values) {
    ends_.reserve(column.counts.size());
    int64_t sum = 0;
    for (const int64_t count : column.counts) ends_.push_back(sum += count);
  }
  int64_t rows() const { return ends_.empty() ? 0 : ends_.back(); }
  /// The value of the row at `place` in rising order.
  double row(int64_t place) const {
    return values_[static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), place) - ends_.begin())];
  }
  double at(double share) const {
    const auto place = static_cast<int64_t>(share * static_cast<double>(rows()));
    return row(std::clamp<int64_t>(place, 0, rows() - 1));
  }

 private:
  const std::vector<double>& values_;
  std::vector<int64_t> ends_;
};

bool heavy(double median, double quartile, double percentile, double far) {
  far = std::abs(far - median);
  return far > heavy_quartiles * std::abs(quartile - median) &&
         far > heavy_percentile * std::abs(percentile - median);
}

/// The mean of log(d_(m+1) / d_i) over the m least distances from the extreme row, which is 1 / k where the
/// share of rows within a distance d grows like d^k (Hill 1975, in distances). `distance(i)`: of the i-th.
template <typename Distance>
double hill(int64_t m, const Distance& distance) {
  const double far = distance(m + 1);
  double sum = 0;
  for (int64_t i = 1; i <= m; ++i) sum += std::log(far / std::max(distance(i), 1e-12 * far));
  return far > 0 ? sum / static_cast<double>(m) : INFINITY;
}

/// At two scales, so that neither a gap among the rows nor a blurred edge passes for a step.
template <typename Distance>
bool begins_at_once(int64_t rows, const Distance& distance) {
  const int64_t m = std::max<int64_t>(rows / 100, 20);
  const double least = bound_slope + 0.5 / std::sqrt(static_cast<double>(m));
  return hill(m, distance) > least && hill(3 * m, distance) > least;
}

}  // namespace

ValueCounts ValueCounts::of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  ValueCounts result;
  for (size_t i = 0, next = 0; i < values.size(); i = next) {
    while (next < values.size() && values[next] == values[i]) ++next;
    result.values.push_back(values[i]);
    result.counts.push_back(static_cast<int64_t>(next - i));
  }
  return result;
}

int64_t ValueCounts::total() const {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

std::vector<Spike> find_spikes(const ValueCounts& column) {
  const auto rows = static_cast<double>(column.total());
  std::vector<Spike> spikes;
  for (int64_t i = 0; i < std::ssize(column.counts); ++i) {
    const auto count = static_cast<double>(column.counts[static_cast<size_t>(i)]);
    if (count < least_share * rows) continue;
    const double expected = expected_count(column, i);
    // Counts of few rows vary: six standard deviations of a Poisson variable, and a few rows more.
    if (count >= least_excess * expected && count - expected >= 6 * std::sqrt(expected) + 4)
      spikes.push_back({column.values[static_cast<size_t>(i)], count / rows});
  }
  if (spikes.size() > most_spikes) {
    std::sort(spikes.begin(), spikes.end(), [](const Spike& a, const Spike& b) { return a.share > b.share; });
    spikes.resize(most_spikes);
    std::sort(spikes.begin(), spikes.end(), [](const Spike& a, const Spike& b) { return a.value < b.value; });
  }
  return spikes;
}

std::vector<bool> find_heaps(const ValueCounts& column, int64_t least) {
  std::vector<bool> heaps(column.values.size());
  for (size_t i = 0; i < heaps.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i), count = column.counts[i];
    heaps[i] = count >= least && static_cast<double>(count) >= heap_excess * expected_count(column, at);
  }
  return heaps;
}

ValueCounts without(const ValueCounts& column, const std::vector<Spike>& spikes) {
  ValueCounts rest;
  auto spike = spikes.begin();
  for (size_t i = 0; i < column.values.size(); ++i) {
    if (spike != spikes.end() && spike->value == column.values[i]) {
      ++spike;
      continue;
    }
    rest.values.push_back(column.values[i]);
    rest.counts.push_back(column.counts[i]);
  }
  return rest;
}

bool has_heavy_tails(const ValueCounts& column) {
  const Quantiles quantiles(column);
  if (quantiles.rows() < fewest_rows) return false;
  const double median = quantiles.at(0.5);
  return heavy(median, quantiles.at(0.75), quantiles.at(0.99), quantiles.at(0.999)) ||
         heavy(median, quantiles.at(0.25), quantiles.at(0.01), quantiles.at(0.001));
}

bool has_hard_bound(const ValueCounts& column) {
  const Quantiles quantiles(column);
  const int64_t rows = quantiles.rows();
  if (rows < fewest_bounded) return false;
  const double low = quantiles.row(0), high = quantiles.row(rows - 1);
  return begins_at_once(rows, [&](int64_t m) { return quantiles.row(m) - low; }) ||
         begins_at_once(rows, [&](int64_t m) { return high - quantiles.row(rows - 1 - m); });
}

}  // namespace fokker
