#include "fokker/condition/method/reverse_steps.h"

#include "fokker/core/check.h"
#include "fokker/sample/step/draws.h"

namespace fokker {

std::vector<ReverseStep> reverse_steps(const GaussianProcess& process, const TimeGrid& grid) {
  const auto& times = grid.times();
  std::vector<ReverseStep> steps;
  for (size_t i = 0; i + 1 < times.size(); ++i) {
    const PosteriorCoefficients p = process.posterior(times[i + 1], times[i]);
    steps.push_back({times[i], times[i + 1], p.state, p.data, p.variance, false, static_cast<int64_t>(i)});
  }
  if (process.sigma(times.back()) > 0)
    steps.push_back({times.back(), times.back(), 0, 1, 0, false, static_cast<int64_t>(steps.size())});
  steps.back().last = true;
  return steps;
}

DifferentiableEstimate differentiable_estimate(const PosteriorBlock& block, const Tensor& x, double t,
                                               int64_t first) {
  const GradientMode on(true);
  const Tensor leaf = x.detach().clone().requires_grad_();
  return {leaf, block.estimate(leaf, t, first).denoised()};
}

std::function<Tensor(uint32_t draw)> step_noise(const PosteriorBlock& block, const Tensor& like,
                                                int64_t index, const std::string& method) {
  return draws_of_step(block.noise, like, 0, index, draws_per_step, method);
}

const LinearMeasurement& linear_only(const Measurement& measurement, const std::string& method) {
  const LinearMeasurement* linear = measurement.linear();
  check(linear != nullptr, "{}: expected a linear measurement with Gaussian noise; dps and tds take others",
        method);
  return *linear;
}

}  // namespace fokker
