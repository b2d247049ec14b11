// S0, Example 12.3 in the plane and eq. 7: what the law of a path shows and its marginals do not.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"

namespace fokker::verify {
namespace {

/// dY = (I + turn J) grad log pi dt + sqrt(2) dB with J = [[0, -1], [1, 0]]: since J grad log pi has no flux
/// through the level sets of pi, pi stays the law whatever the turn, but only at 0 is Y reversible.
Sde turning_langevin(const GaussianMixture& target, double turn) {
  return langevin(
      [=](const Tensor& x) {
        const Tensor s = target.score(x);
        return s + turn * at::stack({-s.select(1, 1), s.select(1, 0)}, 1);
      },
      2);
}

/// E f(X_0) g(X_t) = E g(X_0) f(X_t) for all f and g, by the difference of the two along each path. On a line
/// it holds for every diffusion in equilibrium, so it is asked in the plane.
void reversible_plane(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& target = trial.settings().law();
  const int64_t n = trial.settings().integer("n"), steps = 80;
  const Tensor start = target.sample(n, trial.rng().stream("start"));
  const Sde sde = turning_langevin(target, trial.has("gradient") ? 0 : 1);
  // To t = 0.4 where the smallest variance along an axis is the usual law's, 0.24.
  const double unit = variances_of(target).front() / variances_of(tilted_mixture()).front(),
               scale = std::max(1.0, target.mean_square()) * std::max(1.0, unit);
  const Tensor end = end_state(sde, start, uniform_times(0, 0.4 * unit, steps), trial.rng().stream("noise"));
  using Value = std::function<Tensor(const Tensor& x)>;
  const Value x1 = [](const Tensor&x) { return x.select(1, 0); },
              x2 = [](const Tensor&x) { return x.select(1, 1); },
              square = [](const Tensor&x) { return 0.5 * x.select(1, 1).square(); },
              wave = [](const Tensor&x) { return (2 * x.select(1, 0)).sin(); };
  const std::vector<std::tuple<std::string, Value, Value>> pairs = {
      {"x_1 and x_2", x1, x2}, {"x_1 and x_2^2 / 2", x1, square}, {"sin 2 x_1 and x_2", wave, x2}};
  // The allowance is the bias of 80 Euler steps, which are not quite reversible themselves.
  for (const auto& [name, f, g] : pairs)
    evidence.equal("E f(X_0) g(X_t) - E g(X_0) f(X_t) for " + name,
                   mean_difference(f(start) * g(end), g(start) * f(end)), 0, 0.004 * scale);
  // The law at one time tells nothing: it is pi with and without the turn.
  for (int64_t i = 0; i < 2; ++i)
    evidence.equal(fmt::format("E x_{} at t", i + 1), mean_of(end.select(1, i)),
                   target.mean()[i].item<double>(), 0.01 * scale);
}

/// The reversal of Brownian noising, or the probability flow, which has the same marginals: the states at the
/// given steps.
std::vector<Tensor> noising_backwards(const GaussianMixture& target, double sigma, const Tensor& start,
                                      const std::vector<double>& times, const std::vector<int64_t>& seen,
                                      bool noisy, const Rng& rng) {
  const StateFunction score = [&](const Tensor& x, double t) {
    return target.noised(1, sigma * std::sqrt(t)).score(x);
  };
  const Sde forward = brownian_motion(1, sigma);
  if (noisy) return states_at(reverse(forward, score, 1.0), start, times, seen, rng);
  std::vector<double> back;
  back.reserve(times.size());
  for (const double t : times) back.push_back(1 - t);
  std::vector<Tensor> states;
  simulate(probability_flow(forward, score), start, back,
           {.method = {}, .noise = {}, .observer = [&](const SdeState& s) {
              if (std::find(seen.begin(), seen.end(), s.step) != seen.end()) states.push_back(s.x);
            }});
  return states;
}

/// Eq. 7 along reversed paths: given X_1 at the end of a path, X_t is N(X_1, sigma^2 (1 - t)). So D = (X_t -
/// X_1) / (sigma sqrt(1 - t)) is N(0, 1) and independent of X_1.
void noise_of_reversed_path(const Trial& trial, Evidence& evidence) {
  const Settings& set = trial.settings();
  const GaussianMixture& target = set.law();
  const double sigma = set.real("sigma"), variance = target.covariance().item<double>();
  const int64_t n = set.integer("n"), steps = set.integer("steps");
  const GaussianProcess process(Brownian{.sigma = sigma});
  const std::vector<double> variances = variances_of(target);
  const std::vector<double> times = reversal_times(process, variances.front(), steps);
  const double error = euler_error(process, variances, times);
  const std::vector<int64_t> seen{0, steps / 8, steps / 4, steps};
  const Tensor start = target.noised(1, sigma).sample(n, trial.rng().stream("start"));
  const auto states =
      noising_backwards(target, sigma, start, times, seen, trial.has("noise"), trial.rng().stream("noise"));
  const Tensor end = states.back().squeeze(1), centred = (end - target.mean()) / std::sqrt(variance);
  for (size_t i = 0; i + 1 < seen.size(); ++i) {
    const double t = times[static_cast<size_t>(seen[i])], deviation = sigma * std::sqrt(1 - t);
    const Tensor D = (states[i].squeeze(1) - end) / deviation;
    const std::string at = fmt::format(" at t = {:.3g}", t);
    evidence.equal("variance of (X_t - X_1) / (sigma sqrt(1 - t))" + at, variance_of(D), 1, 2 * error);
    evidence.same_law("Kolmogorov's distance of it from N(0, 1)" + at,
                      kolmogorov_smirnov(D, normal_distribution),
                      0.24 * error * std::sqrt(static_cast<double>(n)));
    evidence.equal("its correlation with X_1" + at, covariance_of(D, centred), 0, 2 * error);
    evidence.equal("covariance of its square and X_1" + at, covariance_of(D.square(), centred), 0, 2 * error);
    evidence.equal("covariance of it and X_1^2" + at, covariance_of(D, centred.square()), 0, 2 * error);
  }
}

}  // namespace

void add_s0_path(Checks& checks) {
  checks.push_back(
      {.id = "s0.langevin.reversible-plane",
       .source = "S0, Example 12.3",
       .statement = "A Langevin diffusion in the plane, in equilibrium, has the same law backwards",
       .measure = reversible_plane,
       .ingredients = {{"gradient", "the drift turns, b + J grad log pi: the same pi, not reversible"}},
       .settings = {tilted_setting(plane_limits), Setting::integer("n", 20'000, 500, 500'000, "paths")}});
  checks.push_back(
      {.id = "s0.reversal.joint-law",
       .source = "S0, eq. 7",
       .statement = "Along reversed paths X_t - X_1 is N(0, sigma^2 (1 - t)), independent of X_1",
       .measure = noise_of_reversed_path,
       .ingredients = {{"noise", "the probability flow runs backwards: the same marginals"}},
       .settings = {skewed_setting(), Setting::real("sigma", 2, 0.1, 30, "deviation of the noise at its end"),
                    Setting::integer("n", 12'000, 100, 1'000'000, "paths"),
                    Setting::integer("steps", 160, 40, 10'000, "steps of Euler-Maruyama")}});
}

}  // namespace fokker::verify
