// S3, 1.1 and 3.2, line by line: the chain unrolled, its two extremes, and the score of any mixture.
#include <cmath>
#include <numbers>

#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"

namespace fokker::verify {
namespace {

/// The chain is linear in (x_0, eps_1, ..., eps_t): row 0 starts at x_0 = 1 without noise, row i at 0 with
/// eps_i = 1, so that the rows are the coefficients in the last lines of 1.1.1 and 1.1.2.
void unrolled(const ChainTable& usual, const Trial& trial, Evidence& evidence) {
  const ChainTable chain = chosen_chain(trial.settings(), usual);
  const int64_t T = chain.steps();
  Tensor x = at::zeros({T + 1}, at::kDouble);
  x[0] = 1;
  for (int64_t t = 1; t <= T; ++t) {
    const TransitionCoefficients q = chain.process().transition(chain.time(t - 1), chain.time(t));
    x = q.scale * x;
    x[t] += std::sqrt(q.variance);
    if (t != 3 && t != T / 2 && t != T) continue;
    Tensor expected = at::zeros({T + 1}, at::kDouble);
    expected[0] = std::sqrt(chain.alphabar(t));
    for (int64_t i = 1; i <= t; ++i) {
      const double carried = trial.has("factor") ? chain.alphabar(t) / chain.alphabar(i) : 1;
      expected[i] = std::sqrt(carried * chain.beta(i));
    }
    evidence.equal(fmt::format("largest error of the coefficients of x_{}", t), {largest(x - expected)}, 0,
                   1e-12);
    evidence.equal(fmt::format("sum of the squares of those of x_{}'s noise", t),
                   {x.slice(0, 1).square().sum().item<double>()}, 1 - chain.alphabar(t), 1e-12);
  }
}

/// "beta_t: 0 -> 1 interpolates between a constant Markov chain and white noise": from N(0, 1) every x_t is
/// N(0, 1), and Cov(x_0, x_k) = (1 - beta)^(k/2).
void interpolation(const Trial& trial, Evidence& evidence) {
  const int64_t n = 40'000;
  for (const double beta : {1e-9, 0.05, 0.4, 0.9, 1 - 1e-9}) {
    const ChainTable chain(std::vector<double>(3, beta));
    const Tensor x0 = trial.rng().stream("data").normal({n, 1}, {}, at::kDouble);
    const auto visit = [&](int64_t k, const Tensor& x) {
      if (k == 0) return;
      const double expected = std::pow(1 - beta, static_cast<double>(k) / (trial.has("root") ? 2 : 1));
      // About the known variance 1, as the covariance of two equal rows has no other error.
      evidence.equal(fmt::format("E x_0 x_{} - x_0^2 E x_0 x_{}, beta = {}", k, k, beta),
                     mean_of((x0 * (x - expected * x0)).flatten()), 0, 1e-12);
      evidence.equal(fmt::format("variance of x_{}, beta = {}", k, beta), mean_of(x.square().flatten()), 1);
    };
    walk(chain, x0, trial.rng().stream(fmt::format("{}", beta)), visit);
  }
  // The limits themselves: a step moves x by beta/2 x and sqrt(beta) z, or keeps sqrt(1 - beta) x of it.
  const ChainTable low({1e-9, 1e-9}), high({1 - 1e-9, 1 - 1e-9});
  const TransitionCoefficients still = low.process().transition(0.5, 1),
                               white = high.process().transition(0.5, 1);
  const double half = trial.has("root") ? 0.5 : 1;
  evidence.equal("(1 - scale) / beta at beta = 1e-9", {(1 - still.scale) / 1e-9}, half, 1e-6);
  evidence.equal("variance / beta at beta = 1e-9", {still.variance / 1e-9}, 1, 1e-6);
  evidence.equal("scale / sqrt(1 - beta) at 1 - beta = 1e-9", {white.scale / std::sqrt(1e-9)}, 1, 1e-6);
  evidence.equal("variance at 1 - beta = 1e-9", {white.variance}, 1, 1e-8);
}

/// A mixture with full covariances, and its density and score with 3.2's formulas written out.
struct FullMixture {
  Tensor weights, means;            // (k), (k, d)
  std::vector<Tensor> covariances;  // k of (d, d)

  FullMixture(int64_t k, int64_t d, const Rng& rng)
      : weights((0.5 * rng.stream("weights").normal({k}, {}, at::kDouble)).softmax(0)),
        means(1.5 * rng.stream("means").normal({k, d}, {}, at::kDouble)) {
    for (int64_t i = 0; i < k; ++i) {
      const Tensor A = rng.stream(static_cast<uint64_t>(i)).normal({d, d + 2}, {}, at::kDouble);
      covariances.push_back(A.matmul(A.t()) / static_cast<double>(d) + 0.1 * at::eye(d, at::kDouble));
    }
  }
  GaussianMixture library() const { return GaussianMixture(weights, means, at::stack(covariances)); }
  /// Log of w_c N(x; a m_c, a^2 S_c + s^2 I), (k, n), and S^-1 (m - x) of each, (k, n, d).
  std::pair<Tensor, Tensor> components(const Tensor& x, double a, double s, bool full) const {
    std::vector<Tensor> logs, pulls;
    const int64_t d = x.size(1);
    for (size_t c = 0; c < covariances.size(); ++c) {
      const auto index = static_cast<int64_t>(c);
      Tensor S = a * a * covariances[c] + s * s * at::eye(d, at::kDouble);
      if (!full) S = at::diag(S.diagonal());
      const Tensor r = a * means[index] - x, pull = r.matmul(S.inverse());
      logs.push_back(weights[index].log() - 0.5 * (r * pull).sum(1) -
                     0.5 * (2 * std::numbers::pi * S).logdet());
      pulls.push_back(pull);
    }
    return {at::stack(logs), at::stack(pulls)};
  }
};

void full_mixture_score(const Trial& trial, Evidence& evidence) {
  const int64_t d = trial.settings().integer("dims");
  const FullMixture mixture(trial.settings().integer("components"), d, trial.rng());
  const ChainTable chain = ChainTable::notebook();
  const AnalyticDenoiser exact(mixture.library(), chain.process());
  const Tensor x = 2 * trial.rng().stream("x").normal({40, d}, {}, at::kDouble);
  for (const int64_t t : {1, 10, 60}) {
    const double a = std::sqrt(chain.alphabar(t)), s = chain.sigma(t), h = 1e-5;
    const auto [logs, pulls] = mixture.components(x, a, s, trial.has("full"));
    const Tensor expected = (logs.softmax(0).unsqueeze(2) * pulls).sum(0);
    const Tensor measured = exact.estimate(x, chain.time(t)).score();
    evidence.equal(fmt::format("largest error of the score at t = {}, relative", t),
                   {largest((measured - expected) / (1 + expected.abs()))}, 0, 1e-9);
    for (int64_t i = 0; i < d; ++i) {
      const Tensor e = h * at::eye(d, at::kDouble)[i];
      const auto log_density = [&](const Tensor& y) {
        return mixture.components(y, a, s, true).first.logsumexp(0);
      };
      const Tensor slope = (log_density(x + e) - log_density(x - e)) / (2 * h);
      evidence.equal(fmt::format("largest error of d log q / d x_{} at t = {}, relative", i + 1, t),
                     {largest((measured.select(1, i) - slope) / (1 + slope.abs()))}, 0, 1e-6);
    }
  }
}

}  // namespace

void add_s3_unrolled(Checks& checks) {
  const std::vector<std::pair<std::string, ChainTable>> chains = {
      {"fixed", ChainTable::notebook()}, {"varying", ChainTable::linear(100, 1e-3, 0.12)}};
  for (const auto& [name, chain] : chains)
    checks.push_back(
        {.id = "s3.chain.unrolled-" + name,
         .source = name == "fixed" ? "S3, 1.1.1" : "S3, 1.1.2",
         .statement = "x_t = sqrt(alphabar_t) (x_0 + sum sqrt(beta_i / alphabar_i) eps_i)",
         .measure = [chain = chain](const Trial& t, Evidence& e) { unrolled(chain, t, e); },
         .ingredients = {{"factor", "the steps after i leave eps_i as it is"}},
         .settings = {table_setting(chain, name == "fixed" ? "constant:steps=200,beta=0.04"
                                                           : "linear:steps=100,first=0.001,last=0.12")}});
  checks.push_back({.id = "s3.chain.interpolation",
                    .source = "S3, 1.1.2",
                    .statement = "beta from 0 to 1 goes from a constant chain to white noise",
                    .measure = interpolation,
                    .ingredients = {{"root", "the factor is 1 - beta for its root"}}});
  for (const int64_t d : {2, 3, 6})
    checks.push_back({.id = fmt::format("s3.score.mixture-full-d{}", d),
                      .source = "S3, 3.2",
                      .statement = fmt::format("The score of a mixture of full covariances in R^{}", d),
                      .measure = full_mixture_score,
                      .ingredients = {{"full", "the covariances are cut to their diagonals"}},
                      .settings = {Setting::integer("dims", d, 2, 12, "dimensions"),
                                   Setting::integer("components", 3, 1, 12, "components, drawn at random")}});
}

}  // namespace fokker::verify
