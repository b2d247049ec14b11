#include "fokker/evaluate/convergence.h"

#include <numeric>

#include "fokker/core/error.h"
#include "fokker/core/spec.h"
#include "fokker/evaluate/metrics.h"
#include "fokker/sample/dopri5.h"

namespace fokker {
namespace {

constexpr uint32_t draws_per_step = 4096;  // how integrate numbers the draws of noise

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
    const int64_t step = position.step / draws_per_step, draw = position.step % draws_per_step;
    Tensor sum = at::zeros(shape, at::kDouble);
    for (int64_t j = 0; j < ratio; ++j) {
      const auto fine = static_cast<uint32_t>((step * draws + draw) * ratio + j);
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

/// Runs at every number of steps along the same Brownian paths.
Convergence sampled_strong(const Denoiser& denoiser, const Sampler& sampler, const Tensor& x,
                           const ConvergenceOptions& options) {
  const Sampler& reference = options.reference ? *options.reference : sampler;
  const auto draws = [&](const Sampler& method) {
    return draws_of(denoiser, method, grid_of(options, options.steps.front()), x.narrow(0, 0, 1));
  };
  const int64_t own = draws(sampler), steps = reference_steps(options);
  const int64_t finest = steps * std::lcm(own, draws(reference));
  const Rng rng = options.rng.stream("paths");
  const auto along = [&](const Sampler& method, int64_t count, int64_t per_step) {
    return run(denoiser, method, grid_of(options, count), x,
               coupled_noise(rng, count * per_step, per_step, finest));
  };
  const Tensor exact = along(reference, steps, draws(reference)).x;
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

/// The same from samples.
Convergence::Level sampled_level(const AnalyticDenoiser& denoiser, const Sampler& sampler,
                                 ErrorMeasure measure, const TimeGrid& grid, const Tensor& x,
                                 const Rng& rng) {
  const Integration part = run(denoiser, sampler, grid, x, rng.stream("sampler").noise_source(at::kDouble));
  const GaussianMixture end = denoiser.marginal(grid.times().back());
  const Moments exact{end.mean(), end.covariance().diagonal().sqrt(), end.covariance()};
  const double error = measure == ErrorMeasure::mean ? mean_error(moments(part.x), exact)
                       : measure == ErrorMeasure::covariance
                           ? covariance_error(moments(part.x), exact)
                           : sliced_wasserstein(part.x, end.sample(x.size(0), rng.stream("exact")), 128,
                                                rng.stream("directions"));
  return {grid.steps(), part.evaluations, error};
}

const std::vector<std::pair<ErrorMeasure, const char*>>& measures() {
  static const std::vector<std::pair<ErrorMeasure, const char*>> table = {
      {ErrorMeasure::path, "path"},
      {ErrorMeasure::strong, "strong"},
      {ErrorMeasure::mean, "mean"},
      {ErrorMeasure::covariance, "covariance"},
      {ErrorMeasure::wasserstein, "wasserstein"}};
  return table;
}

}  // namespace

std::vector<std::string> error_measure_names() {
  std::vector<std::string> names;
  for (const auto& [measure, name] : measures()) names.emplace_back(name);
  return names;
}

ErrorMeasure error_measure_from(std::string_view name) {
  for (const auto& [measure, known] : measures())
    if (name == known) return measure;
  fail(ErrorKind::argument, "unknown error measure '{}'; valid names: {}", name, join(error_measure_names()));
}

double Convergence::order() const {
  check(levels.size() >= 2, "Convergence: expected at least two numbers of steps but received {}",
        levels.size());
  const Level &last = levels.back(), &before = levels[levels.size() - 2];
  return std::log(before.error / last.error) /
         std::log(static_cast<double>(last.steps) / static_cast<double>(before.steps));
}

Convergence measure_convergence(const AnalyticDenoiser& denoiser, const Sampler& sampler,
                                ErrorMeasure measure, const ConvergenceOptions& options) {
  check(!options.steps.empty() && options.samples > 0,
        "measure_convergence: expected numbers of steps and samples > 0");
  check(measure != ErrorMeasure::path || sampler.order().deterministic,
        "measure_convergence: {} draws noise, so its paths have a strong error instead", sampler.name());
  check(measure != ErrorMeasure::strong || !sampler.order().deterministic,
        "measure_convergence: {} draws no noise; measure its path error instead", sampler.name());
  const double begin = grid_of(options, options.steps.front()).times().front();
  const Tensor x = denoiser.marginal(begin).sample(options.samples, options.rng.stream("starts"));
  if (measure == ErrorMeasure::path) return along_paths(denoiser, sampler, x, options);
  if (measure == ErrorMeasure::strong) {
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
}

Tensor exact_flow(const AnalyticDenoiser& denoiser, const Tensor& x, double from, double to) {
  if (denoiser.target().components() > 1) {
    const TimeGrid grid = from > to ? TimeGrid({from, to}) : TimeGrid({to, from}).reversed();
    return run(denoiser, Dopri5({.rtol = 1e-12, .atol = 1e-12}), grid, x, nullptr).x;
  }
  const GaussianMixture start = denoiser.marginal(from), end = denoiser.marginal(to);
  // All marginal covariances share their eigenvectors.
  const auto [variances, axes] = at::linalg_eigh(denoiser.target().covariance());
  const auto deviations = [&](double t) {
    return (variances.clamp_min(0) * std::pow(denoiser.process().alpha(t), 2) +
            std::pow(denoiser.process().sigma(t), 2))
        .sqrt();
  };
  const Tensor map = at::matmul(axes * (deviations(to) / deviations(from)), axes.t());
  const Tensor rows = x.to(at::kDouble).flatten(1) - start.mean();
  return (end.mean() + at::matmul(rows, map)).reshape(x.sizes());
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
    noise[3 + (position.step / draws_per_step) * draws + position.step % draws_per_step] = 1;
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
