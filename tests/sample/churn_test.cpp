// Karras et al. (2022), Algorithm 2, on a point mass at 0, where each step is in closed form.
#include <gtest/gtest.h>

#include <any>
#include <numbers>

#include "fokker/denoise/denoiser.h"
#include "fokker/sample/method/sde/edm_stochastic.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

// The level rises from r to r (1 + gamma), gamma = min(churn / steps, sqrt 2 - 1); the flow then scales x by
// the ratio of the levels.
TEST(EdmStochastic, RaisesTheLevelByItsShareOfTheChurn) {
  const GaussianProcess process(make_schedule("ve"));
  const FunctionDenoiser denoiser([](const Tensor& x, const Times&) { return at::zeros_like(x); }, process,
                                  Prediction::data());
  const double t = 0.6, s = 0.5, level = process.sigma(t), z = 0.8, x = 1.7;
  for (const double churn : {2.0, 5.0, 40.0, 1000.0})
    for (const int64_t steps : {20, 50}) {
      std::any history;
      StepContext context{.t = t,
                          .s = s,
                          .noise =
                              [&](uint32_t) {
                                return at::full({1, 1}, z, at::kDouble);
                              },
                          .history = history,
                          .index = 1,
                          .steps = steps};
      const Tensor next =
          EdmStochastic({.churn = churn}).step(denoiser, at::full({1, 1}, x, at::kDouble), context).x;
      const double gamma = std::min(churn / static_cast<double>(steps), std::numbers::sqrt2 - 1);
      const double start = x + level * std::sqrt((1 + gamma) * (1 + gamma) - 1) * z;
      const double expected = start * process.sigma(s) / (level * (1 + gamma));
      EXPECT_NEAR(next.item<double>() / expected, 1, 1e-8) << churn << " " << steps;
    }
}

}  // namespace
}  // namespace fokker
