// S3, 1.2.1: how far the bound lies below log p(x_0), by quadrature and without Monte Carlo error.
#include <cmath>

#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/objective/elbo.h"

namespace fokker::verify {
namespace {

/// The chain of N steps over int beta = 8.
constexpr double gap_total = 8;
ChainTable gap_chain(int64_t steps) {
  return ChainTable::constant(steps, 1 - std::exp(-gap_total / static_cast<double>(steps)));
}

LineMixture gap_data() {
  return {{0.3, 0.7}, {-1.5, 0.5}, {0.25, 0.16}};
}

/// E|x_0 - D(x_i)|^2 = E x_0^2 - 2 E D E[x_0 | x_i] + E D^2 over x_i.
double mean_denoising_error(const LineMixture& data, const Denoiser& denoiser, const ChainTable& chain,
                            int64_t i) {
  const double alpha = std::sqrt(chain.alphabar(i)), sigma = chain.sigma(i);
  const Line nodes = line(-14, 14, 1400);
  const Tensor D = denoiser.estimate(nodes.states(), chain.time(i)).denoised().flatten();
  const Tensor best = (nodes.x - sigma * data.noise(nodes.x, alpha, sigma)) / alpha;
  const Tensor density = data.log_density(nodes.x, alpha, sigma).exp();
  return data.variance() + data.mean() * data.mean() + nodes.integral(density * (D.square() - 2 * D * best));
}

/// E[log p(x_0) - bound(x_0)] from the terms of the library's bound, which are linear in |x_0 - D|^2.
double gap_of_bound(const LineMixture& data, const Denoiser& denoiser, const ChainTable& chain) {
  const std::vector<double> times = elbo_times(chain.process(), chain.steps());
  double sum = 0;
  for (int64_t i = 1; i <= chain.steps(); ++i) {
    const ElboTerm term =
        elbo_term(chain.process(), times, static_cast<size_t>(i - 1), ElboOptions::Variance::transition);
    sum += term.error * mean_denoising_error(data, denoiser, chain, i) + term.constant;
  }
  const Line nodes = line(-14, 14, 2800);
  const Tensor log_p = data.log_density(nodes.x);
  return nodes.integral(log_p.exp() * (log_p + elbo_prior(chain.process(), nodes.states()))) + sum;
}

/// E KL(q(x_{i-1} | x_i) || N(E[x_{i-1} | x_i], beta_i)), a double quadrature over q(x_{i-1}) q(x_i |
/// x_{i-1}) that knows nothing of x_0.
double step_divergence(const LineMixture& data, const ChainTable& chain, int64_t i) {
  const double beta = chain.beta(i), root = std::sqrt(1 - beta), spacing = 18.0 / 80;
  const Line outer = line(-7, 7, 280);
  const Tensor u = at::linspace(-9, 9, 81, at::kDouble);
  const Tensor y = (outer.x.unsqueeze(1) + std::sqrt(beta) * u) / root;
  const Tensor log_q =
      data.log_density(y.flatten(), std::sqrt(chain.alphabar(i - 1)), chain.sigma(i - 1)).reshape(y.sizes()) -
      0.5 * u.square();
  const Tensor p = log_q.softmax(1),
               log_p = log_q.log_softmax(1) - std::log(spacing * std::sqrt(beta) / root);
  const Tensor mean = (p * y).sum(1, /*keepdim=*/true);
  const Tensor KL = (p * (log_p - normal_log_density(y - mean, 0, beta))).sum(1);
  const Tensor density = data.log_density(outer.x, std::sqrt(chain.alphabar(i)), chain.sigma(i)).exp();
  return outer.integral(density * KL);
}

/// KL(q(x_0:T) || p(x_0:T)) by the chain rule backwards: the bound's gap where the model is the data's.
double path_divergence(const LineMixture& data, const ChainTable& chain) {
  const Line nodes = line(-14, 14, 2800);
  const Tensor log_q =
      data.log_density(nodes.x, std::sqrt(chain.alphabar(chain.steps())), chain.sigma(chain.steps()));
  double sum = nodes.integral(log_q.exp() * (log_q - normal_log_density(nodes.x, 0, 1)));
  for (int64_t i = 1; i <= chain.steps(); ++i) sum += step_divergence(data, chain, i);
  return sum;
}

/// The limit of N gap: a step's KL is (v / beta - 1)^2 / 4 with v = beta (1 + beta (1 + s')), s = (log q)',
/// so
///   N gap -> B/4 int_0^B E(1 + s')^2 d tau,  B = int beta, up to N KL(q_T || N(0, 1)), which is 1e-5 N here.
double limit_of_gap(const LineMixture& data) {
  const Line times = line(0, gap_total, 800), nodes = line(-8, 8, 800);
  const double h = 1e-4;
  Tensor values = at::empty({times.x.size(0)}, at::kDouble);
  for (int64_t k = 0; k < times.x.size(0); ++k) {
    const double a = std::exp(-times.x[k].item<double>()), alpha = std::sqrt(a), sigma = std::sqrt(1 - a);
    const Tensor slope =
        (data.score(nodes.x + h, alpha, sigma) - data.score(nodes.x - h, alpha, sigma)) / (2 * h);
    values[k] = nodes.integral(data.log_density(nodes.x, alpha, sigma).exp() * (1 + slope).square());
  }
  const double ends = 0.5 * (values[0] + values[-1]).item<double>();
  return 0.25 * gap_total * (times.integral(values) - times.step * ends);
}

/// The gap with 50 and 200 steps, against the divergence of the paths, and its limit.
void gap_of_mixture(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& law = trial.settings().law();
  const LineMixture data = LineMixture::of(law);
  const GaussianMixture model =
      trial.has("denoiser") ? law : GaussianMixture::gaussian(law.mean(), law.covariance());
  const auto gap = [&](int64_t steps) {
    const ChainTable chain = gap_chain(steps);
    return gap_of_bound(data, AnalyticDenoiser(model, chain.process()), chain);
  };
  for (const int64_t steps : {50, 200}) {
    const double expected = path_divergence(data, gap_chain(steps));
    evidence.equal(fmt::format("gap with {} steps in nats", steps), {gap(steps)}, expected, 1e-6);
  }
  // Its error is of order 1/N: one step of Richardson's extrapolation.
  const double limit = limit_of_gap(data);
  evidence.equal("N gap as N -> infinity", {2 * 400 * gap(400) - 200 * gap(200)}, limit,
                 std::max(0.02, 0.004 * limit));
}

/// For normal data the divergence of the paths is a sum of logarithms: x_{i-1} given x_i has the variance
/// beta c_{i-1} / c_i, c_i = alphabar_i v + 1 - alphabar_i.
void gap_of_normal(const Trial& trial, Evidence& evidence) {
  const double v = trial.settings().real("variance");
  const LineMixture data({1}, {0}, {v});
  for (const ChainTable& chain : {ChainTable::short_chain(), gap_chain(20), gap_chain(100)}) {
    const auto variance = [&](int64_t i) { return 1 + chain.alphabar(i) * (v - 1); };
    const double c = variance(chain.steps());
    double expected = 0.5 * (c - 1 - std::log(c));
    for (int64_t i = 1; i <= chain.steps(); ++i) {
      const double ratio = variance(i - 1) / variance(i);
      expected += 0.5 * (ratio - 1 - (trial.has("logarithm") ? std::log(ratio) : 0));
    }
    evidence.equal(fmt::format("gap with {} steps in nats", chain.steps()),
                   {gap_of_bound(data, AnalyticDenoiser(data.mixture(), chain.process()), chain)}, expected,
                   1e-8);
  }
}

}  // namespace

void add_s3_gap(Checks& checks) {
  checks.push_back(
      {.id = "s3.elbo.many-steps",
       .source = "S3, 1.2.1",
       .statement = "With the exact denoiser the gap is the KL of the paths, and falls as 1/N to its limit",
       .measure = gap_of_mixture,
       .ingredients = {{"denoiser", "the denoiser is that of a normal law of the same moments"}},
       .settings = {Setting::law([] { return course::Laws{gap_data().mixture()}; },
                                 "0.3 N(-1.5, 0.25) + 0.7 N(0.5, 0.16)",
                                 {.least_deviation = 0.35, .most_deviation = 0.8, .reach = 2.5})}});
  checks.push_back({.id = "s3.elbo.path-divergence",
                    .source = "S3, 1.2.1",
                    .statement = "For normal data the gap is the closed-form KL of the paths",
                    .measure = gap_of_normal,
                    .ingredients = {{"logarithm", "each step's KL leaves out log(variance / beta)"}},
                    .settings = {Setting::real("variance", 2, 0.05, 3, "variance of the data")}});
}

}  // namespace fokker::verify
