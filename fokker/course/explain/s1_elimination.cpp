// S1, "Eliminate X_0": the "long and tedious" rearrangement, at one point of one step.
#include <cmath>

#include "fokker/course/explain/derivation.h"
#include "fokker/course/verify/chain_table.h"

namespace fokker::explain {
namespace {

std::vector<Line> lines_of_elimination(bool right) {
  const auto chain = verify::ChainTable::short_chain();
  const int64_t t = 3;
  const double beta = chain.beta(t), alpha = 1 - beta, bar = chain.alphabar(t),
               before = chain.alphabar(t - 1);
  const double x0 = 0.7, eps = -0.4;
  const auto number = [](double value) { return at::full({1, 1}, value, at::kDouble); };
  const double xt = chain.process().perturb(number(x0), number(eps), chain.time(t)).item<double>();
  const auto q = chain.process().posterior(chain.time(t - 1), chain.time(t));
  const double mean = q.data * x0 + q.state * xt;  // the library's mu-tilde
  const double state = std::sqrt(alpha) * (1 - before) / (1 - bar);
  // The mistake, the slide's X_T for X_t: the last step's point is inserted.
  const double x_last = std::sqrt(chain.alphabar(5)) * x0 + std::sqrt(1 - chain.alphabar(5)) * eps;
  const double inserted = ((right ? xt : x_last) - std::sqrt(1 - bar) * eps) / std::sqrt(bar);
  const double solved = xt - std::sqrt(1 - bar) * eps, pull = beta / ((1 - bar) * std::sqrt(alpha));
  return {
      {"x_t=\\sqrt{\\bar{\\alpha}_t}x_0+\\sqrt{1-\\bar{\\alpha}_t}\\epsilon", "x_t given x_0 in one step.",
       xt, std::sqrt(bar) * x0 + std::sqrt(1 - bar) * eps},
      {"x_0=\\frac{1}{\\sqrt{\\bar{\\alpha}_t}}(x_t-\\sqrt{1-\\bar{\\alpha}_t}\\epsilon)", "Solved for x_0.",
       x0, inserted},
      {"\\tilde{\\mu}_t=\\frac{\\sqrt{\\bar{\\alpha}_{t-1}}\\beta_t}{1-\\bar{\\alpha}_t}x_0+\\frac{\\sqrt{"
       "\\alpha_t}(1-\\bar{"
       "\\alpha}_{t-1})}{1-\\bar{\\alpha}_t}x_t",
       "The mean of q(x_{t−1} | x_t, x_0); left, the library's.", mean,
       std::sqrt(before) * beta / (1 - bar) * x0 + state * xt},
      {"\\tilde{\\mu}_t=\\frac{\\sqrt{\\bar{\\alpha}_{t-1}}\\beta_t}{(1-\\bar{\\alpha}_t)\\sqrt{\\bar{"
       "\\alpha}_t}}(x_t-\\sqrt{1-"
       "\\bar{\\alpha}_t}\\epsilon)+\\frac{\\sqrt{\\alpha_t}(1-\\bar{\\alpha}_{t-1})}{1-\\bar{\\alpha}_t}x_t",
       "x_0 is inserted.", mean,
       std::sqrt(before) * beta / ((1 - bar) * std::sqrt(bar)) * solved + state * xt},
      {"\\frac{\\sqrt{\\bar{\\alpha}_{t-1}}}{\\sqrt{\\bar{\\alpha}_t}}=\\frac{1}{\\sqrt{\\alpha_t}}",
       "ᾱ_t = α_t ᾱ_{t−1}: the products cancel.", std::sqrt(before) / std::sqrt(bar), 1 / std::sqrt(alpha)},
      {"\\tilde{\\mu}_t=[\\frac{\\beta_t}{(1-\\bar{\\alpha}_t)\\sqrt{\\alpha_t}}+\\frac{\\sqrt{\\alpha_t}(1-"
       "\\bar{\\alpha}_{t-1})"
       "}{1-\\bar{\\alpha}_t}]x_t-\\frac{\\beta_t}{\\sqrt{1-\\bar{\\alpha}_t}\\sqrt{\\alpha_t}}\\epsilon",
       "Collected by x_t and ε.", mean, (pull + state) * xt - pull * std::sqrt(1 - bar) * eps},
      {"\\beta_t+\\alpha_t(1-\\bar{\\alpha}_{t-1})=1-\\bar{\\alpha}_t",
       "As β_t + α_t = 1 and α_t ᾱ_{t−1} = ᾱ_t.", beta + alpha * (1 - before), 1 - bar},
      {"\\frac{\\beta_t+\\alpha_t(1-\\bar{\\alpha}_{t-1})}{(1-\\bar{\\alpha}_t)\\sqrt{\\alpha_t}}=\\frac{1}{"
       "\\sqrt{\\alpha_t}}",
       "So the bracket before x_t is 1/√α_t.", pull + state, 1 / std::sqrt(alpha)},
      {"\\tilde{\\mu}_t=\\frac{1}{\\sqrt{\\alpha_t}}(x_t-\\frac{\\beta_t}{\\sqrt{1-\\bar{\\alpha}_t}}"
       "\\epsilon)",
       "The mean without x_0, as the slides have it.", mean,
       (xt - beta / std::sqrt(1 - bar) * eps) / std::sqrt(alpha)},
  };
}

}  // namespace

Derivation elimination_of_x0() {
  return {.id = "s1.posterior.noise-form",
          .title = "The data point is eliminated from the mean of a step back",
          .source = "S1, \"Eliminate X_0\"",
          .setting = "β = 0.05, 0.1, 0.2, 0.4, 0.6; t = 3; x_0 = 0.7, ε = −0.4",
          .mistake = {"step t", "x_T is inserted for x_t, as the slide prints"},
          .lines = lines_of_elimination};
}

}  // namespace fokker::explain
