#pragma once
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/denoise/analytic.h"
#include "fokker/objective/weighting.h"

namespace fokker {

/// The denoising loss w(t) E|value_theta(x_t, t) - value(x_0, eps, t)|^2 / d at each of some times.
struct LossProfile {
  std::vector<double> times;
  std::vector<double> loss;
  std::vector<double> standard_error;  ///< over rows and noise
};

/// The loss on rows x0 (n, event...) of the model's space, n > 1. Row i meets the same noise in every call
/// with the same rng, so that profiles of two denoisers differ by what they know alone. Without the labels of
/// all rows it is the unconditional estimate's. Argument errors name a time outside [0, 1].
LossProfile loss_profile(const Denoiser& denoiser, const Weighting& weighting, const Tensor& x0,
                         const std::vector<double>& times, const Rng& rng, const Tensor& label = {});

/// The exact denoiser in the native value of another prediction: with it, the least loss that any network of
/// that prediction can have on the law (the conditional mean minimises a mean square; the lecture on
/// denoising diffusion, step 5). Where the law is the empirical one of some rows, that is the least loss on
/// these rows alone.
FunctionDenoiser exact_as(const AnalyticDenoiser& exact, const Prediction& prediction);

/// `count` times from the process's first useful one to 1; on a chain, steps of it. Without repetition.
std::vector<double> profile_times(const GaussianProcess& process, int64_t count);

}  // namespace fokker
