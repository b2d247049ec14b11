// S3, 3.3: what the conversion of an SDE to an ODE enables: solvers, encoding, log-likelihood; and that the
// two have the same laws in the plane, where a flow does not keep quantiles.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/mixture_comparison.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/evaluate/likelihood.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ode/probability_flow.h"

namespace fokker::verify {
namespace {

const GaussianProcess& ode_process() {
  static const GaussianProcess process = VariancePreserving{.beta_min = 0.1, .beta_max = 12.0};
  return process;
}

const LineMixture& ode_data() {
  static const LineMixture law({0.3, 0.7}, {-1.5, 1}, {0.3, 0.4});
  return law;
}

/// F_t(x), the distribution function of x_t.
Tensor rank_at(const LineMixture& data, const Tensor& x, double t) {
  return data.distribution(x, ode_process().alpha(t), ode_process().sigma(t));
}

/// Mean and deviation of x_t: n places from so many deviations below to as many above.
Tensor places_at(const LineMixture& data, double t, double deviations, int64_t n) {
  const double a = ode_process().alpha(t), s = ode_process().sigma(t);
  return a * data.mean() +
         deviations * std::sqrt(a * a * data.variance() + s * s) * at::linspace(-1, 1, n, at::kDouble);
}

/// The point of each rank at time t, by bisection: on a line the flow keeps ranks, so this is the exact flow.
Tensor point_of_rank(const LineMixture& data, const Tensor& ranks, double t) {
  Tensor low = at::full_like(ranks, -30), high = at::full_like(ranks, 30);
  for (int i = 0; i < 80; ++i) {
    const Tensor middle = 0.5 * (low + high), above = rank_at(data, middle, t) > ranks;
    high = at::where(above, middle, high);
    low = at::where(above, low, middle);
  }
  return 0.5 * (low + high);
}

/// "Use of advanced ODE solvers": Euler, Heun and Runge-Kutta from t = 0.9 to 0.1 with their orders.
void solvers(const Trial& trial, Evidence& evidence) {
  const LineMixture data = LineMixture::of(trial.settings().law());
  const AnalyticDenoiser exact(data.mixture(), ode_process());
  const Tensor start = places_at(data, 0.9, 2.5, 21), ranks = rank_at(data, start, 0.9);
  const Tensor end = point_of_rank(data, ranks, trial.has("end") ? 0.1 : 0.11);
  const auto compare = [&](const Sampler& sampler, double order) {
    const std::vector<int64_t> counts = {80, 160, 320};
    std::vector<double> steps, errors;
    for (const int64_t n : counts) {
      const Tensor x =
          integrate(exact, sampler, TimeGrid::uniform(n, {.start = 0.9, .end = 0.1}), start.unsqueeze(1)).x;
      steps.push_back(1 / static_cast<double>(n));
      errors.push_back((x.flatten() - end).square().mean().sqrt().item<double>());
    }
    evidence.equal("order of " + sampler.name(), {observed_order(steps, errors)}, order, 0.15);
  };
  compare(Euler(), 1);
  compare(Heun(), 2);
  compare(RungeKutta4(), 4);
}

/// "Deterministic encoding and generation": data goes to the code of its rank and comes back.
void encoding(const Trial& trial, Evidence& evidence) {
  const LineMixture data = LineMixture::of(trial.settings().law());
  const AnalyticDenoiser exact(data.mixture(), ode_process());
  const Tensor x = places_at(data, 0, 2.2, 25);
  const TimeGrid grid = TimeGrid::uniform(400, {.start = 1.0, .end = 1e-3});
  Tensor code = integrate(exact, RungeKutta4(), grid.reversed(), x.unsqueeze(1)).x;
  if (!trial.has("deterministic")) {
    const Tensor noise = trial.rng().normal(code.sizes(), {}, at::kDouble);
    code = ode_process().perturb(x.unsqueeze(1), noise, 1.0);
  }
  const Tensor back = integrate(exact, RungeKutta4(), grid, code).x.flatten();
  evidence.equal("largest distance of x from the decoded code", {largest(back - x)}, 0, 1e-6);
  evidence.equal("largest difference of the ranks of x and its code",
                 {largest(rank_at(data, code.flatten(), 1) - rank_at(data, x, 1e-3))}, 0, 1e-6);
}

/// "Log-likelihood computation (continuous change of variables)", on the line and in the plane.
void flow_likelihood(const Trial& trial, Evidence& evidence) {
  for (const GaussianMixture& data : trial.settings().laws()) {
    const int64_t d = data.dimension();
    const AnalyticDenoiser exact(data, ode_process());
    const Tensor x =
        data.mean() +
        normal_quadrature(d, d == 1 ? 13 : 5, 2).x.matmul(at::linalg_cholesky(data.covariance()).t());
    const LikelihoodOptions options{.tolerance = {.rtol = 1e-8, .atol = 1e-8}};
    Tensor measured = log_likelihood(exact, x, options, trial.rng()).log_density;
    if (!trial.has("divergence")) {
      const TimeGrid grid = TimeGrid::uniform(200, {.start = 1.0, .end = 1e-3});
      measured = exact.marginal(1.0).log_density(integrate(exact, RungeKutta4(), grid.reversed(), x).x);
    }
    evidence.equal(fmt::format("largest error of log p(x) in nats, d = {}", d),
                   {largest(measured - data.log_density(x))}, 0, 1e-5);
  }
}

/// The reverse SDE and the flow from independent draws of q_1, at four times: each has the moments of q_t and
/// its laws along the axes and the diagonal.
void marginals_plane(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& data = trial.settings().law();
  const AnalyticDenoiser exact(data, ode_process());
  const Sde forward = forward_sde(ode_process(), 2);
  const StateFunction score = [&](const Tensor& x, double t) { return exact.estimate(x, t).score(); };
  const double share = trial.has("half") ? 1 : 2;
  const StateFunction scaled = [&](const Tensor& x, double t) { return share * score(x, t); };
  const int64_t n = trial.settings().integer("n"), steps = trial.settings().integer("steps"),
                every = steps / 4;
  const double end = 0.01;
  const std::vector<int64_t> seen{every, 2 * every, 3 * every, 4 * every};
  std::vector<double> back = uniform_times(1, end, steps), times = uniform_times(0, 1 - end, steps);
  const auto sde =
      states_at(reverse(forward, score, 1.0), exact.marginal(1).sample(n, trial.rng().stream("sde")), times,
                seen, trial.rng().stream("noise"));
  std::vector<Tensor> flow;
  simulate(probability_flow(forward, scaled), exact.marginal(1).sample(n, trial.rng().stream("flow")), back,
           {.method = {}, .noise = {}, .observer = [&](const SdeState& s) {
              if (s.step > 0 && s.step % every == 0) flow.push_back(s.x);
            }});
  const double error = euler_error(ode_process(), variances_of(data), times);
  for (size_t i = 0; i < seen.size(); ++i) {
    const double t = back[static_cast<size_t>(seen[i])];
    compare_with_mixture(evidence, fmt::format("of the SDE at t = {:.3g}", t), sde[i], exact.marginal(t),
                         error);
    compare_with_mixture(evidence, fmt::format("of the flow at t = {:.3g}", t), flow[i], exact.marginal(t));
  }
}

}  // namespace

void add_s3_ode(Checks& checks) {
  const auto add = [&](const char* id, const char* statement, auto measure, const Ingredient& ingredient,
                       const std::vector<Setting>& settings = {}) {
    checks.push_back({.id = std::string("s3.flow.") + id,
                      .source = "S3, 3.3",
                      .statement = statement,
                      .measure = measure,
                      .ingredients = {ingredient},
                      .settings = settings});
  };
  const Setting law =
      Setting::law([] { return course::Laws{ode_data().mixture()}; }, "0.3 N(-1.5, 0.3) + 0.7 N(1, 0.4)",
                   {.least_deviation = 0.3, .most_deviation = 3, .reach = 6});
  add("marginals-plane", "In the plane the flow and the reverse SDE have the law q_t at every t",
      marginals_plane, {"half", "the flow has g^2 for g^2 / 2"},
      {tilted_setting({.least_dimension = 2, .most_dimension = 2}),
       Setting::integer("n", 4'000, 100, 500'000, "paths"),
       Setting::integer("steps", 160, 40, 10'000, "steps of both")});
  add("solvers", "ODE solvers follow the flow with their orders 1, 2 and 4", solvers,
      {"end", "the exact flow is read at another time"}, {law});
  add("encoding", "The flow encodes data by its rank, and decodes it", encoding,
      {"deterministic", "the code is a draw of q(x_1 | x_0)"}, {law});
  add("log-likelihood", "The flow's change of variables gives log p(x)", flow_likelihood,
      {"divergence", "the integral of the divergence is left out"},
      {Setting::law(
          [] {
            return course::Laws{ode_data().mixture(), tilted_mixture()};
          },
          "a mixture of two on the line, then one in the plane", {.most_dimension = 4})});
}

}  // namespace fokker::verify
