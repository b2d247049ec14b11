#include "fokker/evaluate/table/roc.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fokker/core/check.h"

namespace fokker {
namespace {

/// Of each of some scores the share of sorted others that are below it, ties counted half.
std::vector<double> placements(const std::vector<double>& scores, const std::vector<double>& sorted) {
  std::vector<double> result;
  result.reserve(scores.size());
  for (const double score : scores) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), score);
    const auto twice = static_cast<double>((first - sorted.begin()) + (last - sorted.begin()));
    result.push_back(twice / (2 * static_cast<double>(sorted.size())));
  }
  return result;
}

double mean_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

double variance_of_mean(const std::vector<double>& x) {
  if (x.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double mean = mean_of(x);
  double sum = 0;
  for (const double v : x) sum += (v - mean) * (v - mean);
  return sum / static_cast<double>(x.size() - 1) / static_cast<double>(x.size());
}

}  // namespace

RocArea roc_area(const std::vector<double>& positives, const std::vector<double>& negatives) {
  check(!positives.empty() && !negatives.empty(),
        "roc_area: expected scores of both classes but received {} and {}", positives.size(),
        negatives.size());
  std::vector<double> above = positives, below = negatives;
  std::sort(above.begin(), above.end());
  std::sort(below.begin(), below.end());
  const std::vector<double> of_positives = placements(positives, below);
  const std::vector<double> of_negatives = placements(negatives, above);
  return {mean_of(of_positives), variance_of_mean(of_positives) + variance_of_mean(of_negatives)};
}

}  // namespace fokker
