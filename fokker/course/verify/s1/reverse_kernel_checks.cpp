// S1, backward process I: the exact q(x_{t-1} | x_t), which depends on the unknown data, is known for a
// mixture.
#include <cmath>

#include "fokker/course/problem/joint_gaussian.h"
#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/mixture_comparison.h"
#include "fokker/course/verify/problems.h"
#include "fokker/denoise/analytic.h"

namespace fokker::verify {
namespace {

/// Row indices of components drawn with the probabilities (n, k).
Tensor drawn_components(const Tensor& shares, const Rng& rng) {
  const Tensor u = rng.uniform({shares.size(0), 1}, {}, at::kDouble);
  return shares.cumsum(1).lt(u).sum(1).clamp_max(shares.size(1) - 1);
}

/// x_{i-1} given x_i: a component by its responsibility p(k | x_i), then that component's normal law of
/// x_{i-1} given x_i, whose joint law with x_i is normal. Or with the prior weights for the
/// responsibilities.
Tensor exact_reverse_draw(const AnalyticDenoiser& exact, const ChainTable& chain, int64_t i, const Tensor& x,
                          bool responsible, const Rng& rng) {
  const GaussianMixture& data = exact.target();
  const int64_t d = data.dimension();
  const double a = chain.alphabar(i - 1), beta = chain.beta(i), r = std::sqrt(1 - beta);
  const Tensor I = at::eye(d, at::kDouble);
  const Tensor shares = responsible ? exact.marginal(chain.time(i)).responsibilities(x)
                                    : data.weights().unsqueeze(0).expand({x.size(0), -1});
  const Tensor component = drawn_components(shares, rng.stream("component"));
  const Tensor z = rng.stream("noise").normal(x.sizes(), {}, at::kDouble);
  Tensor next = at::empty_like(x);
  for (int64_t k = 0; k < data.components(); ++k) {
    const Tensor before = std::sqrt(a) * data.means()[k], P = a * data.component_covariance(k) + (1 - a) * I;
    const BlockGaussian joint(before, r * before, P, r * P, r * r * P + beta * I);
    const GaussianLaw given = joint.first_given(x);
    const Tensor draw = given.mean + z.matmul(at::linalg_cholesky(given.covariance).t());
    next = at::where((component == k).unsqueeze(1), draw, next);
  }
  return next;
}

/// From the exact law of x_T down the five long steps of the short chain: the data's law, exactly.
void exact_reverse(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& data = trial.settings().law();
  const ChainTable chain(trial.settings().betas());
  const AnalyticDenoiser exact(data, chain.process());
  Tensor x = exact.marginal(1.0).sample(trial.settings().integer("n"), trial.rng().stream("start"));
  for (int64_t i = chain.steps(); i >= 1; --i) {
    const Rng rng = trial.rng().stream(static_cast<uint64_t>(i));
    if (trial.has("mixture")) {
      x = exact_reverse_draw(exact, chain, i, x, trial.has("responsibility"), rng);
    } else {
      const double variance = i > 1 ? chain.beta(i) : 0;
      x = reverse_mean(exact, x, chain.time(i), chain.time(i - 1)) +
          std::sqrt(variance) * rng.normal(x.sizes(), {}, at::kDouble);
    }
    const int64_t middle = (chain.steps() + 1) / 2;
    if (i == middle && middle > 1)
      compare_with_mixture(evidence, fmt::format("of x_{}", i - 1), x, exact.marginal(chain.time(i - 1)));
  }
  compare_with_mixture(evidence, "of x_0", x, data);
}

}  // namespace

void add_s1_reverse_kernel(Checks& checks) {
  const std::vector<std::pair<std::string, Setting>> laws = {
      {"line", skewed_setting()}, {"plane", tilted_setting({.least_dimension = 2, .most_dimension = 2})}};
  for (const auto& [name, data] : laws)
    checks.push_back(
        {.id = "s1.posterior.reverse-kernel-" + name,
         .source = "S1, backward process I",
         .statement = "Sampling x_T and each q(x_{t-1} | x_t) of a mixture in turn returns q_D",
         .measure = exact_reverse,
         .ingredients = {{"mixture", "each step is one normal law N(mu, beta) of the right mean"},
                         {"responsibility", "components are drawn by their weights, whatever x_t is"}},
         .settings = {data, table_setting(ChainTable::short_chain(), "0.05, 0.1, 0.2, 0.4, 0.6", 50),
                      Setting::integer("n", 20'000, 100, 500'000, "chains")}});
}

}  // namespace fokker::verify
