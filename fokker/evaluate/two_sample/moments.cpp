// Moments and modes.
#include <limits>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/evaluate/metrics.h"
#include "fokker/evaluate/two_sample/pairwise.h"

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

}  // namespace

Moments moments(const Tensor& x) try {
  const Tensor given = checked_samples(x, "samples");
  const auto n = given.size(0);
  // In powers of two of each column's size, where squares neither overflow nor vanish.
  const Tensor exponent = column_exponents(given), rows = times_power_of_two(given, -exponent);
  const Tensor mean = rows.mean(0), centred = rows - mean;
  const Tensor covariance = centred.t().matmul(centred) / static_cast<double>(std::max<int64_t>(n - 1, 1));
  // A constant column must have deviation zero exactly, whatever the rounding of its mean.
  const Tensor constant = (rows == rows[0]).all(0);
  const Tensor variance = at::where(constant, at::zeros_like(mean), covariance.diagonal());
  const Tensor together = exponent.unsqueeze(0) + exponent.unsqueeze(1);
  return {times_power_of_two(mean, exponent), times_power_of_two(variance.sqrt(), exponent),
          times_power_of_two(covariance, together)};
} catch (...) {
  detail::throw_as_error();
}

double mean_error(const Moments& samples, const Moments& reference, bool relative) try {
  check_same(samples, reference);
  Tensor difference = (samples.mean - reference.mean).abs();
  if (relative) difference = difference / units(reference.deviation);
  return difference.max().item<double>();
} catch (...) {
  detail::throw_as_error();
}

double covariance_error(const Moments& samples, const Moments& reference, bool relative) try {
  check_same(samples, reference);
  Tensor difference = (samples.covariance - reference.covariance).abs();
  if (relative) difference = difference / at::outer(units(reference.deviation), units(reference.deviation));
  return difference.max().item<double>();
} catch (...) {
  detail::throw_as_error();
}

ModeStatistics mode_weights(const Tensor& samples, const GaussianMixture& mixture) try {
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
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
