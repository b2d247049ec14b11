// S2, section 4.1, the background, on a line: an energy-based model by maximum likelihood and by score
// matching, and an implicit model g(Z).
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/objective/score_matching.h"

namespace fokker::verify {
namespace {

/// p_theta = exp(-theta_1 x^2 / 2 - theta_2 x^4 / 4) / Z(theta): two wells for theta = (-1, 1/2).
struct Quartic {
  double first = 0, second = 0;
};
constexpr Quartic true_quartic{-1, 0.5};

Tensor quartic_log_weight(const Quartic& q, const Tensor& x) {
  return -(q.first / 2 * x.square() + q.second / 4 * x.pow(4));
}

/// Draws by the inverse of the distribution function on a fine grid.
Tensor quartic_sample(int64_t n, const Rng& rng) {
  const Line nodes = line(-5, 5, 40'000);
  const Tensor F = quartic_log_weight(true_quartic, nodes.x).softmax(0).cumsum(0);
  const Tensor u = rng.uniform({n}, {}, at::kDouble);
  return nodes.x.index_select(0, at::searchsorted(F, u).clamp_max(nodes.x.size(0) - 1));
}

/// A symmetric 2 x 2 system, and the standard errors of its solution for rows of the right side (n, 2).
struct Estimate2 {
  Quartic value;
  double errors[2];
};

/// Score matching: s = -theta_1 x - theta_2 x^3 makes eq. 4.3 quadratic, |s|^2 + 2 div s = theta^T A theta -
/// 2 theta . b with A = mean (x, x^3)(x, x^3)^T, b = factor mean (1, 3 x^2).
Estimate2 by_score_matching(const Tensor& x, double factor) {
  const Tensor phi = at::stack({x, x.pow(3)}, 1),
               psi = factor * at::stack({at::ones_like(x), 3 * x.square()}, 1);
  const double n = static_cast<double>(x.size(0));
  const Tensor inverse = (phi.t().matmul(phi) / n).inverse(), theta = inverse.matmul(psi.mean(0));
  // Of each row A_i theta - b_i is the gradient: A^-1 times its deviation is the estimate's (the sandwich).
  const Tensor rows = (phi * phi.matmul(theta).unsqueeze(1) - psi).matmul(inverse);
  const Tensor deviation = rows.std(0) / std::sqrt(n);
  return {{theta[0].item<double>(), theta[1].item<double>()},
          {deviation[0].item<double>(), deviation[1].item<double>()}};
}

/// Maximum likelihood, eq. 4.1: the model's means of x^2/2 and x^4/4 are the data's, by Newton's method with
/// Z and its derivatives by quadrature over [-reach, reach].
Estimate2 by_likelihood(const Tensor& x, double reach) {
  const Line nodes = line(-reach, reach, 4000);
  const Tensor T = at::stack({nodes.x.square() / 2, nodes.x.pow(4) / 4}, 1);
  const double data[2] = {(x.square() / 2).mean().item<double>(), (x.pow(4) / 4).mean().item<double>()};
  Quartic q = true_quartic;
  double a = 1, b = 0, c = 1;
  for (int i = 0; i < 30; ++i) {
    const Tensor p = quartic_log_weight(q, nodes.x).softmax(0).unsqueeze(1), mean = (p * T).sum(0);
    const Tensor C = (p * (T - mean)).t().matmul(T - mean);
    a = C[0][0].item<double>(), b = C[0][1].item<double>(), c = C[1][1].item<double>();
    const double u = mean[0].item<double>() - data[0], v = mean[1].item<double>() - data[1];
    q.first += (c * u - b * v) / (a * c - b * b);
    q.second += (a * v - b * u) / (a * c - b * b);
  }
  const double n = static_cast<double>(x.size(0)), det = a * c - b * b;
  return {q, {std::sqrt(c / det / n), std::sqrt(a / det / n)}};
}

/// Both find theta; only maximum likelihood needs Z. The library's eq. 4.3 is stationary at the estimate.
void energy_models(const Trial& trial, Evidence& evidence) {
  const Tensor x = quartic_sample(trial.settings().integer("n"), trial.rng());
  const auto compare = [&](const std::string& method, const Estimate2& e) {
    evidence.equal("theta_1 by " + method, {e.value.first, e.errors[0]}, true_quartic.first, 1e-3);
    evidence.equal("theta_2 by " + method, {e.value.second, e.errors[1]}, true_quartic.second, 1e-3);
  };
  compare("maximum likelihood", by_likelihood(x, trial.has("normaliser") ? 5 : 1.8));
  const Estimate2 matched = by_score_matching(x, trial.has("factor 2") ? 1 : 0.5);
  compare("score matching", matched);
  const auto loss = [&](double first, double second) {
    const ScoreFunction s = [=](const Tensor& y) { return -first * y - second * y.pow(3); };
    return implicit_score_matching(s, x.unsqueeze(1)).detach().mean().item<double>();
  };
  // The loss is quadratic, so a central difference is its derivative.
  const auto& [first, second] = matched.value;
  evidence.equal("derivative of eq. 4.3 in theta_1",
                 {(loss(first + 0.5, second) - loss(first - 0.5, second))}, 0, 1e-9);
  evidence.equal("derivative of eq. 4.3 in theta_2",
                 {(loss(first, second + 0.5) - loss(first, second - 0.5))}, 0, 1e-9);
}

/// Normal quantiles of the ranks (i - 1/2) / m.
Tensor normal_ranks(int64_t m) {
  const Tensor u = (at::arange(m, at::kDouble) + 0.5) / static_cast<double>(m);
  return std::sqrt(2.0) * at::erfinv(2 * u - 1);
}

/// The implicit model g(Z) = a + b Z nearest to the data in W_2, which on the line couples equal ranks: a = E
/// X and b = int F^-1(u) Phi^-1(u) du = int phi(Phi^-1(F(x))) dx, at the distance W_2^2 = Var X - b^2, here
/// over batches of empirical measures.
void implicit_model(const Trial& trial, Evidence& evidence) {
  const LineMixture data = LineMixture::of(trial.settings().law());
  const int64_t batches = 60, m = 2'000;
  const Line coarse = line_over(trial.settings().law()),
             nodes = line(coarse.x[0].item<double>(), coarse.x[-1].item<double>(), 8 * coarse.x.size(0));
  const Tensor quantile =
      std::sqrt(2.0) * at::erfinv((2 * data.distribution(nodes.x) - 1).clamp(-1 + 1e-15, 1 - 1e-15));
  const double slope = nodes.integral(normal_log_density(quantile, 0, 1).exp());
  const Tensor x = std::get<0>(data.mixture().sample(batches * m, trial.rng()).reshape({batches, m}).sort(1));
  const Tensor z = normal_ranks(m), a = x.mean(1);
  const Tensor fitted = x.matmul(z) / z.square().sum(), b = trial.has("nearest") ? fitted : x.std(1);
  const Tensor distance = (x - a.unsqueeze(1) - b.unsqueeze(1) * z).square().mean(1);
  // Ranks stand for (i - 1/2) / m: the allowances are of order log(m) / m.
  evidence.equal("a", mean_of(a), data.mean());
  const double scale = std::max(1.0, data.variance() / 3);
  evidence.equal("b", mean_of(b), slope, 2e-3 * std::sqrt(scale));
  evidence.equal("W_2^2 of g(Z) and the empirical measure", mean_of(distance),
                 data.variance() - slope * slope, 5e-3 * scale);
}

}  // namespace

void add_s2_background(Checks& checks) {
  checks.push_back({.id = "s2.background.energy-model",
                    .source = "S2, section 4.1, eq. 4.1, and 4.2",
                    .statement = "Maximum likelihood with its normaliser and score matching find one energy",
                    .measure = energy_models,
                    .ingredients = {{"normaliser", "Z is the integral over [-1.8, 1.8] alone"},
                                    {"factor 2", "the divergence counts once in eq. 4.3"}},
                    .settings = {Setting::integer("n", 20'000, 1000, 1'000'000, "draws")}});
  checks.push_back(
      {.id = "s2.background.implicit-model",
       .source = "S2, section 4.1",
       .statement = "The map g(Z) nearest to the empirical measure has its closed form",
       .measure = implicit_model,
       .ingredients = {{"nearest", "g matches the mean and the variance instead"}},
       .settings = {skewed_setting({.least_deviation = 0.1, .most_deviation = 5, .reach = 20})}});
}

}  // namespace fokker::verify
