#pragma once
#include <vector>

#include "fokker/sample/sampler.h"
#include "fokker/sample/time_grid.h"

namespace fokker {

/// What an observer sees: the rows [first_sample, first_sample + n) of the run at one time of the grid.
struct Observation {
  int64_t first_sample = 0;
  int64_t step = 0;  ///< 0 is the start
  double t = 1;
  const Tensor& x;
  int64_t evaluations = 0;  ///< denoiser calls so far, per row
};
using Observer = std::function<void(const Observation&)>;

/// An observer that is shown every k-th step only (0, k, 2 k, ...).
Observer every_steps(int64_t k, Observer observer);
/// An observer that is shown only the states at the given times of the grid.
Observer at_times(std::vector<double> times, Observer observer);

struct IntegrateOptions {
  NoiseSource noise = {};    ///< needed by stochastic samplers
  int64_t first_sample = 0;  ///< index of the first row: keys its noise
  int64_t block = 4096;      ///< rows that go through all times together
  std::vector<Observer> observers = {};
  /// Asked after each step of a block: true ends that block's run there.
  std::function<bool(const Observation&)> stop = {};
  /// Where the grid ends at t = 0 and the process is still noisy there, return E[x_0 | x_t] at the end.
  bool denoise_end = true;
  /// (n) int64 classes or (n, k) conditions in the network's units: what the denoiser is told of each row at
  /// every call; undefined for nothing. What a row becomes does not depend on the labels of the others.
  Tensor labels = {};
};

struct Integration {
  Tensor x;                 ///< (n, event...)
  int64_t evaluations = 0;  ///< denoiser calls per row
  int64_t rejected = 0;
};

/// Carries x (n, event...) through the grid with the sampler. Rows are processed in blocks through all times:
/// a small network's activations stay in cache, and noise keyed by row makes the split invisible (except to
/// methods that share one step size among the rows of a block). A GuidedDenoiser without a label of its own
/// guides each row by its own of `labels`.
///
/// A grid that runs from data to noise is for deterministic samplers. Where it starts at sigma = 0, no noise
/// is there to be estimated: the first step takes E[eps] from its end, x_s = alpha_s x_0 + sigma_s E[eps |
/// alpha_s x_0]. Argument errors: a grid shorter than the sampler's least_steps, noise needed but not given,
/// not one label per row.
///
/// Where the thread's StopRequest (core/stop.h) is made, an Error of kind `stopped` says how far the run was,
/// and there is no result: an observer has seen what there was.
Integration integrate(const Denoiser& denoiser, const Sampler& sampler, const TimeGrid& grid, const Tensor& x,
                      const IntegrateOptions& options = {});

/// Draws `shape` = (n, event...) from the prior and integrates it.
Integration generate(const Denoiser& denoiser, const Sampler& sampler, const TimeGrid& grid,
                     IntArrayRef shape, const Rng& rng, at::TensorOptions type = at::kFloat,
                     IntegrateOptions options = {});

/// An observer that keeps every state: (steps + 1, n, event...).
class Trajectory {
 public:
  Trajectory(int64_t steps, IntArrayRef shape, at::TensorOptions type);
  Observer observer();
  const Tensor& states() const { return states_; }

 private:
  Tensor states_;
};

}  // namespace fokker
