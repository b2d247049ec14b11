#pragma once
#include <vector>

#include "fokker/condition/posterior_sampler.h"

namespace fokker {

/// One step of the reverse chain, x_s = state x_t + data E[x_0 | x_t] + sqrt(variance) noise, to time s; the
/// last one ends with clean data, also where the process itself is noisy at t = 0.
struct ReverseStep {
  double t = 1, s = 0;
  double state = 0, data = 1, variance = 0;  ///< GaussianProcess::posterior
  bool last = false;
  int64_t index = 0;
};

std::vector<ReverseStep> reverse_steps(const GaussianProcess& process, const TimeGrid& grid);

/// E[x_0 | x_t] with what it was computed from, for derivatives in x.
struct DifferentiableEstimate {
  Tensor x;         ///< a leaf
  Tensor denoised;  ///< of x
};
/// Of the rows of the block from `first` on.
DifferentiableEstimate differentiable_estimate(const PosteriorBlock& block, const Tensor& x, double t,
                                               int64_t first = 0);

/// Draws of the step at that index of the block's run; `draw` tells several of one step apart.
std::function<Tensor(uint32_t draw)> step_noise(const PosteriorBlock& block, const Tensor& like,
                                                int64_t index, const std::string& method);

/// Argument error unless the measurement is linear with Gaussian noise.
const LinearMeasurement& linear_only(const Measurement& measurement, const std::string& method);

}  // namespace fokker
