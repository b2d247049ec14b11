#include "fokker/core/boundary.h"
#include "fokker/evaluate/convergence.h"
#include "fokker/sample/flow_map.h"
#include "fokker/sample/method/ode/dopri5.h"

namespace fokker {

Tensor exact_flow(const AnalyticDenoiser& denoiser, const Tensor& x, double from, double to) try {
  if (denoiser.target().components() > 1) {
    // Where sigma = 0 rates in t are infinite: angles are smooth up to there.
    if (from == 1 && denoiser.process().sigma(to) == 0)
      return decode(denoiser, x, {.rtol = 1e-12, .atol = 1e-12}).x;
    const TimeGrid grid = from > to ? TimeGrid({from, to}) : TimeGrid({to, from}).reversed();
    return integrate(denoiser, Dopri5({.rtol = 1e-12, .atol = 1e-12}), grid, x,
                     {.block = x.size(0), .observers = {}, .denoise_end = false})
        .x;
  }
  const GaussianMixture start = denoiser.marginal(from), end = denoiser.marginal(to);
  // All marginal covariances share their eigenvectors.
  const auto [variances, axes] = at::linalg_eigh(denoiser.target().covariance());
  const auto deviations = [&, &variances = variances](double t) {
    return (variances.clamp_min(0) * std::pow(denoiser.process().alpha(t), 2) +
            std::pow(denoiser.process().sigma(t), 2))
        .sqrt();
  };
  const Tensor map = at::matmul(axes * (deviations(to) / deviations(from)), axes.t());
  const Tensor rows = x.to(at::kDouble).flatten(1) - start.mean();
  return (end.mean() + at::matmul(rows, map)).reshape(x.sizes());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
