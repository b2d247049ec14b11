// S0, Theorem 12.1 and Example 12.2: the reversal of noising with the exact score returns the data.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/denoise/analytic.h"

namespace fokker::verify {
namespace {

/// A mixture of two round components, seen along the line through their means.
struct TwoModes {
  GaussianMixture mixture;
  Tensor direction;         ///< (d), unit length
  GaussianMixture profile;  ///< the law of x . direction

  TwoModes(GaussianMixture m, const Tensor& variances)
      : mixture(std::move(m)),
        direction((mixture.means()[1] - mixture.means()[0]) /
                  (mixture.means()[1] - mixture.means()[0]).norm()),
        profile(mixture.weights(), mixture.means().matmul(direction).unsqueeze(1), variances) {}
};

TwoModes modes_in(int64_t dimension) {
  if (dimension == 1) return {skewed_mixture(), at::tensor({0.25, 0.64}, at::kDouble)};
  if (dimension == 2) return {two_modes(), at::ones({2}, at::kDouble)};
  const Tensor weights = at::tensor({0.25, 0.75}, at::kDouble);
  const Tensor means = at::tensor({-0.5, 0.5}, at::kDouble).unsqueeze(1) * at::ones({1, dimension}) +
                       at::linspace(-1, 1, dimension, at::kDouble);
  const Tensor variances = at::full({2}, 0.5, at::kDouble);
  return {GaussianMixture(weights, means, variances), variances};
}

/// The law of the samples along the modes' line, by its moments and by Kolmogorov's statistic, and the
/// variance across it. `error` is the relative error of a variance that the steps make: it moves a
/// distribution function by at most sup |z phi(z)| / 2 = 0.12 of it.
void compare_law(Evidence& evidence, const std::string& when, const Tensor& x, const TwoModes& modes,
                 double noise, double error) {
  const GaussianMixture profile = modes.profile.noised(1, noise);
  const Tensor along = x.matmul(modes.direction);
  const double variance = profile.covariance().item<double>(), mean = profile.mean().item<double>();
  evidence.equal("mean " + when, mean_of(along), mean, error * std::sqrt(variance));
  evidence.equal("variance " + when, variance_of(along), variance, error * variance);
  const double n = static_cast<double>(x.size(0));
  evidence.at_most(
      "Kolmogorov's distance " + when,
      {kolmogorov_smirnov(along, [&](const Tensor& v) { return mixture_distribution(profile, v); }), 0},
      kolmogorov_critical(2e-5), 0.12 * error * std::sqrt(n));
  if (x.size(1) == 1) return;
  const Tensor across = x - along.unsqueeze(1) * modes.direction;
  const Tensor offset =
      modes.mixture.means()[0] - modes.mixture.means()[0].dot(modes.direction) * modes.direction;
  const double expected = modes.mixture.component_covariance(0)[0][0].item<double>() + noise * noise;
  evidence.equal("variance across the modes " + when,
                 mean_of((across - offset).square().sum(1) / static_cast<double>(x.size(1) - 1)), expected,
                 error * expected);
}

/// Theorem 12.1 in S0's own time: dX = sigma^2 grad log p_{1-t}(X) dt + sigma dB from p_1 has the law p_{1-t}
/// at time t, and the data's at 1.
void reverse_brownian(const Trial& trial, Evidence& evidence, int64_t d, int64_t n, int64_t steps) {
  const TwoModes modes = modes_in(d);
  const double sigma = 2, finest = modes.mixture.component_covariance(0)[0][0].item<double>();
  const auto law = [&](double t) { return modes.mixture.noised(1, sigma * std::sqrt(t)); };
  const StateFunction score = [&](const Tensor& x, double t) {
    return trial.has("score") ? law(t).score(x) : at::zeros_like(x);
  };
  const GaussianProcess process(Brownian{.sigma = sigma});
  const std::vector<double> times = reversal_times(process, finest, steps);
  const double error = euler_error(process, {finest, modes.profile.covariance().item<double>()}, times);
  const Tensor start = trial.has("start")
                           ? law(1).sample(n, trial.rng().stream("start"))
                           : sigma * trial.rng().stream("start").normal({n, d}, {}, at::kDouble);
  const std::vector<int64_t> seen{steps / 4, steps / 2, steps};
  const auto states = states_at(reverse(brownian_motion(d, sigma), score, 1.0), start, times, seen,
                                trial.rng().stream("noise"));
  for (size_t i = 0; i < seen.size(); ++i) {
    const double t = times[static_cast<size_t>(seen[i])];
    compare_law(evidence, fmt::format("at t = {:.3g}", t), states[i], modes, sigma * std::sqrt(1 - t), error);
  }
}

/// Example 12.2, eq. 3: with sigma(x, t) = g(t) I and drift b = f(t) x.
void reverse_process(const Trial& trial, Evidence& evidence, const GaussianProcess& process,
                     const std::string& ingredient) {
  const TwoModes modes = modes_in(1);
  const AnalyticDenoiser exact(modes.mixture, process);
  const StateFunction score = [&](const Tensor& x, double t) { return exact.estimate(x, t).score(); };
  Sde forward = forward_sde(process, 1);
  if (ingredient == "drift" && !trial.has("drift"))
    forward.drift = [](const Tensor& x, double) { return at::zeros_like(x); };
  const Sde back = reverse(
      forward,
      [&](const Tensor& x, double t) {
        return ingredient == "score" && !trial.has("score") ? at::zeros_like(x) : score(x, t);
      },
      1.0);
  const std::vector<double> times = reversal_times(process, 0.25, 160, 3);
  const Tensor start = exact.marginal(1).sample(10'000, trial.rng().stream("start"));
  compare_law(evidence, "at the data", end_state(back, start, times, trial.rng().stream("noise")), modes,
              process.sigma(0), euler_error(process, {0.25, 0.64, 3.1}, times));
}

void add_process(Checks& checks, const std::string& name, const GaussianProcess& process,
                 Ingredient ingredient) {
  checks.push_back({.id = "s0.reversal." + name,
                    .source = "S0, Example 12.2",
                    .statement = "Eq. 3 reverses the " + name + " process of a mixture to its law at time 0",
                    .measure = [process, key = ingredient.name](
                                   const Trial& t, Evidence& e) { reverse_process(t, e, process, key); },
                    .ingredients = {ingredient}});
}

}  // namespace

void add_s0_reversal(Checks& checks) {
  struct Size {
    int64_t d, n, steps;
  };
  for (const Size& size : {Size{1, 12'000, 160}, {2, 8000, 120}, {16, 2500, 100}})
    checks.push_back(
        {.id = fmt::format("s0.reversal.brownian-d{}", size.d),
         .source = "S0, Theorem 12.1",
         .statement = fmt::format("Brownian noising of a mixture in R^{}, reversed with its exact "
                                  "score, has the law p_(1-t) and ends at the data's",
                                  size.d),
         .measure = [size](const Trial& t,
                           Evidence& e) { reverse_brownian(t, e, size.d, size.n, size.steps); },
         .ingredients = {{"score", "the reversal runs without the score"},
                         {"start", "the reversal starts from N(0, sigma^2 I), without the data"}}});
  const Ingredient drift{"drift", "the reversal leaves out -b"};
  add_process(checks, "vp", VariancePreserving{.beta_min = 0.1, .beta_max = 12}, drift);
  add_process(checks, "sub-vp", SubVariancePreserving{.beta_min = 0.1, .beta_max = 12}, drift);
  add_process(checks, "ve", VarianceExploding{.sigma_min = 0.4, .sigma_max = 6},
              {"score", "the reversal runs without the score"});
}

}  // namespace fokker::verify
