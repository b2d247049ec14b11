#pragma once
// Data of a mixture, whose exact denoiser is known, and denoisers near it.
#include "fokker/denoise/analytic.h"
#include "fokker/objective/objective.h"
#include "support.h"

namespace fokker {

inline GaussianMixture mixture() {
  return GaussianMixture(vector_of({0.3, 0.7}), rows_of({{-1, 0.5}, {1, -0.5}}), vector_of({0.2, 0.4}));
}
inline GaussianProcess process(const char* spec) {
  return GaussianProcess(make_schedule(spec));
}

inline Batch batch_of(const GaussianMixture& target, int64_t n, uint32_t step = 3) {
  return {.x0 = target.sample(n, Rng(11)), .label = {}, .step = step};
}

/// The exact noise prediction plus theta sin(x + 1): the truth at theta = 0.
inline FunctionDenoiser perturbed(const AnalyticDenoiser& exact, const Tensor& theta) {
  return FunctionDenoiser(
      [&exact, theta](const Tensor& x, const Times& t) {
        return exact.estimate(x, t).noise() + theta * at::sin(x + 1);
      },
      exact.process(), Prediction::noise());
}

}  // namespace fokker
