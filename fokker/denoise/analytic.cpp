#include "fokker/denoise/analytic.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

/// Root mean square of the target's coordinates, at least 1: keeps the stored combination of x_0 and eps
/// balanced.
double overall_scale(const GaussianMixture& target) {
  return std::max(1.0, std::sqrt(target.mean_square()));
}

}  // namespace

AnalyticDenoiser::AnalyticDenoiser(GaussianMixture target, GaussianProcess process) try
    : target_(std::move(target)),
      process_(std::move(process)),
      prediction_(Prediction::edm(overall_scale(target_))) {
} catch (...) {
  detail::throw_as_error();
}

Estimate AnalyticDenoiser::estimate(const Tensor& x, const Times& t, const Tensor&) const try {
  const int64_t dimension = target_.dimension();
  check(x.dim() >= 2 && event_size(x.sizes()) == dimension,
        "AnalyticDenoiser: expected rows of {} numbers but received {}", dimension, shape_string(x));
  const Tensor rows = x.reshape({x.size(0), dimension});
  const auto posterior = [&] {
    if (t.is_scalar()) return target_.posterior(rows, process_.alpha(t.scalar()), process_.sigma(t.scalar()));
    const auto map = [&](auto function) { return t.map(function, x.to(at::kDouble)).reshape({-1}); };
    return target_.posterior(rows, map([&](double u) { return process_.alpha(u); }),
                             map([&](double u) { return process_.sigma(u); }));
  }();
  // Both moments are exact; EDM's combination of them converts back to either without loss at any noise
  // level.
  const ScheduleModel& schedule = process_.schedule().model();
  const Tensor data = t.map([&](double u) { return prediction_.target(schedule, u).data; }, rows);
  const Tensor noise = t.map([&](double u) { return prediction_.target(schedule, u).noise; }, rows);
  const Tensor value = data * posterior.denoised + noise * posterior.noise;
  return Estimate(x, value.reshape(x.sizes()), prediction_, process_, t);
} catch (...) {
  detail::throw_as_error();
}

// z = x slope + origin, with the rows of `slope` the images of the coordinate axes.
GaussianMixture in_model_space(const GaussianMixture& mixture, const Normalisation& normalisation) {
  const Tensor means = normalisation.apply(mixture.means(), at::kDouble);
  if (mixture.is_discrete()) return GaussianMixture(mixture.weights(), means, at::zeros({}, at::kDouble));
  const int64_t d = mixture.dimension();
  const Tensor origin = normalisation.apply(at::zeros({1, d}, at::kDouble), at::kDouble);
  const Tensor slope = normalisation.apply(at::eye(d, at::kDouble), at::kDouble) - origin;
  std::vector<Tensor> covariances;
  for (int64_t k = 0; k < mixture.components(); ++k)
    covariances.push_back(slope.t().matmul(mixture.component_covariance(k)).matmul(slope));
  return GaussianMixture(mixture.weights(), means, at::stack(covariances));
}

}  // namespace fokker
