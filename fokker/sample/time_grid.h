#pragma once
#include <vector>

#include "fokker/process/gaussian_process.h"

namespace fokker {

/// Where a grid begins (noise) and stops (data).
struct TimeRange {
  double start = 1.0;
  double end = 0.0;
};

/// How a grid takes n of the N steps of a chain (Lin et al. 2024, Table 2; the names are those of diffusers).
/// With i = 0..N-1 the index of time (i + 1)/N:
///   linspace: n indices evenly from N - 1 to 0, rounded;
///   leading: k floor(N/n) + offset for k = n-1..0;
///   trailing: round(N - k N/n) - 1 for k = 0..n-1.
enum class ChainSpacing { linspace, leading, trailing };

/// Strictly decreasing times that a sampler visits, noise first (or a reversal of such a grid). A grid that
/// ends at 0 ends with clean data: where the process itself is noisy at t = 0 (VE, EDM), `integrate` takes
/// the denoised estimate there as one last step.
class TimeGrid {
 public:
  /// The given times, each in [0, 1], strictly decreasing, at least two.
  explicit TimeGrid(std::vector<double> times);

  /// `steps` equal intervals of t.
  static TimeGrid uniform(int64_t steps, TimeRange range = {});
  /// `steps` - 1 equal intervals of log-SNR from `start` to the process's time_min, then one step to 0.
  /// With end > 0, all `steps` intervals lie between start and end.
  static TimeGrid uniform_log_snr(const GaussianProcess& process, int64_t steps, TimeRange range = {});
  /// t = start (1 - i/steps)^2: finer near the data (Song et al. 2021, DDIM, quadratic).
  static TimeGrid quadratic(int64_t steps, TimeRange range = {});
  /// sigma/alpha spaced as Karras et al. (2022), eq. 5, with exponent rho; ends as uniform_log_snr does.
  static TimeGrid karras(const GaussianProcess& process, int64_t steps, double rho = 7.0,
                         TimeRange range = {});

  /// n times of the process's chain, then 0. Argument error where the process has no chain, or n > N.
  static TimeGrid chain(const GaussianProcess& process, int64_t steps, ChainSpacing spacing,
                        int64_t offset = 0);

  /// The same times from data to noise, for deterministic samplers: DDIM inversion, encoding.
  TimeGrid reversed() const;
  bool towards_noise() const { return times_.front() < times_.back(); }

  const std::vector<double>& times() const { return times_; }
  int64_t steps() const { return static_cast<int64_t>(times_.size()) - 1; }

 private:
  std::vector<double> times_;
};

}  // namespace fokker
