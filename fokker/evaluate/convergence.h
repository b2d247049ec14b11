#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "fokker/denoise/analytic.h"
#include "fokker/sample/integrate.h"

/// How fast samplers converge on exact denoisers.
namespace fokker {

/// What is compared with the truth.
enum class ErrorMeasure {
  path,  ///< x_s with the exact probability flow from the same x_t (root mean square): deterministic methods
  strong,       ///< x_s with a run of many more steps along the same Brownian path (root mean square)
  mean,         ///< the mean of the law of x_s (largest coordinate)
  covariance,   ///< its covariance (largest entry)
  wasserstein,  ///< its distance W_2; between samples of more than one dimension the sliced one
  weights,      ///< the shares of the target's components (largest); the target has several
};
ErrorMeasure error_measure_from(std::string_view name);
std::vector<std::string> error_measure_names();

struct ConvergenceOptions {
  std::vector<int64_t> steps = {40, 80, 160};
  /// The grid of n steps; uniform in t from 0.95 to 0.1 where empty. For `strong` the grid of 2 n must refine
  /// that of n.
  std::function<TimeGrid(int64_t steps)> grid = {};
  int64_t samples = 256;  ///< starts, drawn from the exact law at the beginning of the grid
  /// `strong`: steps of the reference run, a multiple of all others; 0 is eight times the most.
  int64_t reference_steps = 0;
  /// `strong`: the method of the reference run; the same where empty.
  const Sampler* reference = nullptr;
  Rng rng = Rng(0);
};

/// The errors of one method at several numbers of steps.
struct Convergence {
  struct Level {
    int64_t steps = 0;
    int64_t evaluations = 0;
    double error = 0;
  };
  std::vector<Level> levels;
  /// Minus the slope of log error over log steps between the last two levels.
  double order() const;
  /// The same between the last two levels with errors above `smallest`, where rounding is negligible; empty
  /// where there are no two.
  std::optional<double> order_above(double smallest) const;
};

/// Measures a sampler on an exact denoiser. On a Gaussian in one dimension each step of most methods is
/// affine in (x, noise), and the law at the end is computed exactly; otherwise the measures of the law are
/// taken from `samples` runs, with their Monte Carlo error.
Convergence measure_convergence(const AnalyticDenoiser& denoiser, const Sampler& sampler,
                                ErrorMeasure measure, const ConvergenceOptions& options = {});

/// The error that as many exact samples as `options` asks for have at time t: what no method falls below.
/// Root mean square of a few draws. Argument error for measures of paths.
double sampling_error(const AnalyticDenoiser& denoiser, ErrorMeasure measure, double t,
                      const ConvergenceOptions& options = {});

/// The path errors of a deterministic method on any denoiser, from the same starts x (n, event...) on each
/// grid to `exact`, (n, event...): the flow itself, or a run of many more steps.
Convergence path_errors(const Denoiser& denoiser, const Sampler& sampler, const std::vector<TimeGrid>& grids,
                        const Tensor& x, const Tensor& exact);

/// The probability flow from time t to s. For one Gaussian in closed form,
///   x_s = m_s + (V_s V_t^{-1})^{1/2} (x_t - m_t)  (marginal means and covariances);
/// otherwise by Dormand-Prince at a tolerance of 1e-12.
Tensor exact_flow(const AnalyticDenoiser& denoiser, const Tensor& x, double from, double to);

/// What a run makes of one number x and its noises where every step is affine: offset + slope x + sum c_j
/// z_j.
struct AffineResponse {
  double offset = 0, slope = 0;
  std::vector<double> noise;  ///< c, in the order of the draws
  int64_t evaluations = 0;
};
/// Empty where the run is not affine (an adaptive step, a norm of the score). The denoiser's events must be
/// one number.
std::optional<AffineResponse> affine_response(const Denoiser& denoiser, const Sampler& sampler,
                                              const TimeGrid& grid);

}  // namespace fokker
