// S0, Theorem 12.1 and Example 12.2: the reversal of noising with the exact score returns the data.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/mixture_comparison.h"
#include "fokker/course/verify/problems.h"
#include "fokker/denoise/analytic.h"

namespace fokker::verify {
namespace {

/// Two modes in R^d.
GaussianMixture modes_in(int64_t dimension) {
  if (dimension == 1) return skewed_mixture();
  if (dimension == 2) return two_modes();
  const Tensor means = at::tensor({-0.5, 0.5}, at::kDouble).unsqueeze(1) * at::ones({1, dimension}) +
                       at::linspace(-1, 1, dimension, at::kDouble);
  return GaussianMixture(at::tensor({0.25, 0.75}, at::kDouble), means, at::full({2}, 0.5, at::kDouble));
}

/// Theorem 12.1 in S0's own time: dX = sigma^2 grad log p_{1-t}(X) dt + sigma dB from p_1 has the law p_{1-t}
/// at time t, and the data's at 1.
void reverse_brownian(const Trial& trial, Evidence& evidence) {
  const Settings& set = trial.settings();
  // In as many dimensions as asked for, unless the law is the reader's own.
  const GaussianMixture data =
      set.changed("dims") && !set.changed("target") ? modes_in(set.integer("dims")) : set.law();
  const int64_t d = data.dimension(), n = set.integer("n"), steps = set.integer("steps");
  const double sigma = set.real("sigma");
  const auto law = [&](double t) { return data.noised(1, sigma * std::sqrt(t)); };
  const StateFunction score = [&](const Tensor& x, double t) {
    return trial.has("score") ? law(t).score(x) : at::zeros_like(x);
  };
  const GaussianProcess process(Brownian{.sigma = sigma});
  const std::vector<double> variances = variances_of(data);
  const std::vector<double> times = reversal_times(process, variances.front(), steps);
  const double error = euler_error(process, variances, times);
  const Tensor start = trial.has("start")
                           ? law(1).sample(n, trial.rng().stream("start"))
                           : sigma * trial.rng().stream("start").normal({n, d}, {}, at::kDouble);
  const std::vector<int64_t> seen{steps / 4, steps / 2, steps};
  const auto states = states_at(reverse(brownian_motion(d, sigma), score, 1.0), start, times, seen,
                                trial.rng().stream("noise"));
  for (size_t i = 0; i < seen.size(); ++i) {
    const double t = times[static_cast<size_t>(seen[i])];
    compare_with_mixture(evidence, fmt::format("at t = {:.3g}", t), states[i], law(1 - t), error);
  }
}

/// Example 12.2, eq. 3: with sigma(x, t) = g(t) I and drift b = f(t) x.
void reverse_process(const Trial& trial, Evidence& evidence, const GaussianProcess& process,
                     const std::string& ingredient) {
  const Settings& set = trial.settings();
  const AnalyticDenoiser exact(set.law(), process);
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
  const std::vector<double> variances = variances_of(set.law());
  const std::vector<double> times = reversal_times(process, variances.front(), set.integer("steps"), 3);
  const Tensor start = exact.marginal(1).sample(set.integer("n"), trial.rng().stream("start"));
  compare_with_mixture(evidence, "at the data", end_state(back, start, times, trial.rng().stream("noise")),
                       exact.marginal(0), euler_error(process, variances, times));
}

Setting paths_setting(int64_t usual) {
  return Setting::integer("n", usual, 100, 1'000'000, "paths");
}
Setting steps_setting(int64_t usual) {
  return Setting::integer("steps", usual, 20, 10'000, "steps of Euler-Maruyama");
}

void add_process(Checks& checks, const std::string& name, const GaussianProcess& process,
                 Ingredient ingredient) {
  checks.push_back({.id = "s0.reversal." + name,
                    .source = "S0, Example 12.2",
                    .statement = "Eq. 3 reverses the " + name + " process of a mixture to its law at time 0",
                    .measure = [process, key = ingredient.name](
                                   const Trial& t, Evidence& e) { reverse_process(t, e, process, key); },
                    .ingredients = {ingredient},
                    .settings = {skewed_setting(), paths_setting(10'000), steps_setting(160)}});
}

}  // namespace

void add_s0_reversal(Checks& checks) {
  struct Size {
    int64_t d, n, steps;
  };
  for (const Size& size : {Size{1, 12'000, 160}, {2, 8000, 120}, {16, 2500, 100}}) {
    const bool many = size.d > 2;
    checks.push_back(
        {.id = fmt::format("s0.reversal.brownian-d{}", size.d),
         .source = "S0, Theorem 12.1",
         .statement = fmt::format("Brownian noising of a mixture in R^{}, reversed with its exact "
                                  "score, has the law p_(1-t) and ends at the data's",
                                  size.d),
         .measure = reverse_brownian,
         .ingredients = {{"score", "the reversal runs without the score"},
                         {"start", "the reversal starts from N(0, sigma^2 I), without the data"}},
         .settings = {
             Setting::law([d = size.d] { return course::Laws{modes_in(d)}; }, "two modes",
                          {.least_dimension = many ? 3 : size.d, .most_dimension = many ? 32 : size.d}),
             Setting::real("sigma", 2, 0.1, 30, "deviation of the noise at its end"), paths_setting(size.n),
             steps_setting(size.steps)}});
    if (many)
      checks.back().settings.push_back(
          Setting::integer("dims", size.d, 3, 32, "dimensions, of the usual modes"));
  }
  const Ingredient drift{"drift", "the reversal leaves out -b"};
  add_process(checks, "vp", VariancePreserving{.beta_min = 0.1, .beta_max = 12}, drift);
  add_process(checks, "sub-vp", SubVariancePreserving{.beta_min = 0.1, .beta_max = 12}, drift);
  add_process(checks, "ve", VarianceExploding{.sigma_min = 0.4, .sigma_max = 6},
              {"score", "the reversal runs without the score"});
}

}  // namespace fokker::verify
