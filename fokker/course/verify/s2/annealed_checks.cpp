// S2, sections 4.3 and 4.4: the bottleneck between modes, and annealed Langevin dynamics.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/denoise/analytic.h"
#include "fokker/sample/chain/langevin.h"
#include "fokker/sample/method/langevin/annealed_langevin.h"

namespace fokker::verify {
namespace {

Tensor even_points(double reach, int64_t points) {
  return at::linspace(-reach, reach, points, at::kDouble);
}

/// The mass below zero of weights on a grid.
double below(const Tensor& grid, const Tensor& weights) {
  return weights.index({grid < 0}).sum().item<double>();
}

Tensor along_diagonal(const Tensor& x) {
  return x.sum(1) / std::sqrt(2.0);
}

/// Weights on a grid of the normal law.
Tensor normal_weights(const Tensor& grid, double mean, double variance) {
  return at::softmax((grid - mean).square() * (-0.5 / variance), 0);
}

/// From one mode ULA stays there: the other gets none of its 1/5. From both with equal numbers the weights
/// stay 1/2.
void bottleneck(const Trial& trial, Evidence& evidence) {
  const double noise = trial.has("valley") ? 0 : 5;
  const GaussianMixture target = two_modes().noised(1, noise);
  const int64_t n = 500, steps = 300;
  const Tensor upper = at::full({n, 2}, 5.0, at::kDouble);
  const Tensor both = at::cat({upper.narrow(0, 0, n / 2), -upper.narrow(0, 0, n / 2)});
  const NoiseSource source = trial.rng().noise_source(at::kDouble);
  const auto share = [&](const Tensor& start) {
    const Tensor x = run_chain(Ula(0.1), target, start, source, {.steps = steps, .observers = {}}).x;
    return Statistic{x.sum(1).lt(0).to(at::kDouble).mean().item<double>(), 0};
  };
  // Not one chain crosses.
  const double half_a_chain = 0.5 / static_cast<double>(n);
  evidence.equal("fraction at the small mode, from the large one", share(upper), 0, half_a_chain);
  evidence.equal("fraction at the small mode, from both", share(both), 0.5, half_a_chain);
  // The time it would take: the slowest rate of the Langevin diffusion along the diagonal. Through a valley
  // it is (1/w + 1/(1 - w)) / int 1/pi between the modes, up to a factor 1 + O(rate); the eigenvalues are
  // off by 1e-12, a twentieth of it, and the grid makes a hundredth.
  const Tensor grid = even_points(12, 601);
  const LangevinSpectrum spectrum(grid,
                                  two_modes_projected().noised(1, noise).log_density(grid.unsqueeze(1)));
  const Line valley = line(-5 * std::sqrt(2.0), 5 * std::sqrt(2.0), 4000);
  const double resistance = valley.integral((-two_modes_projected().log_density(valley.states())).exp());
  evidence.equal("log10 of the rate of the slowest relaxation", {std::log10(std::abs(spectrum.gap())), 0},
                 std::log10((1 / 0.2 + 1 / 0.8) / resistance), 0.2);
}

/// On mu_sigma the same chain mixes: its law after k steps, from one mode, is that of the ULA kernel iterated
/// on a grid, and the diffusion's slowest rate grows with sigma.
void smoothing(const Trial& trial, Evidence& evidence) {
  const int64_t n = 3000, steps = 60;
  double previous = 0;
  for (const double sigma : {2.0, 4.0, 8.0}) {
    const GaussianMixture law = two_modes().noised(1, sigma),
                          profile = two_modes_projected().noised(1, sigma);
    const double v = 1 + sigma * sigma, h = 0.1 * v;
    const Tensor start = 5 + std::sqrt(v) * trial.rng().stream("start").normal({n, 2}, {}, at::kDouble);
    const GaussianMixture& run_on = trial.has("noised score") ? law : two_modes();
    const Tensor x = run_chain(Ula(trial.has("noised score") ? h : 0.1), run_on, start,
                               trial.rng().noise_source(at::kDouble), {.steps = steps, .observers = {}})
                         .x;
    const Tensor grid = even_points(7 * std::sqrt(v + 50), 501);
    const UlaLaw chain(grid, profile.score(grid.unsqueeze(1)).squeeze(1), h);
    const double expected = below(grid, chain.after(normal_weights(grid, 5 * std::sqrt(2.0), v), steps));
    evidence.equal(fmt::format("fraction below zero after {} steps, sigma = {}", steps, sigma),
                   fraction_of(along_diagonal(x) < 0, expected), expected, 0.002);
    const double gap = LangevinSpectrum(grid, profile.log_density(grid.unsqueeze(1))).gap() * v;
    evidence.at_least(fmt::format("slowest rate in units of 1 / (1 + sigma^2), sigma = {}", sigma), {gap, 0},
                      2 * previous);
    previous = gap;
  }
  // With large noise one bump is left, whose slowest rate is 1 / variance.
  const Tensor grid = even_points(400, 501);
  const double gap =
      LangevinSpectrum(grid, two_modes_projected().noised(1, 60).log_density(grid.unsqueeze(1))).gap();
  evidence.equal("slowest rate times the variance, sigma = 60",
                 {gap * two_modes_projected().noised(1, 60).covariance().item<double>(), 0}, 1, 0.01);
}

struct Annealing {
  double sigma_min = 0.2, sigma_max = 8, relative_step = 0.3;
  int64_t levels = 10, inner = 40;
};

/// The law along the diagonal of the annealed chain from (5, 5), level by level, on a grid.
double annealed_share(const Annealing& a, const GaussianProcess& process) {
  // The noise of the smallest level must be seen by the grid: sqrt(2 h) = 0.15.
  const Tensor grid = even_points(36, 481);
  Tensor weights = (grid - 5 * std::sqrt(2.0)).abs().lt(0.08).to(at::kDouble);
  weights = weights / weights.sum();
  for (int64_t i = 0; i < a.levels; ++i) {
    const double sigma = process.sigma(1 - static_cast<double>(i) / static_cast<double>(a.levels - 1));
    const GaussianMixture profile = two_modes_projected().noised(1, sigma);
    const UlaLaw chain(grid, profile.score(grid.unsqueeze(1)).squeeze(1), a.relative_step * sigma * sigma);
    weights = chain.after(weights, a.inner);
  }
  return below(grid, weights);
}

/// Annealed Langevin dynamics from one mode finds the weights 1/5 and 4/5.
void annealed_weights(const Trial& trial, Evidence& evidence) {
  const int64_t n = 3000;
  const Annealing a{};
  const GaussianProcess process(VarianceExploding{.sigma_min = a.sigma_min, .sigma_max = a.sigma_max});
  const AnalyticDenoiser denoiser(two_modes(), process);
  const Tensor start = at::full({n, 2}, 5.0, at::kDouble);
  const NoiseSource noise = trial.rng().noise_source(at::kDouble);
  // Without the large levels all steps are taken near the smallest one.
  const TimeGrid grid =
      trial.has("levels") ? TimeGrid::uniform(a.levels - 1) : TimeGrid::uniform(a.levels - 1, {.start = 0.2});
  const Tensor x = integrate(denoiser, AnnealedLangevin({.inner = a.inner, .relative_step = a.relative_step}),
                             grid, start, {.noise = noise, .observers = {}, .denoise_end = false})
                       .x;
  const double expected = annealed_share(a, process);
  evidence.equal("fraction at the small mode", fraction_of(x.sum(1) < 0, expected), expected, 0.001);
  // Weights freeze at the level where the modes part, and there some of the large mode is still below zero:
  // the share is too large, and less so with more steps, which move that level down.
  Annealing slower{};
  slower.inner *= 4;
  const double error = expected - 0.2, error_of_slower = annealed_share(slower, process) - 0.2;
  evidence.at_least("error of the exact chain's fraction", {error, 0}, 0);
  evidence.at_least("its error with four times the steps", {error_of_slower, 0}, 0);
  evidence.at_most("its error with four times the steps, over its error", {error_of_slower / error, 0}, 0.7);
  const Tensor upper = x.index({x.sum(1) > 0});
  for (int64_t i = 0; i < 2; ++i)
    evidence.equal(fmt::format("mean of coordinate {} in the large mode", i + 1), mean_of(upper.select(1, i)),
                   5, 0.02);
}

/// Song and Ermon's reason for the step rule: |h_i s| against |sqrt(2 h_i) z| is the same at every level.
void same_signal(Evidence& evidence, int64_t level, double s2, double h, double expected) {
  const Tensor noised = std::sqrt(s2) * normal_quadrature(1, 41).x;
  const GaussianMixture point = GaussianMixture::empirical(at::zeros({1, 1}, at::kDouble));
  const double signal =
      normal_quadrature(1, 41).mean((h * point.noised(1, std::sqrt(s2)).score(noised)).square().squeeze(1));
  evidence.equal(fmt::format("E|h s|^2 / (2 h) at level {}", level), {signal / (2 * h), 0}, expected, 1e-10);
}

/// With h_i = h_L sigma_i^2 / sigma_L^2 the chain on N(0, v) is linear: each inner step maps the variance to
/// (1 - h_i / (v + sigma_i^2))^2 V + 2 h_i. The library's response to each draw of noise, one row for each,
/// gives its variance without Monte Carlo error.
void step_rule(const Trial& trial, Evidence& evidence) {
  const double v = trial.settings().real("variance"), h_last = trial.settings().real("step") * 0.04;
  const int64_t levels = 6, inner = 4, draws = levels * inner;
  const GaussianMixture target =
      GaussianMixture::gaussian(at::zeros({1}, at::kDouble), at::full({1}, v, at::kDouble));
  const GaussianProcess process(VarianceExploding{.sigma_min = 0.2, .sigma_max = 3});
  const double relative = h_last / (0.2 * 0.2);
  const auto sigma_at = [&](int64_t i) {
    return 3 * std::pow(0.2 / 3, static_cast<double>(i) / (levels - 1));
  };
  const AnalyticDenoiser denoiser(target, process);
  // Row 0 starts at one without noise; row k + 1 starts at zero with the k-th draw one and all others zero.
  int64_t drawn = 0;
  const NoiseSource noise = one_draw_a_row(drawn);
  Tensor x = at::zeros({draws + 1, 1}, at::kDouble);
  x[0][0] = 1;
  if (trial.has("proportional")) {
    x = integrate(denoiser, AnnealedLangevin({.inner = inner, .relative_step = relative}),
                  TimeGrid::uniform(levels - 1), x, {.noise = noise, .observers = {}, .denoise_end = false})
            .x;
  } else {
    for (int64_t i = 0; i < levels; ++i)
      x = run_chain(Ula(h_last), target.noised(1, sigma_at(i)), x, noise, {.steps = inner, .observers = {}})
              .x;
  }
  const double start = 4;
  double V = start;
  for (int64_t i = 0; i < levels; ++i)
    for (int64_t k = 0; k < inner; ++k) {
      const double s2 = std::pow(sigma_at(i), 2), h = h_last * s2 / 0.04;
      V = std::pow(1 - h / (v + s2), 2) * V + 2 * h;
    }
  const Tensor squares = x.square().squeeze(1);
  evidence.equal("draws of noise", {static_cast<double>(drawn), 0}, static_cast<double>(draws), 0.5);
  evidence.equal("final variance",
                 {(start * squares[0] + squares.narrow(0, 1, draws).sum()).item<double>(), 0}, V, 1e-10);
  for (const int64_t i : {int64_t{0}, levels - 1}) {
    const double s2 = std::pow(sigma_at(i), 2);
    same_signal(evidence, i + 1, s2, h_last * s2 / 0.04, relative / 2);
  }
}

}  // namespace

void add_s2_annealed(Checks& checks) {
  checks.push_back(
      {.id = "s2.annealed.bottleneck",
       .source = "S2, section 4.3",
       .statement = "ULA keeps the weights it started from: none of 1/5 from one mode, 1/2 from both",
       .measure = bottleneck,
       .ingredients = {{"valley", "the target is smoothed by sigma = 5"}}});
  checks.push_back(
      {.id = "s2.annealed.smoothing",
       .source = "S2, section 4.4",
       .statement = "On mu_sigma Langevin dynamics crosses between the modes, faster as sigma grows",
       .measure = smoothing,
       .ingredients = {{"noised score", "the chain runs on mu and not on mu_sigma"}}});
  checks.push_back({.id = "s2.annealed.weights",
                    .source = "S2, section 4.4",
                    .statement = "Annealed Langevin dynamics from one mode finds the weights 1/5 and 4/5",
                    .measure = annealed_weights,
                    .ingredients = {{"levels", "the large noise levels are left out"}}});
  checks.push_back(
      {.id = "s2.annealed.step-rule",
       .source = "S2, section 4.4",
       .statement = "The steps are h_i = h_L sigma_i^2 / sigma_L^2, so signal and noise keep their ratio",
       .measure = step_rule,
       .ingredients = {{"proportional", "every level takes the step h_L"}},
       .settings = {Setting::real("variance", 0.25, 0.01, 10, "variance v of the data"),
                    Setting::real("step", 0.1, 0.01, 0.5, "h_L, in units of sigma_L^2")}});
}

}  // namespace fokker::verify
