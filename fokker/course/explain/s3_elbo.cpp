// S3, 1.2.1: the evidence lower bound, from log p(x_0) to its terms.
#include <array>
#include <cmath>
#include <numbers>

#include "fokker/course/explain/derivation.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"

namespace fokker::explain {
namespace {

using verify::normal_log_density;

/// Three steps of noising of data N(0, 2), and the model N(slope_t x_t, beta_t) of the right means. Paths
/// x_1..x_3 given x_0 are nodes with weights, so that E_q is a sum.
class ThreeSteps {
 public:
  static constexpr int64_t T = 3;
  static constexpr double x0 = 0.8, data_variance = 2;

  ThreeSteps() {
    bar_[0] = 1;
    for (size_t t = 1; t <= T; ++t) bar_[t] = bar_[t - 1] * (1 - beta_[t]);
    const verify::Quadrature z = verify::normal_quadrature(T, 49, 7.5);
    weights = z.weights;
    x_[0] = at::full({z.weights.size(0)}, x0, at::kDouble);
    for (size_t t = 1; t <= T; ++t)
      x_[t] = std::sqrt(1 - beta_[t]) * x_[t - 1] +
              std::sqrt(beta_[t]) * z.x.select(1, static_cast<int64_t>(t) - 1);
  }

  double mean(const Tensor& values) const { return (weights * values).sum().item<double>(); }
  double beta(size_t t) const { return beta_.at(t); }
  double bar(size_t t) const { return bar_.at(t); }
  /// E[x_{t-1} | x_t] = slope x_t for this data.
  double slope(size_t t) const {
    return std::sqrt(1 - beta(t)) * (1 + bar(t - 1) * (data_variance - 1)) /
           (1 + bar(t) * (data_variance - 1));
  }

  // Logarithms of densities along the nodes.
  Tensor prior() const { return normal_log_density(x_[T], 0, 1); }
  Tensor model(size_t t) const { return normal_log_density(x_[t - 1] - slope(t) * x_[t], 0, beta(t)); }
  Tensor step(size_t t) const {
    return normal_log_density(x_[t] - std::sqrt(1 - beta(t)) * x_[t - 1], 0, beta(t));
  }
  Tensor jump(size_t t) const { return normal_log_density(x_[t] - std::sqrt(bar(t)) * x0, 0, 1 - bar(t)); }
  Tensor posterior(size_t t) const {
    return normal_log_density(x_[t - 1] - posterior_mean(t), 0, posterior_variance(t));
  }

  double posterior_variance(size_t t) const { return (1 - bar(t - 1)) / (1 - bar(t)) * beta(t); }
  Tensor posterior_mean(size_t t) const {
    return std::sqrt(bar(t - 1)) * beta(t) / (1 - bar(t)) * x0 +
           std::sqrt(1 - beta(t)) * (1 - bar(t - 1)) / (1 - bar(t)) * x_[t];
  }
  /// E KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)).
  double divergence(size_t t) const {
    const double ratio = posterior_variance(t) / beta(t);
    return 0.5 * (ratio - 1 - std::log(ratio)) +
           mean((posterior_mean(t) - slope(t) * x_[t]).square()) / (2 * beta(t));
  }
  double prior_divergence() const { return 0.5 * (bar(T) * x0 * x0 + 1 - bar(T) - 1 - std::log(1 - bar(T))); }

  /// log p(x_0): the model is linear from N(0, 1), so p(x_0) is normal.
  double evidence() const {
    double variance = 1;
    for (size_t t = T; t >= 1; --t) variance = slope(t) * slope(t) * variance + beta(t);
    return -0.5 * (x0 * x0 / variance + std::log(2 * std::numbers::pi * variance));
  }
  /// The same as integrals over x_3, x_2 and x_1 in turn.
  double integrated() const {
    const verify::Line nodes = verify::line(-12, 12, 600);
    Tensor p = normal_log_density(nodes.x, 0, 1).exp();
    for (size_t t = T; t > 1; --t)
      p = (normal_log_density(nodes.x.unsqueeze(1) - slope(t) * nodes.x, 0, beta(t)).exp() * p).sum(1) *
          nodes.step;
    return std::log(nodes.integral(normal_log_density(x0 - slope(1) * nodes.x, 0, beta(1)).exp() * p));
  }

  Tensor weights;

 private:
  std::array<double, T + 1> beta_ = {0, 0.2, 0.4, 0.6}, bar_ = {};
  std::array<Tensor, T + 1> x_;
};

/// From log p(x_0) to the bound as a sum over the chain.
std::vector<Line> lines_to_the_sum(const ThreeSteps& c) {
  const Tensor p = c.prior() + c.model(1) + c.model(2) + c.model(3), q = c.step(1) + c.step(2) + c.step(3);
  const double log_p = c.evidence(), bound = c.mean(p - q);
  // KL(q(x_1:T | x_0) || p(x_1:T | x_0)) with p(x_1:T | x_0) = p(x_0:T) / p(x_0).
  const double gap = c.mean(q - (p - log_p));
  const Tensor ratios = c.model(2) - c.step(2) + c.model(3) - c.step(3);
  const Tensor first = c.model(1) - c.step(1);
  return {{"\\log p(x_0)=\\log\\int p(x_{0:T})\\,dx_{1:T}",
           "The model's likelihood; left in closed form, right by quadrature.", log_p, c.integrated(), 1e-8},
          {"\\log p(x_0)=\\log\\E_q[\\frac{p(x_{0:T})}{q(x_{1:T}|x_0)}]",
           "Multiplied and divided by q(x_{1:T} | x_0).", log_p, std::log(c.mean((p - q).exp())), 1e-8},
          {"\\log p(x_0)-\\E_q\\log\\frac{p(x_{0:T})}{q(x_{1:T}|x_0)}=\\KL(q(x_{1:T}|x_0)\\Vert "
           "p(x_{1:T}|x_0))\\ge 0",
           "Jensen's inequality: what it loses is a KL, so the bound lies below.", log_p - bound, gap, 1e-8},
          {"\\E_q\\log\\frac{p(x_{0:T})}{q(x_{1:T}|x_0)}=\\E_q[\\log p(x_T)+\\sum_{t\\ge "
           "1}\\log\\frac{p(x_{t-1}|x_t)}{q(x_t|x_{t-1})}]",
           "Both are products over the chain.", bound, c.mean(c.prior() + first + ratios)},
          {"\\sum_{t\\ge "
           "1}\\log\\frac{p(x_{t-1}|x_t)}{q(x_t|x_{t-1})}=\\log\\frac{p(x_0|x_1)}{q(x_1|x_0)}+\\sum_{t\\ge "
           "2}\\log\\frac{p("
           "x_{t-1}|x_t)}{q(x_t|x_{t-1})}",
           "The term t = 1 is split off, in the mean.", c.mean(p - c.prior() - q),
           c.mean(first) + c.mean(ratios)}};
}

/// From the sum to the terms, by Bayes' rule given x_0.
std::vector<Line> lines_to_the_terms(const ThreeSteps& c, bool right) {
  const double bound =
      c.mean(c.prior() + c.model(1) + c.model(2) + c.model(3) - c.step(1) - c.step(2) - c.step(3));
  const double bayes = c.mean(c.posterior(2) + c.jump(2) - c.jump(1));
  // The mistake: the sum of KL terms begins at t = 1, whose term is the reconstruction already.
  const double terms = c.divergence(2) + c.divergence(3) + (right ? 0 : c.mean(c.step(1) - c.model(1)));
  return {
      {"q(x_t|x_{t-1})=\\frac{q(x_{t-1}|x_t,x_0)q(x_t|x_0)}{q(x_{t-1}|x_0)}",
       "Bayes' rule given x_0, as the chain is Markov; the mean logarithm at t = 2.", c.mean(c.step(2)),
       bayes},
      {"\\sum_{t\\ge 2}\\log\\frac{q(x_{t-1}|x_0)}{q(x_t|x_0)}=\\log\\frac{q(x_1|x_0)}{q(x_T|x_0)}",
       "The sum telescopes.", c.mean(c.jump(1) - c.jump(2) + c.jump(2) - c.jump(3)),
       c.mean(c.jump(1) - c.jump(3))},
      {"\\E_q\\log\\frac{p(x_{0:T})}{q(x_{1:T}|x_0)}=\\E_q[\\log\\frac{p(x_T)}{q(x_T|x_0)}+\\sum_{t\\ge "
       "2}\\log\\frac{p(x_{t-1}|x_t)}"
       "{q(x_{t-1}|x_t,x_0)}+\\log p(x_0|x_1)]",
       "Inserted; q(x_1 | x_0) cancels.", bound,
       c.mean(c.prior() - c.jump(3) + c.model(2) - c.posterior(2) + c.model(3) - c.posterior(3) +
              c.model(1))},
      {"\\E_q\\log\\frac{p(x_T)}{q(x_T|x_0)}=-\\KL(q(x_T|x_0)\\Vert p(x_T))",
       "The prior's term, in closed form.", c.mean(c.prior() - c.jump(3)), -c.prior_divergence()},
      {"\\E_q\\log\\frac{p(x_{t-1}|x_t)}{q(x_{t-1}|x_t,x_0)}=-\\E_q\\KL(q(x_{t-1}|x_t,x_0)\\Vert "
       "p(x_{t-1}|x_t))",
       "Each step's term, in closed form; t = 2.", c.mean(c.model(2) - c.posterior(2)), -c.divergence(2)},
      {"\\text{bound}=\\E_q\\log p(x_0|x_1)-\\sum_{t\\ge 2}\\E_q\\KL(q(x_{t-1}|x_t,x_0)\\Vert "
       "p(x_{t-1}|x_t))-\\KL(q(x_T|x_0)\\Vert p("
       "x_T))",
       "Reconstruction, steps from t = 2 on, prior.", bound,
       c.mean(c.model(1)) - terms - c.prior_divergence()},
  };
}

std::vector<Line> lines_of_bound(bool right) {
  const ThreeSteps c;
  std::vector<Line> lines = lines_to_the_sum(c);
  for (Line& line : lines_to_the_terms(c, right)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace

Derivation evidence_lower_bound() {
  return {.id = "s3.elbo.decomposition",
          .title = "The evidence lower bound",
          .source = "S3, section 1.2.1",
          .setting =
              "Data N(0, 2), T = 3, β = 0.2, 0.4, 0.6, x_0 = 0.8; p(x_{t−1} | x_t) has the right mean and "
              "the variance "
              "β_t; E_q over 49³ nodes of (x_1, x_2, x_3)",
          .mistake = {"t >= 2", "the sum of the KL terms runs from t = 1, as the notebook's does"},
          .lines = lines_of_bound};
}

}  // namespace fokker::explain
