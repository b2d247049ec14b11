#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"

namespace fokker::verify {
namespace {

/// mu-tilde and beta-tilde from Bayes' rule: q(x_{t-1} | x_t, x_0) ~ q(x_t | x_{t-1}) q(x_{t-1} | x_0).
void bayes(const ChainTable& usual, const Trial& trial, Evidence& evidence) {
  const ChainTable chain = chosen_chain(trial.settings(), usual);
  const double x0 = trial.settings().real("x0"), xt = trial.settings().real("xt");
  const Line nodes = line(-8, 8, 40'000);
  for (const int64_t i : {int64_t{2}, std::max<int64_t>(2, chain.steps() / 2), chain.steps()}) {
    const double beta = chain.beta(i), earlier = chain.alphabar(trial.has("earlier") ? i - 1 : i);
    const Tensor log_weights = normal_log_density(std::sqrt(1 - beta) * nodes.x, xt, beta) +
                               normal_log_density(nodes.x, std::sqrt(earlier) * x0, 1 - earlier);
    const auto q = chain.process().posterior(chain.time(i - 1), chain.time(i));
    evidence.equal(fmt::format("mean of x_{}", i - 1), {q.data * x0 + q.state * xt},
                   expectation(log_weights, nodes.x), 1e-10);
    evidence.equal(fmt::format("variance of x_{}", i - 1), {q.variance}, variance_under(log_weights, nodes.x),
                   1e-10);
  }
}

/// A denoiser that says eps_theta(x, t) = value(x).
FunctionDenoiser noise_model(const GaussianProcess& process,
                             const std::function<Tensor(const Tensor& x)>& value) {
  return FunctionDenoiser([=](const Tensor& x, const Times&) { return value(x); }, process,
                          Prediction::noise());
}

/// mu-tilde = (x_t - beta / sqrt(1 - alphabar) eps) / sqrt(1 - beta), where x_0 is eliminated.
void noise_form(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const Tensor x0 = trial.rng().stream("data").normal({1000, 2}, {}, at::kDouble);
  const Tensor eps = trial.rng().stream("noise").normal({1000, 2}, {}, at::kDouble);
  for (const int64_t i : {int64_t{2}, std::max<int64_t>(2, chain.steps() / 2), chain.steps()}) {
    const double t = chain.time(i), s = chain.time(i - 1);
    const Tensor xt = chain.process().perturb(x0, eps, t);
    const auto q = chain.process().posterior(s, t);
    const double spread = trial.has("root") ? chain.sigma(i) : 1 - chain.alphabar(i);
    const Tensor expected = (xt - chain.beta(i) / spread * eps) / std::sqrt(1 - chain.beta(i));
    evidence.equal(fmt::format("largest error of mu-tilde from x_0 and x_{}", i),
                   {largest(q.data * x0 + q.state * xt - expected)}, 0, 1e-11);
    const auto exact = noise_model(chain.process(), [&](const Tensor&) { return eps; });
    evidence.equal(fmt::format("largest error of the sampler's mean from eps at step {}", i),
                   {largest(reverse_mean(exact, xt, t, s) - expected)}, 0, 1e-11);
  }
}

/// |mu-tilde - mu_theta|^2 = beta^2 / ((1 - beta)(1 - alphabar)) |eps - eps_theta|^2.
void squared_norm(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const Tensor x0 = trial.rng().stream("data").normal({1000, 2}, {}, at::kDouble);
  const Tensor eps = trial.rng().stream("noise").normal({1000, 2}, {}, at::kDouble);
  const auto model = noise_model(chain.process(), [](const Tensor& x) { return (2 * x).sin(); });
  for (int64_t i = 2; i <= chain.steps(); ++i) {
    const double t = chain.time(i), s = chain.time(i - 1);
    const Tensor xt = chain.process().perturb(x0, eps, t);
    const auto q = chain.process().posterior(s, t);
    const Tensor means = sum_events((q.data * x0 + q.state * xt - reverse_mean(model, xt, t, s)).square());
    const Tensor noises = sum_events((eps - (2 * xt).sin()).square());
    const double scale = trial.has("scale") ? 1 - chain.beta(i) : 1;
    const double factor = chain.beta(i) * chain.beta(i) / (scale * (1 - chain.alphabar(i)));
    evidence.equal(fmt::format("largest relative error at step {}", i),
                   {largest(means / (factor * noises) - 1)}, 0, 1e-9);
  }
}

/// "The best it can do is the mean of X_{t-1} | X_t": for data that is not normal, by Bayes' rule with the
/// density of x_{t-1}.
void optimal_mean(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const LineMixture data = LineMixture::of(trial.settings().law());
  const AnalyticDenoiser exact(data.mixture(), chain.process());
  for (int64_t i = 2; i <= chain.steps(); ++i) {
    const GaussianMixture law = exact.marginal(chain.time(i));
    const double mean = law.mean().item<double>(), deviation = std::sqrt(law.covariance().item<double>());
    const Line nodes = line_over(exact.marginal(chain.time(i - 1)), std::sqrt(chain.beta(i)) / 4, 12);
    for (const double xt : {mean - 1.2 * deviation, mean + 0.1 * deviation, mean + 0.8 * deviation}) {
      Tensor log_weights = normal_log_density(std::sqrt(1 - chain.beta(i)) * nodes.x, xt, chain.beta(i));
      if (trial.has("data"))
        log_weights =
            log_weights + data.log_density(nodes.x, std::sqrt(chain.alphabar(i - 1)), chain.sigma(i - 1));
      const Tensor measured =
          reverse_mean(exact, at::full({1, 1}, xt, at::kDouble), chain.time(i), chain.time(i - 1));
      evidence.equal(fmt::format("mean of x_{} given x_{} = {:.4g}", i - 1, i, xt), {measured.item<double>()},
                     expectation(log_weights, nodes.x), 1e-9 * std::max(1.0, deviation));
    }
  }
}

}  // namespace

void add_s1_posterior(Checks& checks) {
  const ChainTable linear = ChainTable::linear(100, 1e-3, 0.12), few = ChainTable::short_chain();
  const std::string linear_text = "linear:steps=100,first=0.001,last=0.12",
                    few_text = "0.05, 0.1, 0.2, 0.4, 0.6";
  const std::vector<std::tuple<std::string, std::string, ChainTable>> chains = {
      {"linear", linear_text, linear},
      {"constant", "constant:steps=100,beta=0.04", ChainTable::constant(100, 0.04)},
      {"cosine", "the cosine's of 100 steps", ChainTable::cosine(100)}};
  for (const auto& [name, usual, chain] : chains)
    checks.push_back({.id = "s1.posterior.bayes-" + name,
                      .source = "S1, simplifying the objective V",
                      .statement = "q(x_{t-1} | x_t, x_0) has the mean mu-tilde and the variance beta-tilde",
                      .measure = [chain = chain](const Trial& t, Evidence& e) { bayes(chain, t, e); },
                      .ingredients = {{"earlier", "q(x_{t-1} | x_0) uses alphabar_t for alphabar_{t-1}"}},
                      .settings = {table_setting(chain, usual), Setting::real("x0", 0.7, -3, 3, "x_0"),
                                   Setting::real("xt", -0.4, -3, 3, "x_t")}});
  checks.push_back({.id = "s1.posterior.noise-form",
                    .source = "S1, eliminate X_0",
                    .statement = "mu-tilde = (x_t - beta / sqrt(1 - alphabar) eps) / sqrt(1 - beta)",
                    .measure = noise_form,
                    .ingredients = {{"root", "eps is divided by 1 - alphabar without its root"}},
                    .settings = {table_setting(linear, linear_text)}});
  checks.push_back({.id = "s1.posterior.squared-norm",
                    .source = "S1, insertion into objective",
                    .statement = "The squared distance of means is that of noises times its factor",
                    .measure = squared_norm,
                    .ingredients = {{"scale", "the factor lacks 1 / (1 - beta)"}},
                    .settings = {table_setting(few, few_text)}});
  checks.push_back(
      {.id = "s1.posterior.optimal-mean",
       .source = "S1, simplifying the objective VI",
       .statement = "With the exact denoiser mu_theta is the mean of x_{t-1} given x_t",
       .measure = optimal_mean,
       .ingredients = {{"data", "Bayes' rule forgets the density of x_{t-1}"}},
       .settings = {Setting::law(
                        [] {
                          return course::Laws{LineMixture({0.3, 0.7}, {-2, 1}, {0.1, 0.4}).mixture()};
                        },
                        "0.3 N(-2, 0.1) + 0.7 N(1, 0.4)"),
                    table_setting(few, few_text, 100)}});
}

}  // namespace fokker::verify
