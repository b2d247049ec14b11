// S0, Theorem 12.3 and Exercise 12.2.
#include <cmath>
#include <numbers>

#include "fokker/course/explain/derivation.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"

namespace fokker::explain {
namespace {

/// X from a mixture on the line and Y = X + eta Z, on nodes of both: rows are y, columns x.
struct NoisyPair {
  double eta;
  GaussianMixture prior, marginal;
  verify::Line x, y;
  Tensor joint;         ///< q(x, y)
  Tensor likelihood;    ///< grad_y log q(y | x)
  Tensor q_y, score_y;  ///< of Y: density and grad log

  explicit NoisyPair(double noise)
      : eta(noise),
        prior(verify::skewed_mixture()),
        marginal(prior.noised(1, noise)),
        x(verify::line_over(prior, noise)),
        y(verify::line_over(marginal)) {
    const Tensor away = y.x.unsqueeze(1) - x.x;
    joint = verify::normal_log_density(away, 0, eta * eta).exp() * prior.log_density(x.states()).exp();
    likelihood = -away / (eta * eta);
    q_y = marginal.log_density(y.states()).exp();
    score_y = marginal.score(y.states()).squeeze(1);
  }
  double over_y(const Tensor& values) const { return y.integral(q_y * values); }
  /// Of values (y, x) under the joint law.
  double over_both(const Tensor& values) const {
    return (joint * values).sum().item<double>() * x.step * y.step;
  }
  /// int q(x | y) f(x, y) dx at every y.
  Tensor given_y(const Tensor& values) const { return (joint * values).sum(1) * x.step / q_y; }
};

Tensor tried_score(const Tensor& y) {
  return (2 * y).sin() - 0.5 * y;
}

std::vector<explain::Line> lines_of_theorem(bool right) {
  const NoisyPair p(0.8);
  const Tensor s = tried_score(p.y.x), both = s.unsqueeze(1);
  const double square = p.over_y(s.square()), information = p.over_y(p.score_y.square()),
               conditional = p.over_both(p.likelihood.square());
  const double J = p.over_y((s - p.score_y).square()), cross = p.over_y(s * p.score_y);
  const double cross_both = p.over_both(both * p.likelihood), factor = right ? 2 : 1;
  const double denoising = p.over_both((both - p.likelihood).square());
  return {
      {"\\E\\,|s(Y)-\\nabla\\log q_Y(Y)|^2=\\E\\,|s|^2-2\\E\\,s\\cdot\\nabla\\log q_Y+\\E\\,|\\nabla\\log "
       "q_Y|^2",
       "The square is multiplied out. The last term does not depend on s: it is C'.", J,
       square - factor * cross + information},
      {"\\int s\\cdot\\nabla\\log q_Y\\,q_Y\\,dy=\\int s\\cdot[\\int q_{X|Y}\\nabla_y\\log "
       "q_{Y|X}\\,dx]\\,q_Y\\,dy",
       "Fisher's identity (Exercise 12.2) inside the integral.", cross,
       p.over_y(s * p.given_y(p.likelihood))},
      {"\\int s\\cdot[\\int q_{X|Y}\\nabla_y\\log q_{Y|X}\\,dx]\\,q_Y\\,dy=\\int\\int s\\cdot\\nabla_y\\log "
       "q_{Y|X}\\,q_{X,Y}\\,dx\\,dy",
       "q(x | y) q(y) is the joint density.", p.over_y(s * p.given_y(p.likelihood)), cross_both},
      {"\\int|s|^2 q_Y\\,dy=\\int\\int|s|^2 q_{X,Y}\\,dx\\,dy",
       "s depends on y alone, and x integrates to one.", square, p.over_both(both.square())},
      {"\\E\\,|s-\\nabla\\log q_Y|^2=\\E[|s|^2-2s\\cdot\\nabla_y\\log q_{Y|X}]+C'",
       "The three lines above, put together.", J,
       p.over_both(both.square() - 2 * both * p.likelihood) + information},
      {"\\E\\,|s-\\nabla_y\\log q_{Y|X}|^2=\\E[|s|^2-2s\\cdot\\nabla_y\\log q_{Y|X}]+\\E\\,|\\nabla_y\\log "
       "q_{Y|X}|^2",
       "\"A simple calculation\": the square is completed, by a term without s again.", denoising,
       p.over_both(both.square() - 2 * both * p.likelihood) + conditional},
      {"\\E\\,|s-\\nabla\\log q_Y|^2=\\E\\,|s-\\nabla_y\\log q_{Y|X}|^2+C",
       "So C = E|grad log q_Y|² − E|grad log q(Y | X)|².", J, denoising + information - conditional},
      {"\\E\\,|\\nabla_y\\log q_{Y|X}|^2=\\frac{1}{\\eta^2}",
       "For Y = X + η Z, so that C is known but for E|grad log q_Y|².", conditional, 1 / (p.eta * p.eta)},
  };
}

std::vector<explain::Line> lines_of_fisher(bool right) {
  const NoisyPair p(0.8);
  const double at = 0.6, h = 1e-4;
  const Tensor y = at::full({1, 1}, at, at::kDouble);
  const auto log_posterior = [&](double where) {
    const Tensor w = at::full({1, 1}, where, at::kDouble);
    return verify::normal_log_density(where - p.x.x, 0, p.eta * p.eta) + p.prior.log_density(p.x.states()) -
           p.marginal.log_density(w);
  };
  const Tensor posterior = log_posterior(at).exp();
  const Tensor slope = (log_posterior(at + h) - log_posterior(at - h)) / (2 * h);
  const Tensor change = (log_posterior(at + h).exp() - log_posterior(at - h).exp()) / (2 * h);
  const double score = p.marginal.score(y).item<double>();
  const Tensor likelihood = -(at - p.x.x) / (p.eta * p.eta);
  const double one_x = -0.4;
  const Tensor x1 = at::full({1, 1}, one_x, at::kDouble);
  const double log_prior = p.prior.log_density(x1).item<double>(),
               log_q = p.marginal.log_density(y).item<double>();
  const double log_like =
      -0.5 * std::pow((at - one_x) / p.eta, 2) - 0.5 * std::log(2 * std::numbers::pi * p.eta * p.eta);
  const double log_post = log_like + log_prior - log_q, slope_like = -(at - one_x) / (p.eta * p.eta);
  const auto log_post_at = [&](double where) {
    const Tensor w = at::full({1, 1}, where, at::kDouble);
    return -0.5 * std::pow((where - one_x) / p.eta, 2) - p.marginal.log_density(w).item<double>();
  };
  const double slope_post = (log_post_at(at + h) - log_post_at(at - h)) / (2 * h);
  // The mistake: X is drawn from its prior, whatever y is.
  const Tensor weights = right ? posterior : p.prior.log_density(p.x.states()).exp();
  const double mean = p.x.integral(weights * likelihood);
  return {
      {"\\int q_{X|Y}(x|y)\\,dx=1", "It is a density in x, for every y.", p.x.integral(posterior), 1},
      {"\\int q_{X|Y}\\nabla_y\\log q_{X|Y}\\,dx=\\int\\nabla_y q_{X|Y}\\,dx", "grad log q = grad q / q.",
       p.x.integral(posterior * slope), p.x.integral(change), 1e-7},
      {"\\int\\nabla_y q_{X|Y}\\,dx=\\nabla_y\\int q_{X|Y}\\,dx=0",
       "Differentiation and integration change places: this is eq. 8.", p.x.integral(change), 0, 1e-7},
      {"\\log q_{Y|X}(y|x)=\\log q_{X|Y}(x|y)+\\log q_Y(y)-\\log q_X(x)", "Bayes' rule, at x = −0.4.",
       log_like, log_post + log_q - log_prior},
      {"\\nabla_y\\log q_{Y|X}=\\nabla_y\\log q_{X|Y}+\\nabla\\log q_Y",
       "Differentiated in y: the prior q_X drops out.", slope_like, slope_post + score, 1e-7},
      {"\\int q_{X|Y}\\nabla_y\\log q_{Y|X}\\,dx=0+\\nabla\\log q_Y(y)",
       "Averaged over q(x | y): the first term vanishes by eq. 8, the second does not depend on x.", mean,
       score, 1e-8},
  };
}

}  // namespace

Derivation theorem_12_3() {
  return {
      .id = "s0.learning.constant",
      .title = "Explicit and denoising score matching differ by a constant",
      .source = "S0, proof of Theorem 12.3",
      .setting =
          "X from 0.3 N(−2, 0.25) + 0.7 N(1.5, 0.64), Y = X + 0.8 Z, s(y) = sin 2y − y/2; integrals as sums "
          "over nodes",
      .mistake = {"factor 2", "the cross term of the first line counts once"},
      .lines = lines_of_theorem};
}

Derivation fisher_identity() {
  return {.id = "s0.learning.fisher-identity",
          .title = "Fisher's identity",
          .source = "S0, Exercise 12.2",
          .setting =
              "X from 0.3 N(−2, 0.25) + 0.7 N(1.5, 0.64), Y = X + 0.8 Z, at y = 0.6; integrals as sums over "
              "nodes",
          .mistake = {"posterior", "X is averaged over its prior, not over q(x | y)"},
          .lines = lines_of_fisher};
}

}  // namespace fokker::explain
