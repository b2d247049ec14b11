#include "fokker/evaluate/convergence.h"

#include <numeric>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/evaluate/metrics.h"

namespace fokker {
namespace {

TimeGrid grid_of(const ConvergenceOptions& options, int64_t steps) {
  return options.grid ? options.grid(steps) : TimeGrid::uniform(steps, {.start = 0.95, .end = 0.1});
}

double root_mean_square(const Tensor& difference) {
  return std::sqrt(difference.square().flatten(1).sum(1).mean().item<double>());
}

/// Whether the target is one Gaussian on the line.
bool is_gaussian_number(const AnalyticDenoiser& denoiser) {
  return denoiser.target().dimension() == 1 && denoiser.target().components() == 1;
}

/// Ends a run where the grid ends, noisy or not: what is compared is the law at that time.
Integration run(const Denoiser& denoiser, const Sampler& sampler, const TimeGrid& grid, const Tensor& x,
                const NoiseSource& noise) {
  return integrate(denoiser, sampler, grid, x,
                   {.noise = noise, .block = x.size(0), .observers = {}, .denoise_end = false});
}

/// The most draws of noise that a step of the run takes.
int64_t draws_of(const Denoiser& denoiser, const Sampler& sampler, const TimeGrid& grid, const Tensor& x) {
  int64_t draws = 0;
  run(denoiser, sampler, grid, x, [&](IntArrayRef shape, DrawPosition position) {
    draws = std::max(draws, static_cast<int64_t>(position.step % draws_per_step) + 1);
    return at::zeros(shape, at::kDouble);
  });
  return draws;
}

/// Noise of a run with `intervals` = steps * draws increments of Brownian paths that have `finest`
/// increments: each is the sum of the fine ones it covers, scaled to unit variance.
NoiseSource coupled_noise(const Rng& rng, int64_t intervals, int64_t draws, int64_t finest) {
  check(finest % intervals == 0, "strong convergence: expected {} to divide {} increments", intervals,
        finest);
  const int64_t ratio = finest / intervals;
  return [=](IntArrayRef shape, DrawPosition position) {
    const auto step = static_cast<int64_t>(position.step / draws_per_step);
    const auto draw = static_cast<int64_t>(position.step % draws_per_step);
    Tensor sum = at::zeros(shape, at::kDouble);
    for (int64_t j = 0; j < ratio; ++j) {
      const auto fine = static_cast<uint64_t>((step * draws + draw) * ratio + j);
      sum += rng.normal(shape, {position.first_sample, fine}, at::kDouble);
    }
    return sum / std::sqrt(static_cast<double>(ratio));
  };
}

/// Deterministic methods: the flow from the same starts, found anew only where a grid has other ends.
Convergence along_paths(const AnalyticDenoiser& denoiser, const Sampler& sampler, const Tensor& x,
                        const ConvergenceOptions& options) {
  Convergence result;
  Tensor exact;
  std::pair<double, double> ends;
  for (const int64_t steps : options.steps) {
    const TimeGrid grid = grid_of(options, steps);
    if (const std::pair own(grid.times().front(), grid.times().back()); !exact.defined() || own != ends) {
      ends = own;
      exact = exact_flow(denoiser, x, own.first, own.second);
    }
    const Integration part = run(denoiser, sampler, grid, x, nullptr);
    result.levels.push_back({steps, part.evaluations, root_mean_square(part.x - exact)});
  }
  return result;
}

/// How many steps the reference run of `strong` takes.
int64_t reference_steps(const ConvergenceOptions& options) {
  return options.reference_steps ? options.reference_steps
                                 : 8 * *std::max_element(options.steps.begin(), options.steps.end());
}

/// The most draws of noise that a step takes at any of the numbers of steps. Argument error where one of them
/// has no noise at all: there is no path to share.
int64_t most_draws(const Denoiser& denoiser, const Sampler& sampler, const Tensor& x,
                   const ConvergenceOptions& options) {
  int64_t most = 0;
  for (const int64_t steps : options.steps) {
    const int64_t draws = draws_of(denoiser, sampler, grid_of(options, steps), x.narrow(0, 0, 1));
    check(draws > 0, "measure_convergence: {} draws no noise in {} step{}; measure another error",
          sampler.name(), steps, steps == 1 ? "" : "s");
    most = std::max(most, draws);
  }
  return most;
}

/// Runs at every number of steps along the same Brownian paths.
Convergence sampled_strong(const Denoiser& denoiser, const Sampler& sampler, const Tensor& x,
                           const ConvergenceOptions& options) {
  const Sampler& reference = options.reference ? *options.reference : sampler;
  const int64_t steps = reference_steps(options);
  const int64_t own = most_draws(denoiser, sampler, x, options);
  const int64_t others =
      std::max<int64_t>(1, draws_of(denoiser, reference, grid_of(options, steps), x.narrow(0, 0, 1)));
  const int64_t finest = steps * std::lcm(own, others);
  const Rng rng = options.rng.stream("paths");
  const auto along = [&](const Sampler& method, int64_t count, int64_t per_step) {
    return run(denoiser, method, grid_of(options, count), x,
               coupled_noise(rng, count * per_step, per_step, finest));
  };
  const Tensor exact = along(reference, steps, others).x;
  Convergence result;
  for (const int64_t count : options.steps) {
    const Integration part = along(sampler, count, own);
    result.levels.push_back({count, part.evaluations, root_mean_square(part.x - exact)});
  }
  return result;
}

/// The weights of `finest` increments of a path in a run that sums them to its own.
std::vector<double> refined(const std::vector<double>& noise, size_t finest) {
  check(!noise.empty() && finest % noise.size() == 0,
        "strong convergence: expected {} to divide {} increments", noise.size(), finest);
  const size_t ratio = finest / noise.size();
  std::vector<double> fine;
  for (size_t j = 0; j < finest; ++j)
    fine.push_back(noise[j / ratio] / std::sqrt(static_cast<double>(ratio)));
  return fine;
}

/// The same without sampling, where every run is affine: the difference of two runs is affine in the start
/// and in the finest increments, all independent.
std::optional<Convergence> affine_strong(const AnalyticDenoiser& denoiser, const Sampler& sampler,
                                         const ConvergenceOptions& options) {
  if (!is_gaussian_number(denoiser)) return {};
  const TimeGrid fine_grid = grid_of(options, reference_steps(options));
  const auto exact = affine_response(denoiser, options.reference ? *options.reference : sampler, fine_grid);
  if (!exact) return {};
  const GaussianMixture start = denoiser.marginal(fine_grid.times().front());
  const double mean = start.mean().item<double>(), variance = start.covariance().item<double>();
  Convergence result;
  for (const int64_t count : options.steps) {
    const auto response = affine_response(denoiser, sampler, grid_of(options, count));
    if (!response) return {};
    const double slope = response->slope - exact->slope;
    const size_t finest = std::lcm(response->noise.size(), exact->noise.size());
    const std::vector<double> own = refined(response->noise, finest), others = refined(exact->noise, finest);
    double square = std::pow(response->offset - exact->offset + slope * mean, 2) + slope * slope * variance;
    for (size_t j = 0; j < finest; ++j) square += std::pow(own[j] - others[j], 2);
    result.levels.push_back({count, response->evaluations, std::sqrt(square)});
  }
  return result;
}

/// Distance of two Gaussians on the line.
double gaussian_distance(ErrorMeasure measure, double mean, double variance, double exact_mean,
                         double exact_variance) {
  if (measure == ErrorMeasure::mean) return std::abs(mean - exact_mean);
  if (measure == ErrorMeasure::covariance) return std::abs(variance - exact_variance);
  return std::hypot(mean - exact_mean, std::sqrt(variance) - std::sqrt(exact_variance));
}

/// The error of a law known exactly, since every step is affine; empty where it is not.
std::optional<Convergence::Level> affine_level(const AnalyticDenoiser& denoiser, const Sampler& sampler,
                                               ErrorMeasure measure, const TimeGrid& grid) {
  if (!is_gaussian_number(denoiser)) return {};
  const auto response = affine_response(denoiser, sampler, grid);
  if (!response) return {};
  const GaussianMixture start = denoiser.marginal(grid.times().front()),
                        end = denoiser.marginal(grid.times().back());
  const double mean = response->offset + response->slope * start.mean().item<double>();
  double variance = response->slope * response->slope * start.covariance().item<double>();
  for (const double c : response->noise) variance += c * c;
  return Convergence::Level{
      grid.steps(), response->evaluations,
      gaussian_distance(measure, mean, variance, end.mean().item<double>(), end.covariance().item<double>())};
}

/// How far samples are from a law, for a measure of laws.
double law_error(ErrorMeasure measure, const Tensor& samples, const GaussianMixture& law, const Rng& rng) {
  if (measure == ErrorMeasure::wasserstein)
    return sliced_wasserstein(samples, law.sample(samples.size(0), rng.stream("exact")), 128,
                              rng.stream("directions"));
  if (measure == ErrorMeasure::weights) {
    const ModeStatistics modes = mode_weights(samples, law);
    return (modes.weights - modes.expected).abs().max().item<double>();
  }
  const Moments exact{law.mean(), law.covariance().diagonal().sqrt(), law.covariance()};
  return measure == ErrorMeasure::mean ? mean_error(moments(samples), exact)
                                       : covariance_error(moments(samples), exact);
}

/// The same from samples.
Convergence::Level sampled_level(const AnalyticDenoiser& denoiser, const Sampler& sampler,
                                 ErrorMeasure measure, const TimeGrid& grid, const Tensor& x,
                                 const Rng& rng) {
  const Integration part = run(denoiser, sampler, grid, x, rng.stream("sampler").noise_source(at::kDouble));
  return {grid.steps(), part.evaluations,
          law_error(measure, part.x, denoiser.marginal(grid.times().back()), rng)};
}

void check_law(const AnalyticDenoiser& denoiser, ErrorMeasure measure) {
  check(measure != ErrorMeasure::weights || denoiser.target().components() > 1,
        "convergence: expected a target of several components for their weights but it has one");
}

}  // namespace

Convergence measure_convergence(const AnalyticDenoiser& denoiser, const Sampler& sampler,
                                ErrorMeasure measure, const ConvergenceOptions& options) try {
  check(!options.steps.empty() && options.samples > 0,
        "measure_convergence: expected numbers of steps and samples > 0");
  check(measure != ErrorMeasure::path || sampler.order().deterministic,
        "measure_convergence: {} draws noise, so its paths have a strong error instead", sampler.name());
  check(measure != ErrorMeasure::strong || !sampler.order().deterministic,
        "measure_convergence: {} draws no noise; measure its path error instead", sampler.name());
  check(measure != ErrorMeasure::strong || !sampler.adaptive(),
        "measure_convergence: {} chooses its own steps, so that its noise cannot be that of a finer run",
        sampler.name());
  check_law(denoiser, measure);
  const double begin = grid_of(options, options.steps.front()).times().front();
  const Tensor x = denoiser.marginal(begin).sample(options.samples, options.rng.stream("starts"));
  if (measure == ErrorMeasure::path) return along_paths(denoiser, sampler, x, options);
  if (measure == ErrorMeasure::strong) {
    most_draws(denoiser, sampler, x, options);
    const auto exact = affine_strong(denoiser, sampler, options);
    return exact ? *exact : sampled_strong(denoiser, sampler, x, options);
  }
  Convergence result;
  for (const int64_t steps : options.steps) {
    const TimeGrid grid = grid_of(options, steps);
    const auto level = affine_level(denoiser, sampler, measure, grid);
    result.levels.push_back(level ? *level : sampled_level(denoiser, sampler, measure, grid, x, options.rng));
  }
  return result;
} catch (...) {
  detail::throw_as_error();
}

double sampling_error(const AnalyticDenoiser& denoiser, ErrorMeasure measure, double t,
                      const ConvergenceOptions& options) {
  check(measure != ErrorMeasure::path && measure != ErrorMeasure::strong,
        "sampling_error: expected a measure of laws");
  check_law(denoiser, measure);
  constexpr uint64_t draws = 4;
  const GaussianMixture law = denoiser.marginal(t);
  double square = 0;
  for (uint64_t i = 0; i < draws; ++i) {
    const Rng rng = options.rng.stream("sampling error").stream(i);
    square += std::pow(law_error(measure, law.sample(options.samples, rng.stream("samples")), law, rng), 2);
  }
  return std::sqrt(square / draws);
}

Convergence path_errors(const Denoiser& denoiser, const Sampler& sampler, const std::vector<TimeGrid>& grids,
                        const Tensor& x, const Tensor& exact) {
  check(sampler.order().deterministic, "path_errors: expected a method without noise but received {}",
        sampler.name());
  Convergence result;
  for (const TimeGrid& grid : grids) {
    const Integration part = run(denoiser, sampler, grid, x, nullptr);
    result.levels.push_back({grid.steps(), part.evaluations, root_mean_square(part.x - exact)});
  }
  return result;
}

std::optional<AffineResponse> affine_response(const Denoiser& denoiser, const Sampler& sampler,
                                              const TimeGrid& grid) {
  if (sampler.adaptive()) return {};
  const int64_t draws = draws_of(denoiser, sampler, grid, at::zeros({1, 1}, at::kDouble));
  if (draws > 64) return {};
  const int64_t noises = grid.steps() * draws;
  // Rows: x = 0, 1 and 2 without noise, then x = 0 with each noise alone.
  Tensor x = at::zeros({3 + noises, 1}, at::kDouble);
  x[1] = 1;
  x[2] = 2;
  const Integration part = run(denoiser, sampler, grid, x, [&](IntArrayRef shape, DrawPosition position) {
    Tensor noise = at::zeros(shape, at::kDouble);
    const auto step = static_cast<int64_t>(position.step / draws_per_step);
    noise[3 + step * draws + static_cast<int64_t>(position.step % draws_per_step)] = 1;
    return noise;
  });
  const double* end = part.x.data_ptr<double>();
  const double slope = end[1] - end[0], tolerance = 1e-9 * (std::abs(end[0]) + std::abs(slope));
  if (!(std::abs(end[2] - end[1] - slope) <= tolerance)) return {};
  // Rows must not see each other, as they do where a step size is taken from the whole batch.
  const NoiseSource silence = [](IntArrayRef shape, DrawPosition) { return at::zeros(shape, at::kDouble); };
  const Tensor alone = run(denoiser, sampler, grid, x.narrow(0, 1, 1), silence).x;
  if (!(std::abs(alone.item<double>() - end[1]) <= tolerance)) return {};
  AffineResponse response{end[0], slope, {}, part.evaluations};
  for (int64_t j = 0; j < noises; ++j) response.noise.push_back(end[3 + j] - end[0]);
  return response;
}

}  // namespace fokker
