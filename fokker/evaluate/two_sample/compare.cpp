// Every metric at once.
#include <cmath>
#include <limits>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/evaluate/metrics.h"
#include "fokker/evaluate/two_sample/pairwise.h"
#include "fokker/evaluate/two_sample/relabelling.h"

namespace fokker {
namespace {

/// Rows whose pairs cost the same time in any dimension.
int64_t affordable(int64_t rows, int64_t dimension) {
  return dimension <= 16
             ? rows
             : std::max<int64_t>(std::min<int64_t>(rows, 500),
                                 static_cast<int64_t>(static_cast<double>(rows) *
                                                      std::sqrt(16.0 / static_cast<double>(dimension))));
}

/// Where one set is of float32 numbers, the other's are rounded to them: 0.1 is one value in both.
void round_alike(Tensor& x, Tensor& y) {
  const auto single = [](const Tensor& t) { return t.to(at::kFloat).to(at::kDouble); };
  const Tensor rounded_x = single(x), rounded_y = single(y);
  if (!at::equal(rounded_x, x) && !at::equal(rounded_y, y)) return;
  const auto keeps = [](const Tensor& rounded, const Tensor& t) {
    return ((rounded - t).abs() <= 1e-6 * t.abs()).all().item<bool>();
  };
  if (!keeps(rounded_x, x) || !keeps(rounded_y, y)) return;  // beyond what float32 holds
  x = rounded_x;
  y = rounded_y;
}

/// Both sets in powers of two of each column's largest value, where no arithmetic overflows or vanishes.
struct Sized {
  Tensor x, y, exponent;
};

Sized sized(const Tensor& x, const Tensor& y) {
  const Tensor exponent = column_exponents(at::cat({x, y}));
  return {times_power_of_two(x, -exponent), times_power_of_two(y, -exponent), exponent};
}

/// What counts as one in each column of the sized sets, (d).
Tensor distance_units(const Sized& sets, const Moments& reference, DistanceUnit unit) {
  const Tensor pooled = moments(at::cat({sets.x, sets.y})).deviation;
  Tensor own = at::where(reference.deviation > 0, reference.deviation, pooled);
  own = at::where(own > 0, own, at::ones_like(own));
  if (unit == DistanceUnit::column) return own;
  // One unit in the data's own scale, from columns of several powers of two.
  const double top = sets.exponent.max().item<double>();
  const Tensor scale = times_power_of_two(at::ones_like(sets.exponent), sets.exponent - top);
  const auto root = [&](const Tensor& deviation) {
    return (deviation * scale).square().mean().sqrt().item<double>();
  };
  double common = root(reference.deviation);
  if (common <= 0) common = root(pooled);
  return common > 0 ? common / scale : at::ones_like(own);
}

/// Sets in the unit of distances about the reference's mean.
struct Standardised {
  Tensor x, y;
  Standardised limited(double most) const { return {x.clamp(-most, most), y.clamp(-most, most)}; }
};

Standardised standardised(const Sized& sets, const Tensor& centre, const Tensor& unit) {
  constexpr double most = 1e100;  // whose squares add up
  return Standardised{(sets.x - centre) / unit, (sets.y - centre) / unit}.limited(most);
}

FarRows far_rows(const Tensor& scaled) {
  const Tensor distance = scaled.abs().amax(1), far = distance > FarRows::limit;
  FarRows result{.rows = far.sum().item<int64_t>()};
  if (result.rows == 0) return result;
  result.first = far.to(at::kLong).argmax().item<int64_t>();
  result.largest = distance.max().item<double>();
  return result;
}

void compare_moments(Comparison& result, const Sized& sets, const Tensor& unit) {
  const Moments x = moments(sets.x), y = moments(sets.y);
  const Tensor mean = (x.mean - y.mean).abs(), covariance = (x.covariance - y.covariance).abs();
  const Tensor& e = sets.exponent;
  result.mean_error = times_power_of_two(mean, e).max().item<double>();
  result.mean_error_relative = (mean / unit).max().item<double>();
  result.covariance_error =
      times_power_of_two(covariance, e.unsqueeze(0) + e.unsqueeze(1)).max().item<double>();
  result.covariance_error_relative =
      (covariance / unit.unsqueeze(0) / unit.unsqueeze(1)).max().item<double>();
}

/// Rows drawn for one purpose; the same of both sets, so that copies stay beside their originals.
struct Drawing {
  Tensor x, y;
  Drawing(const Tensor& first, const Tensor& second, int64_t rows, const Rng& rng)
      : x(subsample(first, rows, rng)), y(subsample(second, rows, rng)) {}
};

void compare_distances(Comparison& result, const Standardised& sets, const CompareOptions& options,
                       const Rng& rng) {
  const Drawing energy(sets.x, sets.y, result.energy_rows, rng.stream("energy"));
  result.energy_distance = energy_distance(energy.x, energy.y, options.ranks);
  // A far row's distances to both sets cancel: what is below their rounding says nothing.
  if (std::abs(result.energy_distance) < std::numeric_limits<double>::epsilon() * result.far.largest)
    result.energy_distance = std::numeric_limits<double>::quiet_NaN();
  const Drawing kernel(sets.x, sets.y, result.mmd_rows, rng.stream("mmd"));
  const double median = median_distance(kernel.x, kernel.y, rng.stream("median"));
  result.mmd_bandwidth = median > 0 ? median : 1;
  result.mmd = mmd(kernel.x, kernel.y, result.mmd_bandwidth, options.ranks);
  const Drawing sliced(sets.x, sets.y, result.sliced_rows, rng.stream("sliced"));
  result.sliced_wasserstein =
      sliced_wasserstein(sliced.x, sliced.y, options.projections, rng.stream("directions"), options.ranks);
  if (std::min(result.samples, result.reference) < 4) return;
  const Drawing classified(sets.x, sets.y, result.classifier_rows, rng.stream("classifier"));
  result.classifier = classifier_test(classified.x, classified.y, rng.stream("folds"), options.ranks);
}

Verdict verdict_of(const Comparison& result, const Tensor& x, const Tensor& y, const Standardised& sets,
                   const CompareOptions& options, const Rng& rng) {
  const int64_t rows = affordable(options.test_rows, x.size(1));
  const int64_t smaller = std::min({rows, x.size(0), y.size(0)});
  const int64_t most = std::min(rows, most_relabelled_rows(smaller));
  const Rng draw = rng.stream("test");
  // Sums of larger distances would leave rounding to decide between the labellings.
  const Standardised near = sets.limited(FarRows::limit);
  return two_sample_verdict({.x = subsample(x, most, draw),
                             .y = subsample(y, most, draw),
                             .distance_x = subsample(near.x, most, draw),
                             .distance_y = subsample(near.y, most, draw),
                             .classifier = result.classifier,
                             .ranks = options.ranks},
                            options.relabellings, rng.stream("verdict"));
}

}  // namespace

Comparison compare(const Tensor& samples, const Tensor& reference, const CompareOptions& options) try {
  Tensor x = checked_samples(samples, "samples"), y = checked_samples(reference, "reference");
  check(x.size(1) == y.size(1), "compare: expected sets of one dimension but received {} and {}", x.size(1),
        y.size(1));
  check(x.size(0) >= 2 && y.size(0) >= 2,
        "compare: expected at least 2 rows in each set but received {} and {}", x.size(0), y.size(0));
  round_alike(x, y);
  const int64_t n = x.size(0), m = y.size(0), d = x.size(1);
  Comparison result;
  result.samples = n;
  result.reference = m;
  result.dimension = d;
  result.unit = options.unit;
  // In one dimension the sort-based metrics are exact for any size.
  result.energy_rows = d == 1 ? std::max(n, m) : affordable(options.energy_rows, d);
  result.sliced_rows = d == 1 ? std::max(n, m) : options.sliced_rows;
  result.mmd_rows = affordable(options.mmd_rows, d);
  result.classifier_rows = affordable(options.classifier_rows, d);
  const Rng rng = Rng(options.seed).stream("compare");
  const Sized sets = sized(x, y);
  const Moments centre = moments(sets.y);
  const Tensor unit = distance_units(sets, centre, options.unit);
  const Standardised scaled = standardised(sets, centre.mean, unit);
  result.far = far_rows(scaled.x);
  compare_moments(result, sets, unit);
  compare_distances(result, scaled, options, rng);
  result.verdict = verdict_of(result, x, y, scaled, options, rng);
  result.copies = count_copies(x, y, rng.stream("copies"));
  if (options.modes) result.modes = mode_weights(samples, *options.modes);
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
