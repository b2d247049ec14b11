// S0, Example 12.1 and Exercise 12.1: the reversal of Brownian noising of N(0, 1) is linear, so it is solved.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/sde/scalar_linear_sde.h"

namespace fokker::verify {
namespace {

double variance_at(double sigma, double t) {
  return sigma * sigma * (1 - t) + 1;
}

/// Example 12.1: dX = A_t X dt + sigma dB with A_t = -sigma^2 / (sigma^2 (1 - t) + 1), Phi_t = exp int A.
ScalarLinearSde example(double sigma) {
  return {.rate = [sigma](double t) { return -sigma * sigma / variance_at(sigma, t); },
          .dispersion = [sigma](double) { return sigma; },
          .phi = [sigma](double t) { return variance_at(sigma, t) / variance_at(sigma, 0); }};
}

/// The reversal that the library makes of Brownian noising of N(0, 1), with Phi solved by Runge-Kutta.
Sde reversal(double sigma) {
  const GaussianMixture data = GaussianMixture::standard_normal(1);
  const StateFunction score = [=](const Tensor& x, double t) {
    return data.noised(1, sigma * std::sqrt(t)).score(x);
  };
  return reverse(brownian_motion(1, sigma), score, 1.0);
}

/// The exact solution's variance, Phi_t^2 (Var X_0 + sigma^2 int Phi^-2 ds), and Phi itself.
void exact_law(const Trial& trial, Evidence& evidence) {
  const double chosen = trial.settings().real("sigma");
  for (const double sigma : {0.25 * chosen, chosen, 5 * chosen}) {
    ScalarLinearSde solution = example(sigma);
    if (!trial.has("isometry")) solution.noise_integral = [sigma](double t) { return sigma * sigma * t; };
    // The mean of a linear diffusion moves by Phi: the reversal's drift alone, by Runge-Kutta.
    Sde mean = reversal(sigma);
    mean.dispersion = {};
    const std::vector<double> times{0, 0.2, 0.5, 0.9, 1};
    Tensor moved = at::ones({1, 1}, at::kDouble);
    for (size_t i = 1; i < times.size(); ++i) {
      const std::string at = fmt::format(" at sigma = {}, t = {}", sigma, times[i]);
      evidence.equal("variance" + at, {solution.variance(times[i], 1 + sigma * sigma), 0},
                     variance_at(sigma, times[i]), 1e-5);
      moved = simulate(mean, moved, uniform_times(times[i - 1], times[i], 60));
      evidence.equal("Phi" + at, {moved.item<double>(), 0}, solution.phi(times[i]), 1e-6);
    }
  }
}

/// Var(int Phi^-1 dB) = int Phi^-2 ds = (s^2 + 1)^2 / s^2 (1 / (s^2 (1 - t) + 1) - 1 / (s^2 + 1)).
void ito_isometry(const Trial& trial, Evidence& evidence) {
  const double sigma = trial.settings().real("sigma"), h = 1.0 / 64;
  const int64_t n = trial.settings().integer("n");
  const ScalarLinearSde solution = example(sigma);
  const auto integrand = [&](double s) {
    return trial.has("inverse") ? 1 / solution.phi(s) : solution.phi(s);
  };
  const auto closed_form = [&](double t) {
    const double s = sigma * sigma;
    return std::pow(s + 1, 2) / s * (1 / variance_at(sigma, t) - 1 / (s + 1));
  };
  const WienerIncrements increments = wiener_increments(trial.rng());
  Tensor integral = at::zeros({n, 1}, at::kDouble);
  for (int64_t i = 0; i < 64; ++i) {
    const double s = static_cast<double>(i) * h;
    integral += integrand(s + 0.5 * h) * increments({n, 1}, {0, i, s, s + h});
    if (i % 16 == 15)
      evidence.equal(fmt::format("variance of the integral at t = {}", s + h),
                     variance_of(integral.squeeze(1)), closed_form(s + h), 1e-3 * closed_form(s + h));
  }
}

/// Along one Brownian path Euler-Maruyama's X_t and Phi_t (X_0 + sigma int Phi^-1 dB) differ by O(h).
void same_path(const Trial& trial, Evidence& evidence) {
  const double sigma = trial.settings().real("sigma");
  const int64_t n = trial.settings().integer("n"), fine = 256;
  const ScalarLinearSde solution = example(sigma);
  const BrownianPath path(trial.rng(), 1.0, fine);
  const Tensor start =
      std::sqrt(1 + sigma * sigma) * trial.rng().stream("start").normal({n, 1}, {}, at::kDouble);
  Tensor integral = at::zeros({n, 1}, at::kDouble);
  for (int64_t i = 0; i < fine; ++i) {
    const double s = static_cast<double>(i) / fine, h = 1.0 / fine;
    const double integrand = trial.has("inverse") ? 1 / solution.phi(s + 0.5 * h) : solution.phi(s + 0.5 * h);
    integral += integrand * path.increment({n, 1}, {0, i, s, s + h});
  }
  const Tensor exact = solution.phi(1) * (start + sigma * integral);
  const auto error = [&](int64_t steps) {
    const Tensor x = simulate(reversal(sigma), start, uniform_times(0, 1, steps),
                              {.method = {}, .noise = path.increments(), .observer = {}});
    return std::sqrt((x - exact).square().mean().item<double>());
  };
  const double coarse = error(32), half = error(64);
  evidence.equal("root mean square distance with 64 steps", {half, 0}, 0, 0.1);
  evidence.equal("distance with 32 steps over that with 64", {coarse / half, 0}, 2, 0.25);
}

/// Exercise 12.1: X_t ~ N(0, sigma^2 (1 - t) + 1).
void law_in_time(const Trial& trial, Evidence& evidence) {
  const double sigma = trial.settings().real("sigma");
  const int64_t n = trial.settings().integer("n"), steps = trial.settings().integer("steps");
  const GaussianProcess process(Brownian{.sigma = sigma});
  const std::vector<double> times = reversal_times(process, 1, steps);
  const double error = euler_error(process, {1}, times);
  Sde back = reversal(sigma);
  if (!trial.has("score")) back.drift = [](const Tensor& x, double) { return at::zeros_like(x); };
  const Tensor start =
      std::sqrt(variance_at(sigma, 0)) * trial.rng().stream("start").normal({n, 1}, {}, at::kDouble);
  const std::vector<int64_t> chosen{steps / 10, steps / 4, steps / 2, steps * 3 / 4, steps};
  const auto states = states_at(back, start, times, chosen, trial.rng().stream("noise"));
  for (size_t i = 0; i < chosen.size(); ++i) {
    const double t = times[static_cast<size_t>(chosen[i])], v = variance_at(sigma, t);
    const Tensor x = states[i].squeeze(1);
    evidence.equal(fmt::format("variance at t = {:.3g}", t), variance_of(x), v, error * v);
    evidence.same_law(fmt::format("Kolmogorov's distance from the normal law at t = {:.3g}", t),
                      kolmogorov_smirnov(x / std::sqrt(v), normal_distribution),
                      0.12 * error * std::sqrt(static_cast<double>(n)));
  }
}

}  // namespace

void add_s0_linear(Checks& checks) {
  const auto sigma_setting = [](double usual, double least, double most) {
    return Setting::real("sigma", usual, least, most, "sigma of Example 12.1");
  };
  const Setting paths = Setting::integer("n", 40'000, 100, 1'000'000, "paths");
  const Ingredient inverse{"inverse", "the stochastic integral is over Phi and not over its inverse"};
  checks.push_back(
      {.id = "s0.linear.law",
       .source = "S0, Example 12.1",
       .statement = "The exact solution has the variance sigma^2 (1 - t) + 1, and Phi_t that of the drift",
       .measure = exact_law,
       .ingredients = {{"isometry", "the integral's variance is sigma^2 t, without Phi_s^-2 under it"}},
       .settings = {sigma_setting(2, 0.1, 2)}});
  checks.push_back({.id = "s0.linear.ito-isometry",
                    .source = "S0, Example 12.1",
                    .statement = "Var(int Phi^-1 dB) = int Phi^-2 ds along simulated Brownian paths",
                    .measure = ito_isometry,
                    .ingredients = {inverse},
                    .settings = {sigma_setting(2, 0.3, 2.5), paths}});
  checks.push_back(
      {.id = "s0.linear.path",
       .source = "S0, Example 12.1",
       .statement = "The simulated reversal follows Phi_t (X_0 + sigma int Phi^-1 dB) path by path",
       .measure = same_path,
       .ingredients = {inverse},
       .settings = {sigma_setting(2, 0.3, 2.5), Setting::integer("n", 2000, 100, 200'000, "paths")}});
  checks.push_back(
      {.id = "s0.linear.exercise",
       .source = "S0, Exercise 12.1",
       .statement = "X_t ~ N(0, sigma^2 (1 - t) + 1) for every t",
       .measure = law_in_time,
       .ingredients = {{"score", "the diffusion runs without its drift"}},
       .settings = {sigma_setting(3, 0.1, 30), Setting::integer("n", 12'000, 100, 1'000'000, "paths"),
                    Setting::integer("steps", 200, 40, 10'000, "steps of Euler-Maruyama")}});
}

}  // namespace fokker::verify
