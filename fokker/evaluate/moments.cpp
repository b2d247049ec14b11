// Moments, modes, and every metric at once.
#include <limits>

#include "fokker/core/error.h"
#include "fokker/evaluate/metrics.h"
#include "fokker/evaluate/pairwise.h"

namespace fokker {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Deviations as units of measure: a constant column keeps its own.
Tensor units(const Tensor& deviation) {
  return at::where(deviation > 0, deviation, at::ones_like(deviation));
}

void check_same(const Moments& a, const Moments& b) {
  check(a.mean.size(0) == b.mean.size(0), "compare: expected sets of one dimension but received {} and {}",
        a.mean.size(0), b.mean.size(0));
}

/// (n) index of the most responsible component, in blocks of bounded memory.
Tensor assigned(const Tensor& rows, const GaussianMixture& mixture) {
  const int64_t step = std::max<int64_t>(1, (int64_t{1} << 22) / mixture.components());
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < rows.size(0); i += step)
    parts.push_back(mixture.responsibilities(rows.slice(0, i, i + step)).argmax(1));
  return at::cat(parts);
}

/// A little noise gives a singular mixture a density, without changing which component is nearest.
GaussianMixture with_density(const GaussianMixture& mixture) {
  if (mixture.has_density()) return mixture;
  const double spread = mixture.means().std(0, false).max().item<double>();
  const double variance = mixture.component_covariance(0).diagonal().max().item<double>();
  const double scale = std::max(spread, std::sqrt(variance));
  return mixture.noised(1, 1e-4 * (scale > 0 ? scale : 1));
}

Tensor mode_covariances(const Tensor& rows, const Tensor& component, int64_t modes) {
  const int64_t d = rows.size(1);
  Tensor result = at::full({modes, d, d}, nan, at::kDouble);
  for (int64_t k = 0; k < modes; ++k) {
    const Tensor chosen = rows.index_select(0, (component == k).nonzero().squeeze(1));
    if (chosen.size(0) >= 2) result[k].copy_(moments(chosen).covariance);
  }
  return result;
}

/// Rows whose pairs cost the same time in any dimension.
int64_t affordable(int64_t rows, int64_t dimension) {
  return dimension <= 16
             ? rows
             : std::max<int64_t>(std::min<int64_t>(rows, 500),
                                 static_cast<int64_t>(static_cast<double>(rows) *
                                                      std::sqrt(16.0 / static_cast<double>(dimension))));
}

void compare_distances(Comparison& result, const Tensor& x, const Tensor& y, const CompareOptions& options) {
  const Rng rng = Rng(options.seed).stream("compare");
  // One stream for both sets, so that copies stay beside their originals.
  const auto cut = [&](const char* purpose, int64_t rows) {
    const Rng draw = rng.stream(purpose);
    return std::pair(subsample(x, rows, draw), subsample(y, rows, draw));
  };
  const auto [energy_x, energy_y] = cut("energy", result.energy_rows);
  result.energy_distance = energy_distance(energy_x, energy_y);
  const auto [mmd_x, mmd_y] = cut("mmd", result.mmd_rows);
  const double median = median_distance(mmd_x, mmd_y, rng.stream("median"));
  result.mmd_bandwidth = median > 0 ? median : 1;
  result.mmd = mmd(mmd_x, mmd_y, result.mmd_bandwidth);
  const auto [sliced_x, sliced_y] = cut("sliced", result.sliced_rows);
  result.sliced_wasserstein =
      sliced_wasserstein(sliced_x, sliced_y, options.projections, rng.stream("directions"));
  const auto [classifier_x, classifier_y] = cut("classifier", result.classifier_rows);
  result.classifier = classifier_test(classifier_x, classifier_y, rng.stream("folds"));
  const auto [test_x, test_y] = cut("test", result.test_rows);
  result.test = energy_test(test_x, test_y, options.permutations, rng.stream("relabellings"));
}

}  // namespace

Moments moments(const Tensor& x) {
  const Tensor rows = checked_samples(x, "samples");
  const auto n = rows.size(0);
  const Tensor mean = rows.mean(0), centred = rows - mean;
  const Tensor covariance = centred.t().matmul(centred) / static_cast<double>(std::max<int64_t>(n - 1, 1));
  // A constant column must have deviation zero exactly, whatever the rounding of its mean.
  const Tensor constant = (rows == rows[0]).all(0);
  const Tensor variance = at::where(constant, at::zeros_like(mean), covariance.diagonal());
  return {mean, variance.sqrt(), covariance};
}

double mean_error(const Moments& samples, const Moments& reference, bool relative) {
  check_same(samples, reference);
  Tensor difference = (samples.mean - reference.mean).abs();
  if (relative) difference = difference / units(reference.deviation);
  return difference.max().item<double>();
}

double covariance_error(const Moments& samples, const Moments& reference, bool relative) {
  check_same(samples, reference);
  Tensor difference = (samples.covariance - reference.covariance).abs();
  if (relative) difference = difference / at::outer(units(reference.deviation), units(reference.deviation));
  return difference.max().item<double>();
}

ModeStatistics mode_weights(const Tensor& samples, const GaussianMixture& mixture) {
  const Tensor rows = checked_samples(samples, "samples");
  check(rows.size(1) == mixture.dimension(), "mode_weights: expected samples of dimension {} but received {}",
        mixture.dimension(), rows.size(1));
  const int64_t modes = mixture.components(), d = rows.size(1);
  const Tensor component = assigned(rows, with_density(mixture));
  ModeStatistics result;
  result.counts = at::bincount(component, {}, modes);
  result.weights = result.counts.to(at::kDouble) / static_cast<double>(rows.size(0));
  result.expected = mixture.weights();
  result.means =
      at::zeros({modes, d}, at::kDouble).index_add_(0, component, rows) / result.counts.unsqueeze(1);
  if (modes * d * d <= int64_t{1} << 24) result.covariances = mode_covariances(rows, component, modes);
  return result;
}

Comparison compare(const Tensor& samples, const Tensor& reference, const CompareOptions& options) {
  const Tensor x = checked_samples(samples, "samples"), y = checked_samples(reference, "reference");
  check(x.size(1) == y.size(1), "compare: expected sets of one dimension but received {} and {}", x.size(1),
        y.size(1));
  check(x.size(0) >= 4 && y.size(0) >= 4,
        "compare: expected at least 4 rows in each set but received {} and {}", x.size(0), y.size(0));
  Comparison result;
  result.samples = x.size(0);
  result.reference = y.size(0);
  result.dimension = x.size(1);
  // In one dimension the sort-based metrics are exact for any size.
  result.energy_rows =
      x.size(1) == 1 ? std::max(x.size(0), y.size(0)) : affordable(options.energy_rows, x.size(1));
  result.sliced_rows = x.size(1) == 1 ? std::max(x.size(0), y.size(0)) : options.sliced_rows;
  result.mmd_rows = affordable(options.mmd_rows, x.size(1));
  result.classifier_rows = affordable(options.classifier_rows, x.size(1));
  result.test_rows = std::min<int64_t>(options.test_rows, 5'000);
  const Moments of_samples = moments(x), of_reference = moments(y);
  result.mean_error = mean_error(of_samples, of_reference);
  result.covariance_error = covariance_error(of_samples, of_reference);
  result.mean_error_relative = mean_error(of_samples, of_reference, true);
  result.covariance_error_relative = covariance_error(of_samples, of_reference, true);
  const Tensor unit = units(of_reference.deviation);
  compare_distances(result, (x - of_reference.mean) / unit, (y - of_reference.mean) / unit, options);
  if (options.modes) result.modes = mode_weights(samples, *options.modes);
  return result;
}

}  // namespace fokker
