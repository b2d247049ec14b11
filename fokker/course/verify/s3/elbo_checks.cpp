#include <numbers>

#include "fokker/course/problem/joint_gaussian.h"
#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/objective/elbo.h"

namespace fokker::verify {
namespace {

/// Normal data N(0, v) with its exact denoiser: every quantity of the bound has a closed form.
constexpr double normal_variance = 2.0;

GaussianMixture normal_data() {
  return GaussianMixture(at::ones({1}), at::zeros({1, 1}, at::kDouble),
                         at::full({}, normal_variance, at::kDouble));
}

double marginal_variance(const ChainTable& chain, int64_t i) {
  return 1 + chain.alphabar(i) * (normal_variance - 1);
}

/// E[|x_0 - E[x_0 | x_i]|^2 | x_0]: E[x_0 | x_i] = k x_i with k = sqrt(alphabar) v / c.
double denoising_error(const ChainTable& chain, int64_t i, double x0) {
  const double a = std::sqrt(chain.alphabar(i)), k = a * normal_variance / marginal_variance(chain, i);
  return std::pow(x0 * (1 - k * a), 2) + k * k * (1 - chain.alphabar(i));
}

/// What the two variances add to a KL.
double spread_divergence(const ChainTable& chain, int64_t i) {
  const double ratio = chain.beta_tilde(i) / chain.beta(i);
  return 0.5 * (ratio - 1 - std::log(ratio));
}

/// KL(q(x_{i-1} | x_i, x_0) || N(mu_theta, beta_i)) averaged over x_i given x_0.
double divergence(const ChainTable& chain, int64_t i, double x0) {
  const double shift = std::sqrt(chain.alphabar(i - 1)) * chain.beta(i) / (1 - chain.alphabar(i));
  return spread_divergence(chain, i) + 0.5 * shift * shift * denoising_error(chain, i, x0) / chain.beta(i);
}

double reconstruction(const ChainTable& chain, double x0) {
  const double v = chain.beta(1);
  return 0.5 * std::log(2 * std::numbers::pi * v) + denoising_error(chain, 1, x0) / (2 * v);
}

double prior(const ChainTable& chain, double x0) {
  const double a = chain.alphabar(chain.steps());
  return 0.5 * (a * x0 * x0 + (1 - a) - 1 - std::log(1 - a));
}

double bound(const ChainTable& chain, double x0) {
  double sum = reconstruction(chain, x0) + prior(chain, x0);
  for (int64_t i = 2; i <= chain.steps(); ++i) sum += divergence(chain, i, x0);
  return -sum;
}

/// q(x_{t-1} | x_t, x_0) by conditioning the joint normal law of (x_{t-1}, x_t) given x_0 (S3, appendix A.2).
void posterior(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::linear(100, 1e-3, 0.12);
  const double x0 = 1.3, xt = -0.6;
  const auto number = [](double value) { return at::full({1}, value, at::kDouble); };
  const auto square = [](double value) { return at::full({1, 1}, value, at::kDouble); };
  for (const int64_t t : {2, 30, 100}) {
    const double before = 1 - chain.alphabar(t - 1), step = std::sqrt(1 - chain.beta(t));
    const BlockGaussian joint(number(std::sqrt(chain.alphabar(t - 1)) * x0),
                              number(std::sqrt(chain.alphabar(t)) * x0), square(before),
                              square(step * (trial.has("correlation") ? before : step * before)),
                              square(1 - chain.alphabar(t)));
    const GaussianLaw exact = joint.first_given(number(xt));
    const auto q = chain.process().posterior(chain.time(t - 1), chain.time(t));
    evidence.equal(fmt::format("mean of x_{}", t - 1), {q.data * x0 + q.state * xt},
                   exact.mean.item<double>(), 1e-12);
    evidence.equal(fmt::format("variance of x_{}", t - 1), {q.variance}, exact.covariance.item<double>(),
                   1e-12);
  }
}

/// Each term of the library's bound for a given x_0.
void elbo_term_checks(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::short_chain();
  const AnalyticDenoiser exact(normal_data(), chain.process());
  for (const double x0 : {0.3, -2.0}) {
    const Tensor rows = at::full({60'000, 1}, x0, at::kDouble);
    const ElboTerms terms = elbo_terms(exact, rows, {.steps = chain.steps()}, trial.rng());
    const double offset = trial.has("reconstruction") ? reconstruction(chain, x0) : prior(chain, x0);
    evidence.equal(fmt::format("reconstruction of {}", x0), mean_of(terms.reconstruction), offset);
    evidence.equal(fmt::format("prior term of {}", x0), {terms.prior[0].item<double>()}, prior(chain, x0),
                   1e-12);
    for (int64_t i = 2; i <= chain.steps(); ++i)
      evidence.equal(fmt::format("KL of step {} at {}", i, x0), mean_of(terms.divergences[i - 2]),
                     divergence(chain, i, x0) - (trial.has("spread") ? 0 : spread_divergence(chain, i)));
  }
}

/// E log p(x_{0:T}) / q(x_{1:T} | x_0) over walked paths, which nothing was rearranged in, is the sum of the
/// terms.
void decomposition(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::short_chain();
  const AnalyticDenoiser exact(normal_data(), chain.process());
  const bool logarithms = trial.has("logarithms");
  for (const double x0 : {0.3, -2.0}) {
    Tensor before, ratio = at::zeros({60'000}, at::kDouble);
    const auto visit = [&](int64_t i, const Tensor& x) {
      if (i > 0) {
        const double beta = chain.beta(i);
        const Tensor mean = reverse_mean(exact, x, chain.time(i), chain.time(i - 1));
        const Tensor step = normal_log_density((before - mean).flatten(), 0, beta) -
                            normal_log_density((x - std::sqrt(1 - beta) * before).flatten(), 0, beta);
        ratio = ratio + (logarithms ? step : step.exp());
      }
      before = x;
    };
    walk(chain, at::full({60'000, 1}, x0, at::kDouble), trial.rng().stream("path"), visit);
    evidence.equal(fmt::format("bound at x_0 = {}", x0), mean_of(ratio + chain.process().log_prior(before)),
                   bound(chain, x0));
  }
}

/// The model's own law of x_0 is normal here, by carrying the variance through its steps: log p(x_0) is exact
/// and the bound lies below it. With the wrong prior it would not.
void below_likelihood(const Trial& trial, Evidence& evidence) {
  double variance = 1;
  const ChainTable chain = ChainTable::short_chain();
  for (int64_t i = chain.steps(); i >= 1; --i) {
    const double slope =
        std::sqrt(1 - chain.beta(i)) * marginal_variance(chain, i - 1) / marginal_variance(chain, i);
    variance = slope * slope * variance + chain.beta(i);
  }
  const AnalyticDenoiser exact(normal_data(), chain.process());
  for (const double x0 : {0.0, 1.0, -3.0}) {
    const Tensor rows = at::full({60'000, 1}, x0, at::kDouble);
    const ElboTerms terms = elbo_terms(exact, rows, {.steps = chain.steps()}, trial.rng());
    const double likelihood = normal_log_density(at::full({}, x0, at::kDouble), 0, variance).item<double>();
    const Tensor full = trial.has("divergences") ? terms.bound() : terms.bound() + terms.divergences.sum(0);
    evidence.at_most(fmt::format("bound at x_0 = {}", x0), mean_of(full), likelihood);
    evidence.at_least(fmt::format("bound at x_0 = {}", x0), mean_of(full), likelihood - 1);
  }
}

/// KL between two normal laws is the squared distance of means over 2 sigma^2 plus a constant, by quadrature.
void squared_distance(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::short_chain();
  const std::vector<double> times = elbo_times(chain.process(), chain.steps());
  const double x0 = 0.8, xt = 0.4, guess = -0.5;  // guess: the denoised estimate
  for (int64_t i = 2; i <= chain.steps(); ++i) {
    const auto q = chain.process().posterior(chain.time(i - 1), chain.time(i));
    const Line nodes = line(-8, 8, 16'000);
    const Tensor log_q = normal_log_density(nodes.x, q.data * x0 + q.state * xt, q.variance);
    const Tensor log_p = normal_log_density(nodes.x, q.data * guess + q.state * xt, chain.beta(i));
    const ElboTerm term =
        elbo_term(chain.process(), times, static_cast<size_t>(i - 1), ElboOptions::Variance::transition);
    const double distance = trial.has("square") ? std::pow(x0 - guess, 2) : std::abs(x0 - guess);
    evidence.equal(fmt::format("nats of step {}", i), {term.error * distance + term.constant},
                   nodes.integral(log_q.exp() * (log_q - log_p)), 1e-9);
  }
}

}  // namespace

void add_s3_elbo(Checks& checks) {
  const std::string source = "S3, 1.2.1";
  checks.push_back({.id = "s3.elbo.posterior",
                    .source = source,
                    .statement = "The posterior of x_{t-1} is the conditional of a joint normal law",
                    .measure = posterior,
                    .ingredients = {{"correlation", "the covariance has sqrt(1 - beta) twice"}}});
  checks.push_back({.id = "s3.elbo.terms",
                    .source = source,
                    .statement = "Reconstruction, every KL and the prior term have their closed forms",
                    .measure = elbo_term_checks,
                    .ingredients = {{"reconstruction", "the first term is taken for a prior term"},
                                    {"spread", "each KL is the distance of the means alone"}}});
  checks.push_back({.id = "s3.elbo.decomposition",
                    .source = source,
                    .statement = "E log p(x_0:T) / q(x_1:T | x_0) is the sum of the terms",
                    .measure = decomposition,
                    .ingredients = {{"logarithms", "the ratios are summed, as printed in two lines"}}});
  checks.push_back({.id = "s3.elbo.below-likelihood",
                    .source = source,
                    .statement = "The bound lies below the model's exact log likelihood",
                    .measure = below_likelihood,
                    .ingredients = {{"divergences", "the KL terms are left out"}}});
  checks.push_back(
      {.id = "s3.elbo.squared-distance",
       .source = source,
       .statement = "The KL is the squared distance of the means over 2 sigma^2, plus a constant",
       .measure = squared_distance,
       .ingredients = {{"square", "the distance is not squared, as printed"}}});
}

}  // namespace fokker::verify
