#include "fokker/core/check.h"
#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/sde/linear_sde.h"

namespace fokker::verify {
namespace {

using Measure = std::function<void(const Trial&, Evidence&)>;

struct NamedChain {
  std::string name, usual;
  ChainTable chain;
};

/// The same statement for tables of three kinds.
std::vector<NamedChain> chains() {
  return {{"linear", "linear:steps=100,first=0.001,last=0.12", ChainTable::linear(100, 1e-3, 0.12)},
          {"constant", "constant:steps=100,beta=0.04", ChainTable::constant(100, 0.04)},
          {"cosine", "the cosine's of 100 steps", ChainTable::cosine(100)}};
}

/// q(x_t | x_{t-1}) and alphabar_t = prod (1 - beta_i), at every t.
void transition(const ChainTable& usual, const Trial& trial, Evidence& evidence) {
  const ChainTable chain = chosen_chain(trial.settings(), usual);
  double scale = 0, variance = 0, alpha = 0, sigma = 0;
  for (int64_t i = 1; i <= chain.steps(); ++i) {
    const auto q = chain.process().transition(chain.time(i - 1), chain.time(i));
    const double t = chain.time(trial.has("alignment") ? i : i - 1);
    scale = std::max(scale, std::abs(q.scale - std::sqrt(1 - chain.beta(i))));
    variance = std::max(variance, std::abs(q.variance - chain.beta(i)));
    alpha = std::max(alpha, std::abs(chain.process().alpha(t) - std::sqrt(chain.alphabar(i))));
    sigma = std::max(sigma, std::abs(chain.process().sigma(t) - chain.sigma(i)));
  }
  evidence.equal("largest error of the transition's scale", {scale}, 0, 1e-12);
  evidence.equal("largest error of the transition's variance", {variance}, 0, 1e-12);
  evidence.equal("largest error of sqrt(alphabar_t)", {alpha}, 0, 1e-12);
  evidence.equal("largest error of sqrt(1 - alphabar_t)", {sigma}, 0, 1e-12);
}

/// Simulated paths from one point: mean, variance and covariance of x_s, x_t given x_0.
void marginal(const ChainTable& usual, const Trial& trial, Evidence& evidence) {
  const ChainTable chain = chosen_chain(trial.settings(), usual);
  const double x0 = trial.settings().real("x0");
  const int64_t n = trial.settings().integer("n"), s = std::max<int64_t>(1, chain.steps() / 5);
  Tensor earlier;
  const auto visit = [&](int64_t i, const Tensor& x) {
    if (i == s) earlier = x.flatten();
    if (i == 0 || i % s != 0) return;
    const double variance = 1 - chain.alphabar(i);
    evidence.equal(fmt::format("mean of x_{}", i), mean_of(x.flatten()), std::sqrt(chain.alphabar(i)) * x0);
    evidence.equal(fmt::format("variance of x_{}", i), variance_of(x.flatten()), variance);
    if (i > s)
      evidence.equal(fmt::format("covariance of x_{} and x_{}", s, i), covariance_of(earlier, x.flatten()),
                     std::sqrt(chain.alphabar(i) / chain.alphabar(s)) * (1 - chain.alphabar(s)));
  };
  WalkOptions options;
  if (!trial.has("root")) options.deviation = [](double variance) { return variance; };
  walk(chain, at::full({n, 1}, x0, at::kDouble), trial.rng(), visit, options);
}

/// "The forward conditionals follow the OU process": exact sampling of dx = A x dt + G dB at unit times.
void ornstein_uhlenbeck(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  for (const int64_t i : {int64_t{1}, std::max<int64_t>(1, chain.steps() / 2), chain.steps()}) {
    const double rate = trial.has("logarithm") ? -std::log(1 - chain.beta(i)) : chain.beta(i);
    const LinearSde ou(at::full({1, 1}, -0.5 * rate, at::kDouble),
                       at::full({1, 1}, std::sqrt(rate), at::kDouble));
    const LinearTransition exact = ou.transition(1.0);
    const auto q = chain.process().transition(chain.time(i - 1), chain.time(i));
    evidence.equal(fmt::format("scale of step {}", i), {q.scale}, exact.F.item<double>(), 1e-12);
    evidence.equal(fmt::format("variance of step {}", i), {q.variance}, exact.Q.item<double>(), 1e-12);
  }
}

/// KL(q(x_T) || N(0, 1)) by quadrature of the library's two densities.
double distance_from_prior(const GaussianMixture& data, const GaussianProcess& process, double t) {
  const Line nodes = line(-40, 40, 8000);
  const Tensor log_q = AnalyticDenoiser(data, process).marginal(t).log_density(nodes.states());
  return nodes.integral(log_q.exp() * (log_q - process.log_prior(nodes.states())));
}

/// Normal data N(m, v): x_T is N(sqrt(a) m, 1 + a (v - 1)) with a = (1 - beta)^T.
void prior_distance(const Trial& trial, Evidence& evidence) {
  const double m = trial.settings().real("mean"), v = trial.settings().real("variance");
  const GaussianMixture data =
      GaussianMixture::gaussian(at::full({1}, m, at::kDouble), at::full({1, 1}, v, at::kDouble));
  for (const double beta : {0.01, 0.04})
    for (const int64_t T : {10, 50, 200}) {
      const double a = std::pow(1 - beta, trial.has("steps") ? T : 1);
      const double expected = 0.5 * (a * (v - 1) - std::log1p(a * (v - 1)) + a * m * m);
      const double measured = distance_from_prior(data, ChainTable::constant(T, beta).process(), 1.0);
      evidence.equal(fmt::format("nats between x_T and N(0, 1), beta = {}, T = {}", beta, T), {measured},
                     expected, 1e-9);
    }
}

/// "beta_t and T chosen large enough": Ho's chain of 1000 steps, on two points of unit mean square. With a =
/// alphabar_T the law of x_T has the mean sqrt(a) m and the variance V = 1 - a (1 - v), and no skewness: its
/// distance is that of the normal law of these moments and kappa^2 / 48 with the fourth cumulant kappa = -2
/// (a v / V)^2, up to kappa^3 / 16. The distance is convex, so it is at most the mean over x_0 of KL(q(x_T |
/// x_0) || N(0, 1)) = -log(1 - a) / 2.
void prior_of_ho(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const double scale = std::sqrt(1.04), m = 1 / scale, v = 0.04 / 1.04;
  const GaussianMixture data = GaussianMixture::empirical(at::tensor({0.8, 1.2}, at::kDouble) / scale);
  const double measured = distance_from_prior(data, chain.process(), trial.has("length") ? 1.0 : 0.2);
  const double a = chain.alphabar(chain.steps()), excess = -a * (1 - v);
  check(a < 0.8, "table: expected alphabar of the last step below 0.8 but it is {:g}", a);
  const double normal = 0.5 * (excess - std::log1p(excess) + a * m * m);
  const double kappa = 2 * std::pow(a * v / (1 + excess), 2);
  evidence.equal("nats between x_T and N(0, 1)", {measured}, normal + kappa * kappa / 48,
                 1e-10 + std::pow(kappa, 3) / 8);
  evidence.at_most("nats between x_T and N(0, 1)", {measured}, -0.5 * std::log1p(-a));
}

Measure on(const ChainTable& chain, void (*measure)(const ChainTable&, const Trial&, Evidence&)) {
  return [=](const Trial& trial, Evidence& evidence) { measure(chain, trial, evidence); };
}

}  // namespace

void add_s1_chain(Checks& checks) {
  for (const auto& [name, usual, chain] : chains()) {
    checks.push_back({.id = "s1.chain.transition-" + name,
                      .source = "S1, forward process",
                      .statement = "A step has scale sqrt(1 - beta) and variance beta; t steps alphabar_t",
                      .measure = on(chain, transition),
                      .ingredients = {{"alignment", "alphabar_t is read one step early"}},
                      .settings = {table_setting(chain, usual)}});
    checks.push_back({.id = "s1.chain.marginal-" + name,
                      .source = "S1, forward process",
                      .statement = "Simulated chains have the moments of N(sqrt(alphabar) x_0, 1 - alphabar)",
                      .measure = on(chain, marginal),
                      .ingredients = {{"root", "each step adds beta z for sqrt(beta) z"}},
                      .settings = {table_setting(chain, usual),
                                   Setting::real("x0", 1.5, -100, 100, "where the paths start"),
                                   Setting::integer("n", 40'000, 100, 1'000'000, "paths")}});
  }
  checks.push_back({.id = "s1.chain.ornstein-uhlenbeck",
                    .source = "S1, forward process",
                    .statement = "A step of the chain is an Ornstein-Uhlenbeck process after unit time",
                    .measure = ornstein_uhlenbeck,
                    .ingredients = {{"logarithm", "the rate is beta for -log(1 - beta)"}},
                    .settings = {table_setting(ChainTable::linear(100, 1e-3, 0.12),
                                               "linear:steps=100,first=0.001,last=0.12")}});
  checks.push_back({.id = "s1.chain.prior-distance",
                    .source = "S1, backward process II",
                    .statement = "The distance of x_T from N(0, I) falls with T and beta as computed",
                    .measure = prior_distance,
                    .ingredients = {{"steps", "alphabar is that of one step"}},
                    .settings = {Setting::real("mean", 1, -10, 10, "mean of the data"),
                                 Setting::real("variance", 4, 0.01, 9, "variance of the data")}});
  checks.push_back({.id = "s1.chain.prior-ho",
                    .source = "S1, backward process II",
                    .statement = "After Ho's 1000 steps x_T is N(0, I) within 2e-5 nats a dimension",
                    .measure = prior_of_ho,
                    .ingredients = {{"length", "the chain stops after a fifth of its steps"}},
                    .settings = {table_setting(ChainTable::linear(1000, 1e-4, 0.02),
                                               "linear:steps=1000,first=0.0001,last=0.02")}});
}

}  // namespace fokker::verify
