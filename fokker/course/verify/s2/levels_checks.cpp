// S2, sections 4.4 and 4.5: the law that annealed Langevin dynamics ends with, and what the number of levels
// does.
#include <cmath>

#include "fokker/course/problem/small_networks.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/objective/denoising.h"
#include "fokker/sample/chain/langevin.h"
#include "fokker/sample/method/langevin/annealed_langevin.h"

namespace fokker::verify {
namespace {

/// Eight levels from 4 to 0.3 with K steps of 0.15 sigma^2 each, from N(0, 16).
constexpr int64_t final_levels = 8;
constexpr double final_step = 0.15;
const GaussianProcess& final_process() {
  static const GaussianProcess process = VarianceExploding{.sigma_min = 0.3, .sigma_max = 4};
  return process;
}

Tensor annealed_end(const Denoiser& denoiser, int64_t inner, int64_t n, bool denoised, const Rng& rng,
                    at::ScalarType type = at::kDouble) {
  const Tensor start = 4 * rng.stream("start").normal({n, 1}, {}, type);
  const NoiseSource noise = rng.stream("noise").noise_source(type);
  return integrate(denoiser, AnnealedLangevin({.inner = inner, .relative_step = final_step}),
                   TimeGrid::uniform(final_levels - 1), start,
                   {.noise = noise, .observers = {}, .denoise_end = denoised})
      .x.flatten();
}

/// Between the modes and four deviations of the small one below it: further down are the few that a learned
/// score sends astray.
Tensor in_small_mode(const Tensor& x) {
  return (x < -1).logical_and(x > -4);
}

/// A law on a grid: weights that sum to one.
struct GridLaw {
  Tensor grid, weights;
  double mean(const Tensor& values) const { return (weights * values).sum().item<double>(); }
  double variance(const Tensor& values) const { return mean((values - mean(values)).square()); }
  /// The variance of those of the small mode, where the last denoising step shows.
  double variance_of_small(const Tensor& values) const {
    const Tensor mine = weights * in_small_mode(values).to(at::kDouble);
    return GridLaw{grid, mine / mine.sum()}.variance(values);
  }
  /// The distribution function at x, linear between the borders of the cells.
  Tensor distribution(const Tensor& x) const {
    const double spacing = (grid[1] - grid[0]).item<double>();
    const Tensor place = ((x - grid[0]) / spacing + 0.5).clamp(0, static_cast<double>(grid.size(0)) - 1e-9);
    const Tensor cell = place.floor().to(at::kLong), below = weights.cumsum(0) - weights;
    return below.index_select(0, cell) + weights.index_select(0, cell) * (place - place.floor());
  }
};

/// The law of the annealed chain with the exact score, level by level.
GridLaw exact_annealed(const GaussianMixture& target, int64_t inner) {
  const Tensor grid = at::linspace(-20, 20, 501, at::kDouble);
  Tensor weights = (grid.square() * (-0.5 / 16)).softmax(0);
  for (int64_t i = 0; i < final_levels; ++i) {
    const double sigma = final_process().sigma(1 - static_cast<double>(i) / (final_levels - 1));
    const Tensor score = target.noised(1, sigma).score(grid.unsqueeze(1)).squeeze(1);
    weights = UlaLaw(grid, score, final_step * sigma * sigma).after(weights, inner);
  }
  return {grid, weights};
}

/// X^K is distributed as the exact chain on a grid, which is mu_{sigma_L} up to the bias of the step; the
/// last denoising step, which S2 has not, maps it to E[x_0 | x].
void final_law(const Trial& trial, Evidence& evidence) {
  const GaussianMixture target = skewed_mixture();
  const double sigma = 0.3;
  const int64_t inner = 40, n = 8'000;
  const AnalyticDenoiser exact(target, final_process());
  const GridLaw law = exact_annealed(target, inner);
  const Tensor x = annealed_end(exact, inner, n, !trial.has("undenoised"), trial.rng());
  const Tensor denoised = annealed_end(exact, inner, n, true, trial.rng());
  evidence.equal("mean of X^K", mean_of(x), law.mean(law.grid), 1e-3);
  evidence.equal("variance of X^K", variance_of(x), law.variance(law.grid), 1e-3);
  evidence.equal("variance of X^K in the small mode", variance_of(x.masked_select(in_small_mode(x))),
                 law.variance_of_small(law.grid), 2e-3);
  evidence.same_law("Kolmogorov's distance of X^K from the exact chain",
                    kolmogorov_smirnov(x, [&](const Tensor& v) { return law.distribution(v); }), 0.1);
  const Tensor map = target.posterior(law.grid.unsqueeze(1), 1, sigma).denoised.flatten();
  evidence.equal("variance after the last denoising step", variance_of(denoised), law.variance(map), 2e-3);
  // Of the exact chain there is no Monte Carlo error: what is left is the bias h / (2 v) of ULA in each mode.
  const GaussianMixture noised = target.noised(1, sigma);
  const Tensor mu = noised.log_density(law.grid.unsqueeze(1)).softmax(0);
  evidence.equal("variance of the exact chain over that of mu_sigma",
                 {law.variance(law.grid) / noised.covariance().item<double>()}, 1, 0.02);
  evidence.equal("total variation between the exact chain and mu_sigma",
                 {0.5 * (law.weights - mu).abs().sum().item<double>()}, 0, 0.02);
}

std::shared_ptr<const Denoiser> learned_levels(const GaussianMixture& target, int64_t steps, const Rng& rng) {
  const double deviation = std::sqrt(target.covariance().item<double>());
  const DenoiserSpec spec{.process = final_process(),
                          .prediction = Prediction::edm(deviation),
                          .time_input = {.kind = TimeInput::Kind::quarter_log_sigma},
                          .scale_input = true,
                          .sigma_data = deviation};
  Trainer trainer(std::make_unique<Mlp>(
                      MlpOptions{.dimension = 1, .width = 32, .depth = 2, .embedding = "raw"}, rng.seed()),
                  spec, std::make_shared<DenoisingObjective>(),
                  Split{.training = {.values = target.sample(20'000, rng.stream("rows")), .columns = {"x"}},
                        .held_out = {}},
                  Normalisation::identity({1}), {.steps = steps, .batch = 256, .ema_decay = 0.98}, rng);
  trainer.run({});
  return make_denoiser(trainer.averaged_network().clone(), spec);
}

/// The same with a score that a small network has learned from 20,000 draws.
void learned_law(const Trial& trial, Evidence& evidence) {
  const GaussianMixture target = skewed_mixture();
  const int64_t inner = 40, n = 4'000;
  const auto learned = learned_levels(target, trial.has("training") ? 1500 : 1, trial.rng());
  const GridLaw law = exact_annealed(target, inner);
  const GradientMode off(false);
  const Tensor x =
      annealed_end(*learned, inner, n, !trial.has("undenoised"), trial.rng(), at::kFloat).to(at::kDouble);
  const double variance = law.variance(law.grid);
  evidence.equal("mean of X^K", mean_of(x), law.mean(law.grid), 0.1);
  evidence.equal("variance of X^K", variance_of(x), variance, 0.06 * variance);
  const double narrow = law.variance_of_small(law.grid);
  evidence.equal("variance of X^K in the small mode", variance_of(x.masked_select(in_small_mode(x))), narrow,
                 0.12 * narrow);
  evidence.equal("Kolmogorov's distance of X^K from the exact chain, a share",
                 {kolmogorov_smirnov(x, [&](const Tensor& v) { return law.distribution(v); }) /
                      std::sqrt(static_cast<double>(n)),
                  0},
                 0, 0.06);
}

/// The variance at the end of the annealed chain on N(0, v), from N(0, v + sigma_1^2), over the times of a
/// grid: the chain is linear, so its response to each single draw gives it exactly.
struct LevelsProblem {
  double v, sigma_max, sigma_min;
  explicit LevelsProblem(const Settings& set)
      : v(set.real("variance")), sigma_max(set.real("largest")), sigma_min(set.real("smallest")) {}
  GaussianProcess process() const {
    return VarianceExploding{.sigma_min = sigma_min, .sigma_max = sigma_max};
  }
  double variance(const std::vector<double>& times, int64_t inner, double relative) const {
    const GaussianMixture target =
        GaussianMixture::gaussian(at::zeros({1}, at::kDouble), at::full({1}, v, at::kDouble));
    const int64_t draws = static_cast<int64_t>(times.size()) * inner;
    int64_t drawn = 0;
    const NoiseSource noise = one_draw_a_row(drawn);
    Tensor x = at::zeros({draws + 1, 1}, at::kDouble);
    x[0][0] = std::sqrt(v + sigma_max * sigma_max);
    return integrate(AnalyticDenoiser(target, process()),
                     AnnealedLangevin({.inner = inner, .relative_step = relative}), TimeGrid(times), x,
                     {.noise = noise, .observers = {}, .denoise_end = false})
        .x.square()
        .sum()
        .item<double>();
  }
};

/// "Taking the limit L -> infinity and the difference between levels to 0": with c log(sigma_1 / sigma_L) / L
/// of sigma^2 a step the variance tends to the solution of dV/ds = c V / (v + s) - c, s = sigma^2,
///   V = c/(c-1) (v + s) + A (v + s)^c,
/// so more levels alone do not suffice: the variance ends too large by 1/(c - 1), and c is the number of
/// steps.
void many_levels(const Trial& trial, Evidence& evidence) {
  const LevelsProblem p(trial.settings());
  const double c = 4, range = std::log(p.sigma_max / p.sigma_min);
  const double ends = (p.v + p.sigma_min * p.sigma_min) / (p.v + p.sigma_max * p.sigma_max);
  const double limit = c / (c - 1) - std::pow(ends, c - 1) / (c - 1);
  std::vector<double> spacings, errors, ratios;
  for (const int64_t L : {60, 120, 240}) {
    // Without many levels the same steps are taken at ten of them.
    const int64_t levels = trial.has("levels") ? L : 10;
    const double relative = c * range / static_cast<double>(L);
    const double V = p.variance(TimeGrid::uniform(levels - 1).times(), L / levels, relative);
    ratios.push_back(V / (p.v + p.sigma_min * p.sigma_min));
    spacings.push_back(1 / static_cast<double>(L));
    errors.push_back(std::abs(ratios.back() - limit));
  }
  evidence.equal("variance over that of mu_sigma_L as L -> infinity", {2 * ratios[2] - ratios[1]}, limit,
                 2e-3);
  evidence.equal("order of its error in 1 / L", {observed_order(spacings, errors)}, 1, 0.15);
}

/// How to choose the levels: by equal ratios the last ones are as fine as the first, by equal differences the
/// chain jumps from sigma = 0.35 to 0.2 in one level. Each against its closed form, V <- (1 - h / (v + s))^2
/// V + 2 h.
void spacing_of_levels(const Trial& trial, Evidence& evidence) {
  const LevelsProblem p(trial.settings());
  const int64_t L = 20, inner = 4;
  const double relative = 0.2, last = p.v + p.sigma_min * p.sigma_min;
  const auto error = [&](bool ratios) {
    std::vector<double> times;
    double V = p.v + p.sigma_max * p.sigma_max;
    for (int64_t i = 0; i < L; ++i) {
      const double share = static_cast<double>(i) / (L - 1);
      const double even = std::lerp(p.sigma_max, p.sigma_min, share);
      times.push_back(ratios ? 1 - share
                             : std::log(even / p.sigma_min) / std::log(p.sigma_max / p.sigma_min));
      const double sigma = p.process().sigma(times.back()), h = relative * sigma * sigma;
      for (int64_t k = 0; k < inner; ++k) V = std::pow(1 - h / (p.v + sigma * sigma), 2) * V + 2 * h;
    }
    times.back() = 0;
    evidence.equal(ratios ? "variance with equal ratios" : "variance with equal differences",
                   {p.variance(times, inner, relative)}, V, 1e-9);
    return std::abs(p.variance(times, inner, relative) / last - 1);
  };
  const double geometric = error(true), even = error(trial.has("ratios") ? false : true);
  evidence.at_least("error with equal differences over that with equal ratios", {even / geometric}, 2);
}

}  // namespace

void add_s2_levels(Checks& checks) {
  const std::vector<Setting> problem = {Setting::real("variance", 0.25, 0.1, 1, "variance v of the data"),
                                        Setting::real("largest", 3, 2, 6, "sigma_1"),
                                        Setting::real("smallest", 0.2, 0.1, 0.4, "sigma_L")};
  const Ingredient undenoised{"undenoised", "the last denoising step is taken, which X^K has not"};
  checks.push_back({.id = "s2.annealed.final-law",
                    .source = "S2, section 4.4",
                    .statement = "X^K has the law of mu_sigma_L, and denoised once more that of E[x_0 | x]",
                    .measure = final_law,
                    .ingredients = {undenoised}});
  checks.push_back({.id = "s2.annealed.learned",
                    .source = "S2, section 4.4",
                    .statement = "Annealed Langevin dynamics with a learned score ends near mu_sigma_L",
                    .measure = learned_law,
                    .ingredients = {undenoised, {"training", "the network is trained for one step"}}});
  checks.push_back({.id = "s2.levels.limit",
                    .source = "S2, section 4.5",
                    .statement = "As the levels become many the law tends to a limit, not yet to mu",
                    .measure = many_levels,
                    .ingredients = {{"levels", "the steps are taken at ten levels"}},
                    .settings = problem});
  checks.push_back({.id = "s2.levels.spacing",
                    .source = "S2, section 4.5",
                    .statement = "Levels of equal ratios end nearer to mu_sigma_L than of equal differences",
                    .measure = spacing_of_levels,
                    .ingredients = {{"ratios", "both have equal ratios"}},
                    .settings = problem});
}

}  // namespace fokker::verify
