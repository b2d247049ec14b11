#pragma once
#include <functional>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"

namespace fokker {

/// One step of a simulation from `begin` to `end`; its rows are the samples from first_sample on.
struct WienerStep {
  int64_t first_sample = 0;
  int64_t step = 0;
  double begin = 0;
  double end = 0;
};

/// A source of Wiener increments B(end) - B(begin), shape (n, m): what drives a simulation.
using WienerIncrements = std::function<Tensor(IntArrayRef shape, const WienerStep& step)>;

/// Increments N(0, end - begin) that are independent from step to step, keyed by (sample, step): the batch
/// split does not matter, but another division of the interval into steps is another path.
WienerIncrements wiener_increments(NoiseSource noise);
WienerIncrements wiener_increments(const Rng& rng);

/// Wiener paths on [0, end], fixed on a fine grid of `steps` equal intervals: every coarser increment is the
/// sum of the fine ones it contains, so simulations with different step sizes follow the same paths. Nothing
/// is stored: increments are summed when asked for.
class BrownianPath {
 public:
  BrownianPath(const Rng& rng, double end, int64_t steps);

  /// B(end) - B(begin), (n, m) float64. Argument error where a time is not on the fine grid.
  Tensor increment(IntArrayRef shape, const WienerStep& step) const;
  /// B(t), (n, m) float64.
  Tensor value(IntArrayRef shape, double t, int64_t first_sample = 0) const;
  /// The paths as what drives a simulation.
  WienerIncrements increments() const;

 private:
  int64_t index(double t) const;
  Rng rng_;
  double end_;
  int64_t steps_;
};

/// n independent Brownian motions in R^d at the given times (increasing, the first >= 0): (times, n, d)
/// float64. B(0) = 0 and Cov(B(s), B(t)) = min(s, t) I.
Tensor brownian_paths(int64_t n, int64_t d, const std::vector<double>& times, const Rng& rng);

/// White noise dB/dt averaged over the intervals between the times: (times - 1, n, d) float64, independent,
/// of variance 1 / interval. Times the intervals and summed, it gives the increments of `brownian_paths` with
/// the same rng.
Tensor white_noise(int64_t n, int64_t d, const std::vector<double>& times, const Rng& rng);

}  // namespace fokker
