#include <array>
#include <cmath>

#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/sde/linear_sde.h"

namespace fokker::verify {
namespace {

/// x_t = a x_{t-1} + s eps with any a and s: mean a^t x_0 and variance s^2 (1 - a^{2t}) / (1 - a^2). The
/// chain is the linear diffusion of rate -log a seen at unit times.
void any_factor(const Trial& trial, Evidence& evidence) {
  const Settings& set = trial.settings();
  const double a = set.real("factor"), s = set.real("sigma"), x0 = set.real("x0");
  const double g = s * std::sqrt(-2 * std::log(a) / (1 - a * a));
  const LinearSde sde(at::full({1, 1}, std::log(a), at::kDouble), at::full({1, 1}, g, at::kDouble));
  const Tensor start = at::full({set.integer("n"), 1}, x0, at::kDouble);
  std::vector<double> times;
  for (int t = 0; t <= 20; ++t) times.push_back(t);
  const Tensor paths = sde.sample_paths(start, times, trial.rng());
  for (const int64_t t : {1, 2, 5, 20}) {
    const double power = std::pow(a, 2.0 * static_cast<double>(t));
    const double sum = trial.has("sum") ? (1 - power) / (1 - a * a) : static_cast<double>(t);
    evidence.equal(fmt::format("mean of x_{}", t), mean_of(paths[t].flatten()), std::sqrt(power) * x0);
    evidence.equal(fmt::format("variance of x_{}", t), variance_of(paths[t].flatten()), s * s * sum);
  }
}

/// With a = sqrt(1 - s^2), q(x_t | x_0) = N(a^t x_0, 1 - a^{2t}), for the four points together: what the
/// chain forgets of its start at the last step.
void fixed_factor(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::notebook();
  const LineMixture data = LineMixture::of(trial.settings().law());
  const Tensor x0 = data.mixture().sample(trial.settings().integer("n"), trial.rng().stream("data"));
  const double a = std::sqrt(0.96);
  const auto visit = [&](int64_t t, const Tensor& x) {
    if (t != 1 && t != 20 && t != 200) return;
    const double power = std::pow(a, 2.0 * static_cast<double>(t));
    // Given x_0 and together: what is left after the mean, and the slope of the mean on x_0.
    const Tensor residual = (x - std::sqrt(power) * x0).flatten();
    evidence.equal(fmt::format("mean of x_{} - a^{} x_0", t, t), mean_of(residual), 0);
    evidence.equal(fmt::format("variance of x_{} given x_0", t), variance_of(residual), 1 - power);
    evidence.equal(fmt::format("variance of x_{}", t), variance_of(x.flatten()),
                   1 - power + (trial.has("data") ? power * data.variance() : power));
  };
  walk(chain, x0, trial.rng().stream("path"), visit);
}

/// alphabar_t (sum over i of (1 - alpha_i) / alphabar_i) = 1 - alphabar_t, and x_t made in one step has that
/// variance. The notebook's misprint x_t = sqrt(alphabar) x_0 + (1 - alphabar) eps has not.
void varying_factor(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const Tensor eps = trial.rng().normal({100'000, 1}, {}, at::kDouble);
  double sum = 0;
  for (int64_t t = 1; t <= chain.steps(); ++t) {
    sum += chain.beta(t) / chain.alphabar(t);
    if (t != 2 && t != chain.steps() / 4 && t != chain.steps()) continue;
    const double expected = chain.alphabar(t) * sum, sigma = chain.process().sigma(chain.time(t));
    evidence.equal(fmt::format("sigma^2 of step {}", t),
                   {trial.has("root") ? sigma * sigma : std::pow(sigma, 4)}, expected, 1e-12);
    const Tensor x = chain.process().perturb(at::full_like(eps, 2.0), eps, chain.time(t));
    evidence.equal(fmt::format("variance of x_{} made in one step", t), variance_of(x.flatten()), expected);
    evidence.equal(fmt::format("mean of x_{} made in one step", t), mean_of(x.flatten()),
                   2 * std::sqrt(chain.alphabar(t)));
  }
}

/// The simulated histogram and q_t at every time that the notebook draws, by Kolmogorov's distance.
void histogram(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::notebook();
  const LineMixture data = LineMixture::of(trial.settings().law());
  const auto visit = [&](int64_t t, const Tensor& x) {
    if (t == 0 || t % 2 != 0) return;
    const int64_t at = trial.has("alignment") ? t : t - 1;
    const auto distribution = [&](const Tensor& values) {
      return data.distribution(values, std::sqrt(chain.alphabar(at)), chain.sigma(at));
    };
    evidence.same_law(fmt::format("Kolmogorov's distance at t = {}", t),
                      kolmogorov_smirnov(x.flatten(), distribution));
    if (t % 50 != 0) return;
    const double a = chain.alphabar(at);
    evidence.equal(fmt::format("mean of x_{}", t), mean_of(x.flatten()), std::sqrt(a) * data.mean());
    evidence.equal(fmt::format("variance of x_{}", t), variance_of(x.flatten()), a * data.variance() + 1 - a);
  };
  walk(chain, data.mixture().sample(trial.settings().integer("n"), trial.rng().stream("data")),
       trial.rng().stream("path"), visit);
}

/// Cumulants of a law on the line from its central moments: mean, variance, and those of order 3 to 6.
struct Cumulants {
  double mean, variance, third, fourth, fifth, sixth;
};
Cumulants cumulants_of(const GaussianMixture& law) {
  // Of a component about the mean of all: E(d + s z)^k = sum_j binom(k, j) d^(k-j) s^j E z^j.
  const double centre = law.mean().item<double>();
  std::array<double, 7> m{};
  for (int64_t c = 0; c < law.components(); ++c) {
    const double d = law.means()[c].item<double>() - centre, v = law.component_covariance(c).item<double>(),
                 w = law.weights()[c].item<double>(), d2 = d * d;
    const std::array<double, 7> mine = {1,
                                        d,
                                        d2 + v,
                                        d * (d2 + 3 * v),
                                        d2 * d2 + 6 * d2 * v + 3 * v * v,
                                        d * (d2 * d2 + 10 * d2 * v + 15 * v * v),
                                        d2 * d2 * d2 + 15 * d2 * d2 * v + 45 * d2 * v * v + 15 * v * v * v};
    for (size_t k = 0; k < m.size(); ++k) m[k] += w * mine[k];
  }
  return {centre,
          m[2],
          m[3],
          m[4] - 3 * m[2] * m[2],
          m[5] - 10 * m[3] * m[2],
          m[6] - 15 * m[4] * m[2] - 10 * m[3] * m[3] + 30 * std::pow(m[2], 3)};
}

/// KL(q(x_t) || N(0, 1)) for a = alphabar_t: that of the normal law of the same moments, and the Edgeworth
/// series of the cumulants over those moments, which fall as a^(k/2), up to order a^5; `rest` bounds the
/// terms of order a^6 by twice their sizes.
struct NatsFromNormal {
  double value, rest;
};
NatsFromNormal nats_from_normal(const Cumulants& data, double a) {
  const double excess = a * (data.variance - 1), V = 1 + excess;
  const auto of = [&](double cumulant, double order) { return cumulant * std::pow(a / V, order / 2); };
  const double third = of(data.third, 3), fourth = of(data.fourth, 4), fifth = of(data.fifth, 5),
               sixth = of(data.sixth, 6), square = third * third;
  return {0.5 * (excess - std::log1p(excess) + a * data.mean * data.mean) + square / 12 +
              fourth * fourth / 48 + fifth * fifth / 240 - square * fourth / 8,
          2 * (7 * square * square / 48 + std::abs(std::pow(fourth, 3)) / 16 + sixth * sixth / 1440 +
               std::abs(third * fourth * fifth) / 12)};
}

/// "For large t, q(x_t) tends to N(0, 1)": with the notebook's 200 steps x_T still has the mean and the
/// excess variance that 0.96^200 of the data's leaves, and starting from N(0, 1) costs that much. Seen where
/// the data's share of the variance has fallen to 1, 1/4 and 1/30, and cumulants are small.
void end_of_chain(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& data = trial.settings().law();
  const Cumulants cumulants = cumulants_of(data);
  int64_t t = 1;
  for (const double level : {1.0, 0.25, 1.0 / 30}) {
    const auto left = [&](int64_t step) {
      const double a = std::pow(0.96, static_cast<double>(step)), V = 1 + a * (cumulants.variance - 1);
      return std::max({a * cumulants.variance, std::abs(cumulants.third) * std::pow(a / V, 1.5) * 3,
                       std::abs(cumulants.fourth) * std::pow(a / V, 2) * 3});
    };
    while (left(t) > level) ++t;
    const ChainTable chain = ChainTable::constant(t, 0.04);
    const GaussianMixture law = AnalyticDenoiser(data, chain.process()).marginal(1);
    const Line nodes = line_over(law);
    const Tensor log_q = law.log_density(nodes.states());
    const double measured = nodes.integral(log_q.exp() * (log_q - normal_log_density(nodes.x, 0, 1)));
    const double a = std::pow(trial.has("factor") ? 0.96 : 0.98, static_cast<double>(t));
    const NatsFromNormal expected = nats_from_normal(cumulants, a);
    evidence.equal(fmt::format("nats between x_{} and N(0, 1)", t), {measured}, expected.value,
                   1e-10 + expected.rest);
  }
}

/// grad log q_t of the four points and of a general mixture as the responsibilities' average, against the
/// library's, and against the difference quotient of the density.
void mixture_score(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::notebook();
  const LineMixture data = LineMixture::of(trial.settings().law());
  const Tensor means = trial.settings().law().means();
  const Tensor x =
      at::linspace(means.min().item<double>() - 1, means.max().item<double>() + 1, 161, at::kDouble);
  const AnalyticDenoiser exact(data.mixture(), chain.process());
  for (const int64_t t : {2, 20, 60, 200}) {
    const int64_t plotted = trial.has("time") ? t : t / 2;
    const double alpha = std::sqrt(chain.alphabar(plotted)), sigma = chain.sigma(plotted);
    const Tensor measured = exact.estimate(x.unsqueeze(1), chain.time(t)).score().flatten();
    const Tensor expected = data.score(x, alpha, sigma);
    evidence.equal(fmt::format("largest error of the score at t = {}, relative", t),
                   {largest((measured - expected) / (1 + expected.abs()))}, 0, 1e-9);
    const double h = 1e-4;
    const Tensor slope =
        (data.log_density(x + h, alpha, sigma) - data.log_density(x - h, alpha, sigma)) / (2 * h);
    evidence.equal(fmt::format("largest error of its difference quotient at t = {}, relative", t),
                   {largest((measured - slope) / (1 + slope.abs()))}, 0, 2e-3);
  }
}

void add_mixture_scores(Checks& checks, const Setting& points_setting) {
  const std::vector<std::pair<std::string, Setting>> laws = {
      {"points", points_setting},
      {"general", Setting::law(
                      [] {
                        return course::Laws{LineMixture({0.1, 0.3, 0.6}, {-9, 2, 5}, {4, 0.5, 1}).mixture()};
                      },
                      "0.1 N(-9, 4) + 0.3 N(2, 0.5) + 0.6 N(5, 1)", {.points = true})}};
  for (const auto& [name, data] : laws)
    checks.push_back({.id = "s3.score.mixture-" + name,
                      .source = "S3, 3.2",
                      .statement = "The score of a mixture over time is the responsibilities' average",
                      .measure = mixture_score,
                      .ingredients = {{"time", "the frame's number is passed for its time"}},
                      .settings = {data}});
}

}  // namespace

void add_s3_forward(Checks& checks) {
  const Setting points_setting = Setting::law(
      [] { return course::Laws{LineMixture::four_points().mixture()}; }, "four-points", {.points = true});
  const auto draws = [](int64_t usual) { return Setting::integer("n", usual, 100, 1'000'000, "chains"); };
  checks.push_back(
      {.id = "s3.chain.any-factor",
       .source = "S3, 1.1.1",
       .statement = "x_t = a x_{t-1} + s eps has mean a^t x_0, variance s^2 (1-a^2t)/(1-a^2)",
       .measure = any_factor,
       .ingredients = {{"sum", "every step adds s^2, as if a were 1"}},
       .settings = {Setting::real("factor", 0.9, 0.05, 0.999, "the factor a"),
                    Setting::real("sigma", 0.7, 0.01, 100, "deviation s of a step's noise"),
                    Setting::real("x0", 3, -1000, 1000, "where the chains start"), draws(60'000)}});
  checks.push_back({.id = "s3.chain.fixed-factor",
                    .source = "S3, 1.1.1",
                    .statement = "With a^2 = 1 - s^2, q(x_t | x_0) = N(a^t x_0, 1 - a^2t)",
                    .measure = fixed_factor,
                    .ingredients = {{"data", "the spread of the data is forgotten"}},
                    .settings = {points_setting, draws(40'000)}});
  checks.push_back({.id = "s3.chain.varying-factor",
                    .source = "S3, 1.1.2",
                    .statement = "The sum over the steps' noise is 1 - alphabar_t",
                    .measure = varying_factor,
                    .ingredients = {{"root", "eps is scaled by 1 - alphabar, as printed in 1.2.1"}},
                    .settings = {table_setting(ChainTable::linear(200, 1e-3, 0.1),
                                               "linear:steps=200,first=0.001,last=0.1")}});
  checks.push_back({.id = "s3.chain.histogram",
                    .source = "S3, 1.1.3",
                    .statement = "The simulated chain has the law q_t at each of the 100 times drawn",
                    .measure = histogram,
                    .ingredients = {{"alignment", "q_t is read one step early, as in the notebook"}},
                    .settings = {points_setting, draws(5'000)}});
  checks.push_back({.id = "s3.chain.end",
                    .source = "S3, 1.1.1",
                    .statement = "x_t tends to N(0, 1) as a^2t does to zero",
                    .measure = end_of_chain,
                    .ingredients = {{"factor", "the factor is 0.98 for 0.96"}},
                    .settings = {points_setting}});
  add_mixture_scores(checks, points_setting);
}

}  // namespace fokker::verify
