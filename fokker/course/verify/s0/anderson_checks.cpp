// S0, Theorem 12.2: the reversal of diffusions whose dispersion depends on the state.
#include <cmath>

#include "fokker/course/problem/known_diffusions.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"

namespace fokker::verify {
namespace {

constexpr double T = 1;

/// A diffusion with a known law.
struct Known {
  Sde sde;
  StateFunction score;
  std::function<Tensor(const Tensor& x, double t)> log_density;
};

Known known(const WarpedLinear& w) {
  return {w.sde(), w.score(), [w](const Tensor& x, double t) { return w.log_density(x, t); }};
}
Known known(const GeometricBrownian& g) {
  return {g.sde(), g.score(), [g](const Tensor& x, double t) { return g.log_density(x, t); }};
}

/// The reversal, without the parts that are left out.
Sde reversal(const Trial& trial, const Known& k) {
  Sde forward = k.sde;
  if (!trial.has("div a")) forward.divergence = [](const Tensor& x, double) { return at::zeros_like(x); };
  const bool scored = trial.has("score");
  return reverse(
      forward,
      [scored, score = k.score](const Tensor& x, double t) {
        return scored ? score(x, t) : at::zeros_like(x);
      },
      T);
}

/// The Kolmogorov forward equation of a diffusion with drift b and diffusion matrix a, at points x, for the
/// density q = exp(l), all derivatives by central differences:
///   dq/dt + sum d_i (b_i q) - 1/2 sum d_i d_j (a_ij q), over q: zero where q is the law.
Tensor forward_residual(const Sde& sde, const StateFunction& log_density, const Tensor& x, double t) {
  const double h = 1e-3;
  const int64_t d = x.size(1);
  const Tensor l = log_density(x, t);
  const auto relative = [&](const Tensor& y, double s) { return (log_density(y, s) - l).exp(); };
  const auto flux = [&](const Tensor& y) { return drift(sde, y, t) * relative(y, t).unsqueeze(1); };
  const auto spread = [&](const Tensor& y) {
    return sde.dispersion.diffusion(y, t) * relative(y, t).reshape({-1, 1, 1});
  };
  const Tensor unit = h * at::eye(d, at::kDouble);
  Tensor residual = (relative(x, t + h) - relative(x, t - h)) / (2 * h);
  for (int64_t i = 0; i < d; ++i) {
    residual += (flux(x + unit[i]) - flux(x - unit[i])).select(1, i) / (2 * h);
    for (int64_t j = 0; j < d; ++j) {
      const auto at = [&](double si, double sj) {
        return spread(x + si * unit[i] + sj * unit[j]).select(1, i).select(1, j);
      };
      residual -= 0.5 * (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * h * h);
    }
  }
  return residual;
}

/// The theorem's other form of the drift: b*_i = b_i - 1/p sum_jk d_j (p sigma_ik sigma_jk), by central
/// differences of p a relative to p.
Tensor drift_by_parts(const Known& k, const Tensor& x, double t) {
  const double h = 1e-4;
  const Tensor l = k.log_density(x, t);
  const auto spread = [&](const Tensor& y) {
    return k.sde.dispersion.diffusion(y, t) * (k.log_density(y, t) - l).exp().reshape({-1, 1, 1});
  };
  Tensor b = drift(k.sde, x, t).clone();
  const Tensor unit = h * at::eye(x.size(1), at::kDouble);
  for (int64_t j = 0; j < x.size(1); ++j)
    b -= (spread(x + unit[j]) - spread(x - unit[j])).select(2, j) / (2 * h);
  return b;
}

/// The reversal's forward equation holds for q_t = p_{T-t}, pointwise, and its drift is -b*.
void forward_equation(const Trial& trial, Evidence& evidence, const Known& k, const Tensor& x) {
  const Sde back = reversal(trial, k);
  const StateFunction density = [&](const Tensor& y, double t) { return k.log_density(y, T - t); };
  for (const double t : {0.2, 0.5, 0.8})
    evidence.equal(fmt::format("largest residual at t = {}", t),
                   {forward_residual(back, density, x, t).abs().max().item<double>(), 0}, 0, 1e-3);
  for (const double t : {0.2, 0.5, 0.8}) {
    const Tensor expected = -drift_by_parts(k, x, T - t);
    evidence.equal(fmt::format("largest error of the drift by derivatives of p a at t = {}, relative", t),
                   {((drift(back, x, t) - expected) / (1 + expected.abs())).abs().max().item<double>(), 0}, 0,
                   1e-5);
  }
}

void forward_equation_warped(const Trial& trial, Evidence& evidence) {
  const WarpedLinear w;
  forward_equation(trial, evidence, known(w), w.to_x(normal_quadrature(2, 7, 1.5).x));
}

void forward_equation_geometric(const Trial& trial, Evidence& evidence) {
  const GeometricBrownian g{.mu = trial.settings().real("mu"), .sigma = trial.settings().real("sigma")};
  forward_equation(trial, evidence, known(g), normal_quadrature(1, 21, 1).x.exp());
}

/// The states at the given steps (increasing, the start is 0) of the reversal, or without its noise of the
/// probability flow, which has the same marginals.
std::vector<Tensor> reversed_states(const Trial& trial, const Known& k, const Tensor& start, int64_t steps,
                                    const std::vector<int64_t>& seen, std::optional<SdeMethod> method = {}) {
  if (trial.has("noise"))
    return states_at(reversal(trial, k), start, uniform_times(0, T, steps), seen, trial.rng().stream("noise"),
                     method);
  std::vector<Tensor> states;
  simulate(probability_flow(k.sde, k.score), start, uniform_times(T, 0, steps),
           {.method = {}, .noise = {}, .observer = [&](const SdeState& s) {
              if (std::find(seen.begin(), seen.end(), s.step) != seen.end()) states.push_back(s.x);
            }});
  return states;
}

/// y = (arsinh, ...)(x) of the reversed warped diffusion is the linear diffusion backwards: moments at three
/// times, and the covariances between times, Cov(y(t), y(s)) = exp(A (t - s)) Cov y(s).
void simulate_warped(const Trial& trial, Evidence& evidence) {
  const WarpedLinear w;
  const int64_t n = 8000, steps = 80;
  const Tensor start = w.to_x(w.sample_y(T, n, trial.rng().stream("start")));
  const std::vector<double> at{T, T / 2, 0};
  std::vector<Tensor> y = reversed_states(trial, known(w), start, steps, {0, steps / 2, steps});
  for (Tensor& state : y) state = w.to_y(state);
  for (size_t k = 0; k < 3; ++k)
    for (int64_t i = 0; i < 2; ++i) {
      evidence.equal(fmt::format("E y{} at time {}", i + 1, at[k]), mean_of(y[k].select(1, i)),
                     w.mean(at[k])[i].item<double>(), 0.005);
      for (size_t l = k; l < 3; ++l)
        for (int64_t j = 0; j < 2; ++j)
          evidence.equal(fmt::format("Cov(y{}({}), y{}({}))", i + 1, at[k], j + 1, at[l]),
                         covariance_of(y[k].select(1, i), y[l].select(1, j)),
                         w.y.cross_covariance(at[k], at[l], w.covariance0)[i][j].item<double>(), 0.005);
    }
}

/// Log x of the reversed geometric Brownian motion is normal, with covariance log_variance(min(s, t)) between
/// times: the law of the path and not of its marginals alone. With the probability flow instead of the noise
/// the marginals are right and the path is not.
void simulate_geometric(const Trial& trial, Evidence& evidence) {
  const GeometricBrownian g{.mu = trial.settings().real("mu"), .sigma = trial.settings().real("sigma")};
  const int64_t n = trial.settings().integer("n"), steps = 80;
  const Tensor start = g.sample(T, n, trial.rng().stream("start"));
  const std::vector<double> at{T, 0.75 * T, 0.5 * T, 0};
  std::vector<Tensor> y =
      reversed_states(trial, known(g), start, steps, {0, steps / 4, steps / 2, steps}, SdeMethod::milstein);
  for (Tensor& x : y) x = x.squeeze(1).log();
  for (size_t i = 0; i < 4; ++i) {
    evidence.equal(fmt::format("E log x at time {}", at[i]), mean_of(y[i]), g.log_mean(at[i]), 0.003);
    for (size_t j = i; j < 4; ++j)
      evidence.equal(fmt::format("Cov(log x) between times {} and {}", at[i], at[j]),
                     covariance_of(y[i], y[j]), g.log_variance(at[j]), 0.003);
  }
}

}  // namespace

void add_s0_anderson(Checks& checks) {
  const Ingredient divergence{"div a", "the reversal leaves out the divergence of a = sigma sigma^T"};
  const Ingredient score{"score", "the reversal leaves out a grad log p"};
  const Ingredient noise{"noise", "the probability flow runs backwards in place of the reversal"};
  const auto add = [&](const char* id, const char* statement, auto measure,
                       const std::vector<Ingredient>& ingredients,
                       const std::vector<Setting>& settings = {}) {
    checks.push_back({.id = std::string("s0.anderson.") + id,
                      .source = "S0, Theorem 12.2",
                      .statement = statement,
                      .measure = measure,
                      .ingredients = ingredients,
                      .settings = settings});
  };
  const auto geometric = [](double mu, double sigma, double most) {
    return std::vector<Setting>{Setting::real("mu", mu, -1, 1, "the rate in dx = mu x dt + sigma x dB"),
                                Setting::real("sigma", sigma, 0.2, most, "its noise")};
  };
  add("forward-equation-warped",
      "The reversal of a diffusion with a full, state-dependent sigma satisfies the forward equation of "
      "p_(T-t)",
      forward_equation_warped, {divergence, score});
  add("forward-equation-geometric",
      "The reversal of geometric Brownian motion satisfies the forward equation of p_(T-t)",
      forward_equation_geometric, {divergence, score}, geometric(0.3, 0.5, 0.8));
  add("warped",
      "The simulated reversal of a diffusion with a full, state-dependent sigma has the law of the path",
      simulate_warped, {divergence, score, noise});
  std::vector<Setting> path = geometric(0.3, 0.5, 0.5);
  path.push_back(Setting::integer("n", 20'000, 500, 500'000, "paths"));
  add("geometric", "The simulated reversal of geometric Brownian motion has the law of the path backwards",
      simulate_geometric, {divergence, score, noise}, path);
}

}  // namespace fokker::verify
