// S3, 1.1.1 and 1.1.2: the chain unrolled and its variance; 2.3: Tweedie's formula.
#include <cmath>

#include "fokker/course/explain/derivation.h"
#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"

namespace fokker::explain {
namespace {

std::vector<Line> lines_of_sums(bool right) {
  const double a = std::sqrt(0.96), s = 0.2, x0 = 3;
  const std::vector<double> eps = {0.5, -1.2, 0.3, 0.9, -0.7};
  const auto t = static_cast<double>(eps.size());
  double x1 = a * x0 + s * eps[0], x = x0, noise = 0, diagonal = 0, all = 0;
  for (const double e : eps) x = a * x + s * e;
  for (size_t i = 0; i < eps.size(); ++i) {
    const double weight = std::pow(a, t - 1 - static_cast<double>(i));
    noise += weight * eps[i];
    diagonal += weight * weight;
    for (size_t j = 0; j < eps.size(); ++j) all += weight * std::pow(a, t - 1 - static_cast<double>(j));
  }
  // E eps_i eps_j is 1 where i = j and 0 elsewhere, by quadrature over the plane; the mistake keeps i != j.
  const verify::Quadrature z = verify::normal_quadrature(2, 41, 7);
  const double mixed = z.mean(z.x.select(1, 0) * z.x.select(1, 1)), own = z.mean(z.x.select(1, 0).square());
  const double double_sum = diagonal * own + (all - diagonal) * (right ? mixed : 1);
  double powers = 0;
  for (int k = 0; k < 5; ++k) powers += std::pow(a, 2 * k);
  const double geometric = (1 - std::pow(a, 2 * t)) / (1 - a * a);
  const auto chain = verify::ChainTable::linear(100, 1e-3, 0.12);
  double telescope = 0;
  for (int64_t i = 1; i <= 50; ++i) telescope += chain.beta(i) / chain.alphabar(i);
  const double one = 1 / chain.alphabar(7) - 1 / chain.alphabar(6);
  return {
      {"x_2=a x_1+\\sigma\\epsilon_2=a^2 x_0+\\sigma(a\\epsilon_1+\\epsilon_2)", "Two steps, unrolled.",
       a * x1 + s * eps[1], a * a * x0 + s * (a * eps[0] + eps[1])},
      {"x_t=a^t x_0+\\sigma\\sum_{i}a^{t-i}\\epsilon_i",
       "t = 5 steps: left one after another, right the sum.", x, std::pow(a, t) * x0 + s * noise},
      {"\\E(\\sum_i a^{t-i}\\epsilon_i)^2=\\sum_i a^{2(t-i)}\\E\\epsilon_i^2+\\sum_{i\\ne "
       "j}a^{t-i}a^{t-j}\\E\\epsilon_i\\epsilon_j",
       "The square multiplied out; in the second sum i ≠ j, which the notebook leaves out. It vanishes.",
       diagonal, double_sum},
      {"\\sum_i a^{2(t-i)}=\\sum_{k=0}^{t-1}a^{2k}", "Counted from the other end.", diagonal, powers},
      {"\\sum_{k=0}^{t-1}a^{2k}=\\frac{1-a^{2t}}{1-a^2}", "A geometric sum.", powers, geometric},
      {"\\sigma^2\\frac{1-a^{2t}}{1-a^2}=1-a^{2t}", "With a² = 1 − σ².", s * s * geometric,
       1 - std::pow(a, 2 * t)},
      {"\\frac{1-\\alpha_i}{\\bar{\\alpha}_i}=\\frac{1}{\\bar{\\alpha}_i}-\\frac{1}{\\bar{\\alpha}_{i-1}}",
       "1.1.2, a factor that varies: each term is a difference (i = 7 of β from 0.001 to 0.12).",
       chain.beta(7) / chain.alphabar(7), one},
      {"\\sum_{i=1}^{t}\\frac{1-\\alpha_i}{\\bar{\\alpha}_i}=\\frac{1}{\\bar{\\alpha}_t}-1",
       "The sum telescopes (t = 50).", telescope, 1 / chain.alphabar(50) - 1},
      {"\\bar{\\alpha}_t\\sum_{i=1}^{t}\\frac{1-\\alpha_i}{\\bar{\\alpha}_i}=1-\\bar{\\alpha}_t",
       "The variance of x_t given x_0.", chain.alphabar(50) * telescope, 1 - chain.alphabar(50)},
  };
}

std::vector<Line> lines_of_tweedie(bool right) {
  const verify::LineMixture law({0.3, 0.7}, {-1, 0.8}, {0.05, 0.3});
  const double sigma = 0.5, v = sigma * sigma, x = 0.4, h = 1e-4;
  const verify::Line s = verify::line_over(law.mixture(), sigma);
  const Tensor prior = law.log_density(s.x).exp();
  const auto kernel = [&](double at) { return verify::normal_log_density(at - s.x, 0, v).exp(); };
  const auto p = [&](double at) { return s.integral(prior * kernel(at)); };
  const double mean = s.integral(prior * kernel(x) * s.x) / p(x), slope = (p(x + h) - p(x - h)) / (2 * h);
  const Tensor pull = (s.x - x) / v;
  const double under = s.integral(prior * kernel(x) * pull);
  const Tensor at = at::full({1, 1}, x, at::kDouble);
  const double score = law.mixture().noised(1, sigma).score(at).item<double>();
  const double known = law.mixture().noised(1, sigma).log_density(at).exp().item<double>();
  return {
      {"p(x)=\\int p(s)\\phi_{\\sigma}(x-s)\\,ds", "x = s + noise; left the noised mixture's density.", known,
       p(x)},
      {"p'(x)=\\int p(s)\\frac{s-x}{\\sigma^2}\\phi_{\\sigma}(x-s)\\,ds",
       "Differentiated under the integral.", slope, under, 1e-7},
      {"\\int p(s)\\frac{s-x}{\\sigma^2}\\phi_{\\sigma}(x-s)\\,ds=\\frac{\\E[s|x]-x}{\\sigma^2}p(x)",
       "p(s) φ(x − s)/p(x) is the density of s given x.", under, (mean - x) / v * p(x)},
      {"\\frac{p'(x)}{p(x)}=\\nabla\\log p(x)", "The chain rule; right the library's score.", slope / p(x),
       score, 1e-7},
      {"\\E[s|x]=x+\\sigma^2\\nabla\\log p(x)", "Divided by p(x) and solved for E[s | x].", mean,
       x + (right ? v : sigma) * score},
  };
}

}  // namespace

Derivation sums_of_the_chain() {
  return {.id = "s3.chain.unrolled-fixed",
          .title = "The chain unrolled, and its variance",
          .source = "S3, sections 1.1.1 and 1.1.2",
          .setting = "σ = 0.2, a = √0.96, x_0 = 3, ε = 0.5, −1.2, 0.3, 0.9, −0.7",
          .mistake = {"i != j", "noises of different steps are taken for equal: E ε_i ε_j = 1"},
          .lines = lines_of_sums};
}

Derivation tweedie_formula() {
  return {.id = "s3.tweedie.mixture",
          .title = "Tweedie's formula",
          .source = "S3, section 2.3",
          .setting =
              "s from 0.3 N(−1, 0.05) + 0.7 N(0.8, 0.3), σ = 0.5, at x = 0.4; integrals as sums over nodes",
          .mistake = {"square", "the score is multiplied by σ, not by σ²"},
          .lines = lines_of_tweedie};
}

}  // namespace fokker::explain
