// S0, Theorem 12.3 where q(y | x) is not normal with one variance.
#include <cmath>
#include <numbers>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/objective/score_matching.h"

namespace fokker::verify {
namespace {

/// q(y | x) and its score in y; y (m) and x (n, 1) give (n, m).
struct ConditionalLaw {
  std::string name;
  std::function<Tensor(const Tensor&y, const Tensor&x)> log_density, score;
  double variance;  ///< of y - x, its mean over x
};

/// y = x + s L, L logistic: heavier tails than a normal law.
ConditionalLaw logistic_law() {
  const double s = 0.5;
  return {.name = "logistic",
          .log_density =
              [=](const Tensor& y, const Tensor& x) {
                const Tensor u = (y - x) / s;
                return -u.abs() - 2 * (-u.abs()).exp().log1p() - std::log(s);
              },
          .score = [=](const Tensor& y, const Tensor& x) { return -((y - x) / (2 * s)).tanh() / s; },
          .variance = s * s * std::numbers::pi * std::numbers::pi / 3};
}

/// y ~ N(x, 0.3 + 0.2 x^2): the noise depends on x.
ConditionalLaw heteroscedastic_law(const GaussianMixture& prior) {
  const auto variance = [](const Tensor& x) { return 0.3 + 0.2 * x.square(); };
  return {.name = "heteroscedastic",
          .log_density =
              [=](const Tensor& y, const Tensor& x) {
                return -0.5 * ((y - x).square() / variance(x) + (2 * std::numbers::pi * variance(x)).log());
              },
          .score = [=](const Tensor& y, const Tensor& x) { return -(y - x) / variance(x); },
          .variance = 0.3 + 0.2 * (prior.covariance() + prior.mean().square()).item<double>()};
}

/// The density of Y as a sum over nodes of X, and its score by differences of its logarithm.
FunctionDistribution marginal_of(const ConditionalLaw& law, const Quadrature& prior) {
  const auto log_density = [=](const Tensor& y) {
    return (prior.weights.log().unsqueeze(1) + law.log_density(y.squeeze(1), prior.x)).logsumexp(0);
  };
  const double h = 1e-4;
  return FunctionDistribution(
      {.name = "marginal",
       .dimension = 1,
       .log_density = log_density,
       .score =
           [=](const Tensor& y) {
             return ((log_density(y + h) - log_density(y - h)) / (2 * h)).unsqueeze(1);
           },
       .sample = {}});
}

/// J(s) less the conditional loss is C = E|grad log q_Y|^2 - E|grad log q(Y | X)|^2 for every s.
void constant_gap_of(const std::string& kind, const Trial& trial, Evidence& evidence) {
  const GaussianMixture& prior = trial.settings().law();
  const Quadrature x = mixture_quadrature(prior, 61, 7);
  const ConditionalLaw law = kind == "logistic" ? logistic_law() : heteroscedastic_law(prior);
  const FunctionDistribution marginal = marginal_of(law, x);
  const Line y = line(-22, 22, 2200);
  const Tensor states = y.states(), density = marginal.log_density(states).exp();
  const Tensor joint = x.weights.unsqueeze(1) * law.log_density(y.x, x.x).exp();
  const Tensor exact = law.score(y.x, x.x);
  // As if the noise were normal with its mean variance.
  const Tensor matched = trial.has("conditional") ? exact : -(y.x - x.x) / law.variance;
  const Tensor score = marginal.score(states).squeeze(1);
  const double expected =
      y.integral(density * score.square()) - (joint * exact.square()).sum().item<double>() * y.step;
  std::vector<Field> fields = unrelated_fields();
  fields.push_back({"the exact score", [&](const Tensor& at) { return marginal.score(at); }});
  for (const Field& s : fields) {
    const double marginal_loss = y.integral(density * fisher_divergence(s.value, marginal, states));
    const Tensor distance = (s.value(states).squeeze(1) - matched).square();
    evidence.equal("gap for " + s.name, {marginal_loss - (joint * distance).sum().item<double>() * y.step},
                   expected, 1e-6);
  }
}

}  // namespace

void add_s0_conditional(Checks& checks) {
  for (const std::string kind : {"logistic", "heteroscedastic"})
    checks.push_back(
        {.id = "s0.learning.constant-" + kind,
         .source = "S0, Theorem 12.3",
         .statement = "The theorem's constant is one for every s where q(y | x) is " + kind,
         .measure = [kind](const Trial& t, Evidence& e) { constant_gap_of(kind, t, e); },
         .ingredients = {{"conditional", "grad log q(y | x) is that of a normal law of the mean variance"}},
         .settings = {skewed_setting({.least_deviation = 0.3, .most_deviation = 0.9, .reach = 2})}});
}

}  // namespace fokker::verify
