// S0, Example 12.3 (Langevin diffusions are reversible) and Remark 12.1 (the infinitesimal moments).
#include <cmath>

#include "fokker/course/problem/known_diffusions.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"

namespace fokker::verify {
namespace {

/// The joint law of the ends of a path that starts at equilibrium, against the spectrum of the Langevin
/// diffusion, which is made of the log density alone: E f(X_0) g(X_t) = E g(X_0) f(X_t).
void compare_joint_law(Evidence& evidence, const std::string& what, const Tensor& x0, const Tensor& xt,
                       const LangevinSpectrum& spectrum, const Tensor& grid, double t, double allowance) {
  const auto compare = [&](const std::string& name, const std::function<Tensor(const Tensor&)>& f,
                           const std::function<Tensor(const Tensor&)>& g) {
    evidence.equal(what + ": " + name, mean_of(f(x0.squeeze(1)) * g(xt.squeeze(1))),
                   spectrum.correlation(f(grid), g(grid), t), allowance);
  };
  const auto square = [](const Tensor& v) { return 0.5 * v.square(); };
  const auto itself = [](const Tensor& v) { return v; };
  compare("E X_0 X_t", itself, itself);
  compare("E X_0 X_t^2 / 2", itself, square);
  compare("E X_0^2 X_t / 2", square, itself);
}

void langevin_reversed(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& target = trial.settings().law();
  // In units of the smallest variance, 1/4 of the usual law: the time and the bias of 80 Euler steps, which
  // add h / 2 to a variance.
  const double unit = variances_of(target).front(), t = 2 * unit;
  const int64_t n = trial.settings().integer("n"), steps = 80;
  const double allowance = 0.012 * std::max(1.0, target.mean_square() / 3) * std::max(1.0, unit / 0.25);
  const Line whole = line_over(target);
  const Tensor grid = whole.x;
  const LangevinSpectrum spectrum(grid, target.log_density(grid.unsqueeze(1)));
  const Sde forward = langevin([&](const Tensor& x) { return target.score(x); }, 1);
  const StateFunction score = [&](const Tensor& x, double) {
    return trial.has("score") ? target.score(x) : at::zeros_like(x);
  };
  const Tensor start =
      trial.has("equilibrium")
          ? target.sample(n, trial.rng().stream("start"))
          : std::sqrt(target.mean_square() + 1) * trial.rng().stream("start").normal({n, 1}, {}, at::kDouble);
  const std::vector<double> times = uniform_times(0, t, steps);
  for (const auto& [name, sde] : {std::pair{"forwards", forward}, {"reversed", reverse(forward, score, t)}})
    compare_joint_law(evidence, name, start, end_state(sde, start, times, trial.rng().stream(name)), spectrum,
                      grid, t, allowance);
}

/// J v with J = [[0, -1], [1, 0]]; nothing on the line, where nothing turns.
Tensor turned(const Tensor& v) {
  return v.size(1) == 1 ? at::zeros_like(v) : at::stack({-v.select(1, 1), v.select(1, 0)}, 1);
}

/// Pointwise: -b + 2 grad log pi = b.
void same_drift(const Trial& trial, Evidence& evidence) {
  for (const GaussianMixture& target : trial.settings().laws()) {
    const int64_t d = target.dimension();
    Sde forward = langevin([&](const Tensor& x) { return target.score(x); }, d);
    if (!trial.has("gradient"))
      forward.drift = [&](const Tensor& x, double) { return target.score(x) + turned(target.score(x)); };
    const double share = trial.has("both") ? 1 : 0.5;
    const Sde back = reverse(
        forward, [&](const Tensor& x, double) { return share * target.score(x); }, 2.0);
    const Tensor x = normal_quadrature(d, 9, 3).x;
    const Tensor there = drift(forward, x, 0.7);
    evidence.equal(fmt::format("largest difference of the drifts, d = {}", d),
                   {((drift(back, x, 0.7) - there) / (1 + there.abs())).abs().max().item<double>(), 0}, 0,
                   1e-12);
    evidence.equal(fmt::format("noise of the reversal, d = {}", d),
                   {back.dispersion.value(x, 0.7).item<double>(), 0}, std::sqrt(2.0), 1e-12);
  }
}

/// The limit of m(h) / h at h -> 0 by two steps of Richardson's extrapolation.
Tensor rate(const std::function<Tensor(double h)>& m, double h) {
  const Tensor a = m(h) / h, b = m(h / 2) / (h / 2), c = m(h / 4) / (h / 4);
  const Tensor ab = 2 * b - a, bc = 2 * c - b;
  return (4 * bc - ab) / 3;
}

void compare_rows(Evidence& evidence, const std::string& what, const Tensor& measured, const Tensor& expected,
                  double allowance) {
  evidence.equal(what + ": largest difference", {(measured - expected).abs().max().item<double>(), 0}, 0,
                 allowance);
}

/// Remark 12.1, eq. 4 for a diffusion with state-dependent noise: E[X_{t+h} - x | x] / h -> b and E[(X_{t+h}
/// - x)(...)^T | x] / h -> a, by quadrature over the exact transition of y.
void forward_moments(const Trial& trial, Evidence& evidence) {
  const WarpedLinear w;
  const Tensor y = normal_quadrature(2, 5, 1).x, x = w.to_x(y);
  const Quadrature z = normal_quadrature(2, 21, 7);
  const auto moments = [&](double h) {
    const LinearTransition step = w.y.transition(h);
    const Tensor mean = y.matmul(step.F.t()) + step.offset;
    const Tensor next = mean.unsqueeze(1) + z.x.matmul(at::linalg_cholesky(step.Q).t());
    const Tensor move = w.to_x(next.reshape({-1, 2})).reshape({y.size(0), -1, 2}) - x.unsqueeze(1);
    const Tensor weights = z.weights.reshape({1, -1, 1});
    return std::pair{(weights * move).sum(1), (weights * move).transpose(1, 2).matmul(move)};
  };
  // A function of both components, its gradient and its second derivatives: f = sin(x_1 + x_2 / 2).
  const Tensor direction = at::tensor({1.0, 0.5}, at::kDouble), phase = x.matmul(direction);
  const auto mean_change = [&](double h) {
    const LinearTransition step = w.y.transition(h);
    const Tensor next =
        (y.matmul(step.F.t()) + step.offset).unsqueeze(1) + z.x.matmul(at::linalg_cholesky(step.Q).t());
    const Tensor value = w.to_x(next.reshape({-1, 2})).matmul(direction).sin().reshape({y.size(0), -1});
    return (z.weights * (value - phase.sin().unsqueeze(1))).sum(1);
  };
  Sde sde = w.sde();
  if (!trial.has("ito")) {
    // The chain rule of ordinary calculus: the drift of x without the second derivatives of the map.
    const double h = 1e-5;
    sde.drift = [&w, h](const Tensor& at_x, double t) {
      const Tensor v = w.to_y(at_x), f = w.y.sde().drift(v, t);
      return (w.to_x(v + h * f) - w.to_x(v - h * f)) / (2 * h);
    };
  }
  compare_rows(evidence, "E[X_(t+h) - x] / h and b", rate([&](double h) { return moments(h).first; }, 0.01),
               drift(sde, x, 0.0), 1e-5);
  compare_rows(evidence, "E[(X_(t+h) - x)^2] / h and a",
               rate([&](double h) { return moments(h).second; }, 0.01), sde.dispersion.diffusion(x, 0.0),
               1e-5);
  const Tensor along = drift(sde, x, 0.0).matmul(direction),
               spread = (sde.dispersion.diffusion(x, 0.0).matmul(direction) * direction).sum(1);
  compare_rows(evidence, "eq. 4, E[f(X_(t+h)) - f(x)] / h for f = sin(x_1 + x_2/2) and its generator",
               rate(mean_change, 0.01), along * phase.cos() - 0.5 * spread * phase.sin(), 1e-5);
}

/// Remark 12.1, eqs. 5 and 6: given Y_t = x, the density of Y_{t-h} is p_{t-h}(y) p(x | y) up to a constant.
void backward_moments(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& start = trial.settings().law();
  const double t = 0.4, sigma = 0.9;
  const LinearSde ou(-at::ones({1, 1}, at::kDouble), at::full({1, 1}, sigma, at::kDouble));
  const auto law = [&](double s) {
    const LinearTransition step = ou.transition(s);
    return start.noised(step.F.item<double>(), step.Q.sqrt().item<double>());
  };
  const Tensor x = at::linspace(-2, 2, 9, at::kDouble).unsqueeze(1);
  const auto mean_change = [&](const std::function<Tensor(const Tensor&)>& f) {
    return [&, f](double h) {
      const LinearTransition step = ou.transition(h);
      const double F = step.F.item<double>(), Q = step.Q.item<double>();
      const Tensor y = x / F + at::linspace(-10, 10, 401, at::kDouble) * std::sqrt(Q) / F;
      const Tensor log_weights =
          law(t - h).log_density(y.reshape({-1, 1})).reshape(y.sizes()) - (x - F * y).square() / (2 * Q);
      return (at::softmax(log_weights, 1) * (f(y) - f(x))).sum(1);
    };
  };
  const StateFunction score = [&](const Tensor& y, double s) {
    return trial.has("score") ? law(s).score(y) : at::zeros_like(y);
  };
  const Sde back = reverse(ou.sde(), score, 1.0);
  const Tensor b = drift(back, x, 1 - t).squeeze(1);
  const auto square_from_x = [&](double h) {
    return mean_change([](const Tensor& y) { return y.square(); })(h) -
           2 * x.squeeze(1) * mean_change([](const Tensor& y) { return y; })(h);
  };
  compare_rows(evidence, "E[Y_(t-h) - x] / h and the reversed drift",
               rate(mean_change([](const Tensor& y) { return y; }), 0.01), b, 1e-4);
  compare_rows(evidence, "E[(Y_(t-h) - x)^2] / h and sigma^2", rate(square_from_x, 0.01),
               at::full_like(b, sigma * sigma), 1e-4);
  const Tensor v = x.squeeze(1);
  compare_rows(evidence, "E[sin Y_(t-h) - sin x] / h and the generator",
               rate(mean_change([](const Tensor& y) { return y.sin(); }), 0.01),
               b * v.cos() - 0.5 * sigma * sigma * v.sin(), 1e-4);
}

}  // namespace

void add_s0_langevin(Checks& checks) {
  checks.push_back(
      {.id = "s0.langevin.joint-law",
       .source = "S0, Example 12.3",
       .statement = "A Langevin diffusion on the line and its reversal have the law that pi alone gives",
       .measure = langevin_reversed,
       .ingredients = {{"score", "the reversal runs without the score"},
                       {"equilibrium", "the paths start away from equilibrium"}},
       .settings = {skewed_setting({.least_deviation = 0.2, .most_deviation = 1.5, .reach = 5}),
                    Setting::integer("n", 20'000, 500, 500'000, "paths")}});
  checks.push_back({.id = "s0.langevin.drift",
                    .source = "S0, Example 12.3",
                    .statement = "The reversal of a Langevin diffusion follows the same SDE",
                    .measure = same_drift,
                    .ingredients = {{"both", "the reversal takes half the score: a = I and not 2 I"},
                                    {"gradient", "the drift turns: b + J grad log pi"}},
                    .settings = {skewed_and_tilted_setting({.most_dimension = 2})}});
  checks.push_back(
      {.id = "s0.remark.forward",
       .source = "S0, Remark 12.1",
       .statement = "E[X_(t+h) - x]/h -> b and E[(X_(t+h) - x)(X_(t+h) - x)^T]/h -> a",
       .measure = forward_moments,
       .ingredients = {{"ito", "the drift of a mapped diffusion leaves out the second derivatives"}}});
  checks.push_back(
      {.id = "s0.remark.backward",
       .source = "S0, Remark 12.1",
       .statement = "E[Y_(t-h) - x]/h -> -b + sigma^2 grad log p_t and E[(Y_(t-h) - x)^2]/h -> sigma^2",
       .measure = backward_moments,
       .ingredients = {{"score", "the reversal leaves out sigma^2 grad log p_t"}},
       .settings = {skewed_setting({.least_deviation = 0.4, .most_deviation = 1.5, .reach = 2.5})}});
}

}  // namespace fokker::verify
