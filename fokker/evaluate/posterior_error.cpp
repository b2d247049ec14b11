#include "fokker/evaluate/posterior_error.h"

#include "fokker/condition/particles.h"
#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/evaluate/metrics.h"

namespace fokker {
namespace {

/// x as (n, d) and weights (n), float64.
std::pair<Tensor, Tensor> weighted_rows(const Tensor& x, const Tensor& log_weights,
                                        const GaussianMixture& law) {
  check(x.dim() >= 2 && x.size(0) > 1 && event_size(x.sizes()) == law.dimension(),
        "posterior_error: expected at least 2 samples of {} numbers but received {}", law.dimension(),
        shape_string(x));
  check(!log_weights.defined() || (log_weights.dim() == 1 && log_weights.size(0) == x.size(0)),
        "posterior_error: expected {} weights", x.size(0));
  const Tensor rows = x.to(at::kCPU, at::kDouble).flatten(1);
  if (!log_weights.defined())
    return {rows, at::full({x.size(0)}, 1 / static_cast<double>(x.size(0)), at::kDouble)};
  return {rows, log_weights.to(at::kCPU, at::kDouble).softmax(0)};
}

Tensor shares_of(const Tensor& rows, const Tensor& weights, const GaussianMixture& law) {
  // Points are told apart as in the limit of vanishing noise.
  const GaussianMixture told =
      law.has_density() ? law : law.noised(1, 1e-3 * std::sqrt(law.mean_square()) + 1e-12);
  return weights.matmul(told.responsibilities(rows));
}

}  // namespace

Tensor component_shares(const Tensor& x, const Tensor& log_weights, const GaussianMixture& law) try {
  const auto [rows, weights] = weighted_rows(x, log_weights, law);
  return shares_of(rows, weights, law);
} catch (...) {
  detail::throw_as_error();
}

PosteriorError posterior_error(const Tensor& x, const Tensor& log_weights, const GaussianMixture& exact,
                               const Rng& rng, int64_t projections) try {
  const GradientMode off(false);
  const auto [rows, weights] = weighted_rows(x, log_weights, exact);
  const Tensor mean = weights.matmul(rows), centred = rows - mean;
  const Tensor covariance = (centred * weights.unsqueeze(1)).t().matmul(centred), truth = exact.covariance();
  const double trace = truth.trace().item<double>();
  PosteriorError error;
  error.mean = (mean - exact.mean()).norm().item<double>() / std::sqrt(trace);
  error.covariance = (covariance - truth).norm().item<double>() / truth.norm().item<double>();
  error.variance = covariance.trace().item<double>() / trace - 1;
  error.weights = (shares_of(rows, weights, exact) - exact.weights()).abs().max().item<double>();
  Tensor equal = rows;
  if (log_weights.defined()) {
    const Tensor u = rng.stream("resampling").uniform({1}, {}, at::kDouble);
    equal = rows.index_select(0, systematic_resampling(weights.log().unsqueeze(0), u, rows.size(0))[0]);
  }
  const Tensor drawn = exact.sample(rows.size(0), rng.stream("exact")),
               again = exact.sample(rows.size(0), rng.stream("exact again"));
  const double unit = std::sqrt(trace / static_cast<double>(exact.dimension()));
  error.sliced_wasserstein = sliced_wasserstein(equal, drawn, projections, rng.stream("directions")) / unit;
  error.sliced_wasserstein_exact =
      sliced_wasserstein(again, drawn, projections, rng.stream("directions")) / unit;
  return error;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
