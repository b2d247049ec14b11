#include "fokker/evaluate/loss_profile.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/objective/denoising.h"

namespace fokker {

LossProfile loss_profile(const Denoiser& denoiser, const Weighting& weighting, const Tensor& x0,
                         const std::vector<double>& times, const Rng& rng, const Tensor& label) try {
  check(x0.size(0) > 1, "loss_profile: expected at least 2 rows but received {}", x0.size(0));
  const GradientMode off(false);
  const DenoisingObjective objective({.weighting = weighting, .times = {}});
  const int64_t n = x0.size(0);
  LossProfile profile{.times = times, .loss = {}, .standard_error = {}};
  for (size_t i = 0; i < times.size(); ++i) {
    const double t = times[i];
    check(t >= 0 && t <= 1, "loss_profile: expected times in [0, 1] but received {}", t);
    const Tensor noise = rng.stream(i).normal(x0.sizes(), {}, x0.options());
    const Tensor loss =
        objective.loss_at(denoiser, {.x0 = x0, .label = label}, at::full({n}, t, at::kDouble), noise)
            .to(at::kCPU, at::kDouble);
    profile.loss.push_back(loss.mean().item<double>());
    profile.standard_error.push_back(loss.std().item<double>() / std::sqrt(static_cast<double>(n)));
  }
  return profile;
} catch (...) {
  detail::throw_as_error();
}

FunctionDenoiser exact_as(const AnalyticDenoiser& exact, const Prediction& prediction) {
  // value = data x_0 + noise eps, and so is its conditional mean.
  const auto value = [exact, prediction](const Tensor& x, const Times& t) {
    const ScheduleModel& schedule = exact.process().schedule().model();
    const Estimate estimate = exact.estimate(x, t);
    const Tensor data = t.map([&](double u) { return prediction.target(schedule, u).data; }, x);
    const Tensor noise = t.map([&](double u) { return prediction.target(schedule, u).noise; }, x);
    return data * estimate.denoised() + noise * estimate.noise();
  };
  return FunctionDenoiser(value, exact.process(), prediction);
}

std::vector<double> profile_times(const GaussianProcess& process, int64_t count) {
  check(count > 1, "profile_times: expected at least 2 times but received {}", count);
  const double first = process.time_min();
  const auto chain = static_cast<double>(process.schedule()->chain_steps());
  std::vector<double> times;
  for (int64_t i = 0; i < count; ++i) {
    double t = first + (1 - first) * static_cast<double>(i) / static_cast<double>(count - 1);
    if (chain > 0) t = std::round(t * chain) / chain;
    if (times.empty() || t > times.back()) times.push_back(t);
  }
  return times;
}

}  // namespace fokker
