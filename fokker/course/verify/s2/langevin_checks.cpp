// S2, section 4.3: Langevin algorithms on one target.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/sample/chain/langevin.h"

namespace fokker::verify {
namespace {

/// Noise for chains, or none.
NoiseSource chain_noise(const Trial& trial, bool noisy) {
  const NoiseSource noise = trial.rng().stream("noise").noise_source(at::kDouble);
  if (noisy) return noise;
  return [noise](IntArrayRef shape, DrawPosition position) { return at::zeros_like(noise(shape, position)); };
}

Tensor run(const MarkovKernel& kernel, const Distribution& target, const Tensor& start, int64_t steps,
           const NoiseSource& noise) {
  return run_chain(kernel, target, start, noise, {.steps = steps, .observers = {}}).x;
}

/// On N(m, v) ULA is X' = m + (1 - h/v)(X - m) + sqrt(2h) z: from N(m, v) the variance after k steps is V +
/// (1
/// - h/v)^2k (v - V) with V = v / (1 - h/(2v)).
void ula_variance(const Trial& trial, Evidence& evidence) {
  const double m = trial.settings().real("mean"), v = trial.settings().real("variance");
  const int64_t n = trial.settings().integer("n"), steps = 20;
  const GaussianMixture target =
      GaussianMixture::gaussian(at::full({1}, m, at::kDouble), at::full({1}, v, at::kDouble));
  const Tensor start = target.sample(n, trial.rng().stream("start"));
  for (const double h : {0.2 * v, 0.5 * v, v}) {
    const double V = v / (1 - h / (2 * v));
    const Tensor x = run(Ula(h), target, start, steps, chain_noise(trial, trial.has("noise"))).squeeze(1);
    evidence.equal(fmt::format("stationary variance at h = {}", h), variance_of(x),
                   V + std::pow(1 - h / v, 2 * steps) * (v - V));
    evidence.equal(fmt::format("mean at h = {}", h), mean_of(x), m);
  }
}

/// ULA with an estimate s = -(x - m)/v' of the score samples N(m, v'): its error is that of the estimate.
void ula_estimated(const Trial& trial, Evidence& evidence) {
  // The law itself is N(0.2, 1), of which 1.3 is an estimate.
  const double variance = trial.settings().real("variance"),
               estimated = trial.has("estimate") ? variance : 1.0;
  const FunctionDistribution guess({.name = "estimate",
                                    .dimension = 1,
                                    .log_density = {},
                                    .score = [=](const Tensor& x) { return -(x - 0.2) / estimated; },
                                    .sample = {}});
  const double h = trial.settings().real("step") * variance, kept = std::pow(1 - h / variance, 60),
               limit = variance / (1 - h / (2 * variance));
  const Tensor x = run(Ula(h), guess, at::zeros({trial.settings().integer("n"), 1}, at::kDouble), 60,
                       chain_noise(trial, true));
  evidence.equal("variance", variance_of(x.squeeze(1)), limit * (1 - kept * kept), 1e-9);
  evidence.equal("mean", mean_of(x.squeeze(1)), 0.2 * (1 - kept), 1e-9);
}

/// In equilibrium a kernel leaves the law as it is: moments and Kolmogorov's distance of a skewed mixture.
void compare_invariant(Evidence& evidence, const Tensor& x, const GaussianMixture& target, double allowance) {
  const Quadrature q = mixture_quadrature(target, 161);
  const Tensor along = x.squeeze(1), y = q.x.squeeze(1);
  evidence.equal("E X", mean_of(along), q.mean(y), allowance);
  evidence.equal("E X^2", mean_of(along.square()), q.mean(y.square()), allowance);
  const double wave = 1 / std::sqrt(variances_of(target).front());
  evidence.equal(fmt::format("E sin {:.3g} X", wave), mean_of((wave * along).sin()), q.mean((wave * y).sin()),
                 allowance);
  evidence.same_law(
      "Kolmogorov's distance",
      kolmogorov_smirnov(along, [&](const Tensor& v) { return mixture_distribution(target, v); }),
      allowance * std::sqrt(static_cast<double>(x.size(0))));
}

/// MALA at a step where ULA is far off.
void mala(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& target = trial.settings().law();
  const Tensor start = target.sample(trial.settings().integer("n"), trial.rng().stream("start"));
  const double step = trial.settings().real("step") * variances_of(target).front();
  const Mala adjusted(step);
  const Ula unadjusted(step);
  const MarkovKernel& kernel =
      trial.has("acceptance") ? static_cast<const MarkovKernel&>(adjusted) : unadjusted;
  compare_invariant(evidence, run(kernel, target, start, 20, chain_noise(trial, true)), target, 0);
}

/// Underdamped Langevin dynamics: the stationary law is pi(x) N(v; 0, I). BAOAB's error is of order h^2.
void underdamped(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& target = trial.settings().law();
  const Tensor start = target.sample(trial.settings().integer("n"), trial.rng().stream("start"));
  const double narrow = std::sqrt(variances_of(target).front());
  const UnderdampedLangevin kernel({.step = 0.3 * narrow, .friction = 1.0});
  compare_invariant(evidence, run(kernel, target, start, 30, chain_noise(trial, trial.has("noise"))), target,
                    0.005 * std::max(1.0, target.mean_square() / 3));
}

/// Without noise ULA is gradient ascent of the density: every chain ends at a mode, where the score vanishes.
void noise_free(const Trial& trial, Evidence& evidence) {
  const GaussianMixture target = two_modes();
  const int64_t n = 2000;
  const Tensor start = 4 * trial.rng().stream("start").normal({n, 2}, {}, at::kDouble);
  const Tensor x = run(Ula(0.2), target, start, 100, chain_noise(trial, !trial.has("silence")));
  evidence.equal("largest score at the end", {target.score(x).abs().max().item<double>(), 0}, 0, 1e-6);
  const Tensor distance = at::cdist(x, target.means()).amin(1);
  evidence.equal("largest distance from a mode", {distance.max().item<double>(), 0}, 0, 1e-6);
  // The border between the basins is where the two terms of the density are equal: x + y = -log 4 / 10.
  const double border = -std::log(4.0) / 10 / (4 * std::sqrt(2.0)),
               share = 0.5 * std::erfc(-border / std::sqrt(2.0));
  evidence.equal("fraction at the small mode: that of its basin", fraction_of(x.sum(1) < 0, share), share,
                 0.004);
}

}  // namespace

void add_s2_langevin(Checks& checks) {
  const auto add = [&](const char* id, const char* statement, auto measure,
                       const std::vector<Ingredient>& ingredients,
                       const std::vector<Setting>& settings = {}) {
    checks.push_back({.id = id,
                      .source = "S2, section 4.3",
                      .statement = statement,
                      .measure = measure,
                      .ingredients = ingredients,
                      .settings = settings});
  };
  const Ingredient noise{"noise", "the chain runs without its noise"};
  add("s2.langevin.ula-variance", "ULA on N(m, v) has the stationary variance v / (1 - h / (2v))",
      ula_variance, {noise},
      {Setting::real("mean", 0.7, -100, 100, "mean of the target"),
       Setting::real("variance", 1, 1e-4, 1e4, "variance of the target"),
       Setting::integer("n", 30'000, 100, 1'000'000, "chains")});
  add("s2.langevin.ula-estimated", "ULA with an estimated score samples the law of the estimate",
      ula_estimated, {{"estimate", "the chain follows the exact score"}},
      {Setting::real("variance", 1.3, 0.05, 20, "variance of the estimated law; the law's is 1"),
       Setting::real("step", 1.0 / 13, 0.01, 1, "step, in units of that variance"),
       Setting::integer("n", 30'000, 500, 1'000'000, "chains")});
  add("s2.langevin.mala", "MALA leaves a mixture invariant at a step where ULA does not", mala,
      {{"acceptance", "every proposal is accepted: ULA"}},
      {skewed_setting(), Setting::real("step", 0.8, 0.05, 1.5, "step, in units of the smallest variance"),
       Setting::integer("n", 20'000, 100, 500'000, "chains")});
  add("s2.langevin.underdamped", "Underdamped Langevin dynamics leaves a mixture invariant", underdamped,
      {noise},
      {skewed_setting({.least_deviation = 0.1, .most_deviation = 4, .reach = 12}),
       Setting::integer("n", 20'000, 500, 500'000, "chains")});
  add("s2.langevin.noise-free", "Without its noise ULA collapses onto the modes", noise_free,
      {{"silence", "the noise is there"}});
}

}  // namespace fokker::verify
