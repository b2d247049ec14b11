#include "fokker/evaluate/calibration.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/dataset.h"

namespace fokker {
namespace {

constexpr int64_t rows_at_once = 1 << 20;  // numbers of draws that are compared together

/// P(sup |B| > x) of a Brownian bridge: 2 sum (-1)^{k-1} exp(-2 k^2 x^2).
double kolmogorov_tail(double x) {
  if (x < 0.2) return 1;  // the series is 1 to sixteen digits there
  double sum = 0;
  for (int k = 1; k <= 100; ++k) {
    const double term = std::exp(-2.0 * k * k * x * x);
    sum += k % 2 ? term : -term;
    if (term < 1e-17) break;
  }
  return std::clamp(2 * sum, 0.0, 1.0);
}

std::vector<int64_t> counts_of(const Tensor& u, int64_t bins) {
  std::vector<int64_t> counts(static_cast<size_t>(bins), 0);
  const Tensor rows = u.to(at::kDouble).contiguous();
  for (int64_t i = 0; i < rows.numel(); ++i) {
    const auto bin = static_cast<int64_t>(rows.data_ptr<double>()[i] * static_cast<double>(bins));
    ++counts[static_cast<size_t>(std::clamp<int64_t>(bin, 0, bins - 1))];
  }
  return counts;
}

UniformityTest chi_square_of(const std::vector<int64_t>& counts, int64_t n) {
  const double expected = static_cast<double>(n) / static_cast<double>(counts.size());
  double statistic = 0;
  for (const int64_t count : counts)
    statistic += (static_cast<double>(count) - expected) * (static_cast<double>(count) - expected) / expected;
  const Tensor half = at::scalar_tensor(0.5 * static_cast<double>(counts.size() - 1), at::kDouble);
  return {statistic, at::igammac(half, at::scalar_tensor(0.5 * statistic, at::kDouble)).item<double>()};
}

/// The smallest k with P(Binomial(n, p) <= k) >= q.
int64_t binomial_quantile(int64_t n, double p, double q) {
  double cumulative = 0;
  for (int64_t k = 0; k < n; ++k) {
    const auto a = static_cast<double>(k), b = static_cast<double>(n - k);
    cumulative += std::exp(std::lgamma(a + b + 1) - std::lgamma(a + 1) - std::lgamma(b + 1) +
                           a * std::log(p) + b * std::log1p(-p));
    if (cumulative >= q) return k;
  }
  return n;
}

void check_draws(const Tensor& truth, const Tensor& draws) {
  check(truth.dim() == 2 && draws.dim() == 3 && draws.size(0) == truth.size(0) &&
            draws.size(2) == truth.size(1) && draws.size(1) > 0 && truth.size(1) > 0,
        "calibration: expected truth (n, d) and draws (n, L, d) but received {} and {}", shape_string(truth),
        shape_string(draws));
}

/// Ranks of `own` (n) or (n, d) among `others` with one more dimension, the second.
Tensor ranks_among(const Tensor& own, const Tensor& others, const Tensor& uniform) {
  const Tensor at_own = own.unsqueeze(1);
  const Tensor less = (others < at_own).sum(1), equal = (others == at_own).sum(1);
  return (less + uniform * (equal + 1)) / static_cast<double>(others.size(1) + 1);
}

/// Calls work(first, count) for parts of n rows whose draws are compared together.
template <typename Work>
Tensor in_parts(const Tensor& draws, Work work) {
  const int64_t n = draws.size(0), per_row = draws.size(1) * draws.size(2);
  const int64_t step = std::max<int64_t>(1, rows_at_once / std::max<int64_t>(1, per_row));
  std::vector<Tensor> parts;
  for (int64_t first = 0; first < n; first += step) parts.push_back(work(first, std::min(step, n - first)));
  return at::cat(parts);
}

Tensor comparable(const Tensor& values) {
  const Tensor x = values.to(at::kCPU, at::kDouble);
  return x.masked_fill(x.isnan(), -std::numeric_limits<double>::infinity());
}

}  // namespace

UniformityTest kolmogorov_uniformity(const Tensor& u) try {
  check(u.dim() == 1 && u.size(0) > 0, "uniformity: expected numbers (n) but received {}", shape_string(u));
  const Tensor sorted = std::get<0>(u.to(at::kDouble).sort()).contiguous();
  const auto n = static_cast<double>(u.size(0));
  double distance = 0;
  for (int64_t i = 0; i < u.size(0); ++i) {
    const double x = sorted.data_ptr<double>()[i];
    distance = std::max({distance, static_cast<double>(i + 1) / n - x, x - static_cast<double>(i) / n});
  }
  const double root = std::sqrt(n);
  return {distance, kolmogorov_tail((root + 0.12 + 0.11 / root) * distance)};
} catch (...) {
  detail::throw_as_error();
}

UniformityTest chi_square_uniformity(const Tensor& u, int64_t bins) try {
  check(bins >= 2 && u.dim() == 1 && u.size(0) > 0,
        "uniformity: expected numbers (n) and at least 2 bins but received {} and {}", shape_string(u), bins);
  return chi_square_of(counts_of(u, bins), u.size(0));
} catch (...) {
  detail::throw_as_error();
}

Tensor posterior_ranks(const Tensor& truth, const Tensor& draws, const Rng& rng) try {
  check_draws(truth, draws);
  const Tensor uniform = rng.stream("ranks").uniform(truth.sizes(), {}, at::kDouble), own = comparable(truth);
  return in_parts(draws, [&](int64_t first, int64_t count) {
    return ranks_among(own.narrow(0, first, count), comparable(draws.narrow(0, first, count)),
                       uniform.narrow(0, first, count));
  });
} catch (...) {
  detail::throw_as_error();
}

Tensor tarp_ranks(const Tensor& truth, const Tensor& draws, const Rng& rng) try {
  check_draws(truth, draws);
  const Tensor all = truth.to(at::kCPU, at::kDouble);
  // What is missing stands at the mean: a distance needs a place.
  const Tensor known = all.isfinite();
  const Tensor count_known = known.sum(0).clamp_min(1);
  const Tensor filled = all.masked_fill(known.logical_not(), 0);
  const Tensor mean = filled.sum(0) / count_known;
  const auto placed = [&](const Tensor& x) {
    const Tensor values = x.to(at::kCPU, at::kDouble);
    return at::where(values.isfinite(), values, mean);
  };
  const Tensor own = placed(truth);
  const Tensor deviation = own.std(0, /*unbiased=*/false);
  const Tensor unit = at::where(deviation > 0, 1 / deviation, at::zeros_like(deviation));
  const Tensor low = own.amin(0), high = own.amax(0);
  const Rng points = rng.stream("tarp");
  const Tensor reference = low + (high - low) * points.stream("points").uniform(own.sizes(), {}, at::kDouble);
  const Tensor uniform = points.stream("ranks").uniform({own.size(0)}, {}, at::kDouble);
  return in_parts(draws, [&](int64_t first, int64_t count) {
    const Tensor from = reference.narrow(0, first, count);
    const Tensor far = ((own.narrow(0, first, count) - from) * unit).square().sum(1);
    const Tensor others =
        ((placed(draws.narrow(0, first, count)) - from.unsqueeze(1)) * unit).square().sum(2);
    return ranks_among(far, others, uniform.narrow(0, first, count));
  });
} catch (...) {
  detail::throw_as_error();
}

std::vector<double> coverage_curve(const Tensor& u, const std::vector<double>& levels) {
  std::vector<double> shares;
  shares.reserve(levels.size());
  for (const double level : levels) shares.push_back((u <= level).to(at::kDouble).mean().item<double>());
  return shares;
}

Calibration calibrate(const Tensor& truth, const Tensor& draws, const Rng& rng,
                      const CalibrationOptions& options) try {
  check_draws(truth, draws);
  constexpr int64_t fewest = 20;
  const int64_t n = truth.size(0), d = truth.size(1);
  check(n >= fewest, "calibration: expected at least {} rows but received {}", fewest, n);
  check(options.bins == 0 || options.bins >= 2, "calibration: expected at least 2 bins but received {}",
        options.bins);
  const auto names = options.columns.empty() ? default_column_names(d) : options.columns;
  check(std::ssize(names) == d, "calibration: expected {} names of columns but received {}", d, names.size());
  const int64_t bins = options.bins > 0 ? options.bins : std::clamp<int64_t>(n / 20, 2, 20);
  const double share = 1 / static_cast<double>(bins);
  Calibration result{.rows = n, .draws = draws.size(1), .levels = options.levels};
  result.band_low = binomial_quantile(n, share, 0.005);
  result.band_high = binomial_quantile(n, share, 0.995);
  for (const double level : options.levels)
    result.coverage_error.push_back(std::sqrt(level * (1 - level) / static_cast<double>(n)));
  const Tensor ranks = posterior_ranks(truth, draws, rng);
  double least = 2;
  const auto consider = [&](double p, const std::string& test) {
    if (p >= least) return;
    least = p;
    result.decided_by = test;
  };
  for (int64_t j = 0; j < d; ++j) {
    CalibrationColumn column{.name = names[static_cast<size_t>(j)], .ranks = ranks.select(1, j).contiguous()};
    column.histogram = counts_of(column.ranks, bins);
    column.chi_square = chi_square_of(column.histogram, n);
    column.kolmogorov = kolmogorov_uniformity(column.ranks);
    const Tensor middle = (column.ranks - 0.5).abs() * 2;
    column.coverage = coverage_curve(middle, options.levels);
    consider(column.chi_square.p_value, "the histogram of the ranks of " + column.name);
    consider(column.kolmogorov.p_value, "the distribution of the ranks of " + column.name);
    result.columns.push_back(std::move(column));
  }
  result.tarp = tarp_ranks(truth, draws, rng);
  result.tarp_test = kolmogorov_uniformity(result.tarp);
  consider(result.tarp_test.p_value, "TARP coverage");
  result.p_value = std::min(1.0, least * static_cast<double>(2 * d + 1));
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
