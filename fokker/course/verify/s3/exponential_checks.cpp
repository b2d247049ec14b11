// S3, 2.3 and 2.4: Tweedie's formula in an exponential family, and the intermediate steps of the denoising
// autoencoder's optimum.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"

namespace fokker::verify {
namespace {

/// x ~ exp(eta x - psi(eta)) f_0(x): E[eta | x] = (log p)'(x) - (log f_0)'(x) (Efron 2011). Here x given
/// lambda is Gamma(k, lambda), so eta = -lambda and f_0 = x^(k-1), and lambda ~ Gamma(a, b) gives lambda | x
/// ~ Gamma(a
/// + k, b + x).
void tweedie_gamma(const Trial& trial, Evidence& evidence) {
  const double k = trial.settings().real("shape"), a = trial.settings().real("a"),
               b = trial.settings().real("b");
  // In u = log lambda, where everything is smooth and decays: lambda^a e^(-b lambda) lambda^k e^(-x lambda)
  // du.
  const Line u = line(-14, 6, 4000);
  const auto log_marginal = [&](double x) {
    const Tensor terms = (a + k) * u.x - (b + x) * u.x.exp();
    return (k - 1) * std::log(x) + terms.logsumexp(0).item<double>();
  };
  for (const double x : {0.2, 1.0, 2.5, 7.0}) {
    const double h = 1e-4 * x, slope = (log_marginal(x + h) - log_marginal(x - h)) / (2 * h);
    const double carrier = trial.has("carrier") ? (k - 1) / x : 0;
    evidence.equal(fmt::format("E[-lambda | x = {}]", x), {slope - carrier}, -(a + k) / (b + x), 1e-5);
  }
}

/// The same with x ~ N(s, v): eta = s / v and f_0 = N(0, v), so that E[s | x] = v ((log p)' + x / v), which
/// is x + v (log p)', by the library's mixture and by Bayes' rule.
void tweedie_family_normal(const Trial& trial, Evidence& evidence) {
  const LineMixture prior = LineMixture::of(trial.settings().law());
  const double v = trial.settings().real("variance"), mean = prior.mean(),
               deviation = std::sqrt(prior.variance() + v);
  const GaussianMixture noised = prior.mixture().noised(1, std::sqrt(v));
  const Line s = line_over(trial.settings().law(), std::sqrt(v));
  for (const double x :
       {mean - 2 * deviation, mean - 0.6 * deviation, mean + 0.4 * deviation, mean + 1.8 * deviation}) {
    const double slope = noised.score(at::full({1, 1}, x, at::kDouble)).item<double>();
    const double carrier = trial.has("carrier") ? -x / v : 0;
    const Tensor log_weights = prior.log_density(s.x) + normal_log_density(s.x, x, v);
    evidence.equal(fmt::format("E[s / v | x = {:.4g}]", x), {slope - carrier},
                   expectation(log_weights, s.x) / v, 1e-8 * std::max(1.0, std::abs(x) / v));
  }
}

/// E[p(s - eps)] and E[p(s - eps) eps] at s (n), eps ~ N(0, d^2), by quadrature.
struct NoisedMoments {
  Tensor mass, first;
};
NoisedMoments noised_moments(const LineMixture& p, const Tensor& s, double d) {
  const Line z = line(-9, 9, 180);
  const Tensor eps = d * z.x, weights = normal_log_density(z.x, 0, 1).exp() * z.step;
  const Tensor at_s = s.unsqueeze(1) - eps;
  const Tensor density = p.log_density(at_s.flatten()).exp().reshape(at_s.sizes());
  return {(weights * density).sum(1), (weights * density * eps).sum(1)};
}

/// 2.4's rewriting of the loss: int p(x) E|r(x + eps) - x|^2 dx = int E[p(s - eps)|r(s) - s + eps|^2] ds,
/// for an r that is not the best, each side on nodes of its own.
void compare_rewriting(const LineMixture& p, double sigma, Evidence& evidence) {
  const Line x = line_over(p.mixture(), sigma), s = line_over(p.mixture().noised(1, sigma), sigma),
             z = line(-9, 9, 180);
  const Tensor eps = sigma * z.x, weights = normal_log_density(z.x, 0, 1).exp() * z.step;
  const auto r = [](const Tensor& at) { return 0.6 * at + at.sin(); };
  const Tensor noisy = x.x.unsqueeze(1) + eps, clean = s.x.unsqueeze(1) - eps;
  const Tensor left = (weights * (r(noisy) - x.x.unsqueeze(1)).square()).sum(1);
  const Tensor density = p.log_density(clean.flatten()).exp().reshape(clean.sizes());
  const Tensor right = (weights * density * (r(s.x).unsqueeze(1) - clean).square()).sum(1);
  const double expected = x.integral(p.log_density(x.x).exp() * left);
  evidence.equal("the loss, rewritten over s", {s.integral(right)}, expected, 1e-9 * std::max(1.0, expected));
}

/// 2.4: r* = s - E[p(s - eps) eps] / E[p(s - eps)], the numerator -sigma^2 grad p(s) and the denominator
/// p(s), up to terms of higher order in sigma.
void autoencoder_steps(const Trial& trial, Evidence& evidence) {
  const LineMixture p = LineMixture::of(trial.settings().law());
  const double narrow = std::sqrt(variances_of(trial.settings().law()).front()),
               deviation = std::sqrt(p.variance());
  const Tensor s = p.mean() + 2.5 * deviation * at::linspace(-1, 1, 31, at::kDouble);
  const Tensor density = p.log_density(s).exp(), slope = density * p.score(s);
  const double sign = trial.has("sign") ? 1 : -1;
  const std::vector<double> deviations = {0.14 * narrow, 0.07 * narrow, 0.035 * narrow};
  compare_rewriting(p, 0.5 * narrow, evidence);
  std::vector<double> numerators, denominators, ratios;
  for (const double d : deviations) {
    const NoisedMoments m = noised_moments(p, s, d);
    numerators.push_back(largest(m.first + sign * d * d * slope));
    denominators.push_back(largest(m.mass - density));
    ratios.push_back(largest(-m.first / m.mass - sign * d * d * p.score(s)));
    // The optimum itself is the library's E[x | s], and 2.4's condition for it holds at each s.
    const Tensor r = p.mixture().posterior(s.unsqueeze(1), 1, d).denoised.flatten();
    evidence.equal(fmt::format("largest error of r* = s - ratio, sigma = {}", d),
                   {largest(s - m.first / m.mass - r)}, 0, 1e-10);
    evidence.equal(fmt::format("largest E[p(s - eps) (r* - s + eps)], sigma = {}", d),
                   {largest(m.mass * (r - s) + m.first)}, 0, 1e-10);
  }
  evidence.equal("order of E[p(s - eps) eps] + sigma^2 grad p(s)", {observed_order(deviations, numerators)},
                 4, 0.1);
  evidence.equal("order of E[p(s - eps)] - p(s)", {observed_order(deviations, denominators)}, 2, 0.1);
  evidence.equal("order of r* - s - sigma^2 grad log p(s)", {observed_order(deviations, ratios)}, 4, 0.1);
}

}  // namespace

void add_s3_exponential(Checks& checks) {
  const Ingredient carrier{"carrier", "the derivative of log f_0 is left out"};
  checks.push_back({.id = "s3.tweedie.family-gamma",
                    .source = "S3, 2.3; Efron 2011",
                    .statement = "E[eta | x] = (log p)' - (log f_0)' for gamma laws",
                    .measure = tweedie_gamma,
                    .ingredients = {carrier},
                    .settings = {Setting::real("shape", 2.5, 1.5, 10, "shape k of x given lambda"),
                                 Setting::real("a", 3, 0.5, 10, "shape of the law of lambda"),
                                 Setting::real("b", 1.5, 0.2, 10, "rate of the law of lambda")}});
  checks.push_back(
      {.id = "s3.tweedie.family-normal",
       .source = "S3, 2.3; Efron 2011",
       .statement = "E[eta | x] = (log p)' - (log f_0)' is Tweedie's formula for normal noise",
       .measure = tweedie_family_normal,
       .ingredients = {carrier},
       .settings = {Setting::law(
                        [] {
                          return course::Laws{LineMixture({0.3, 0.7}, {-1, 0.8}, {0.1, 0.3}).mixture()};
                        },
                        "0.3 N(-1, 0.1) + 0.7 N(0.8, 0.3)"),
                    Setting::real("variance", 0.3, 1e-3, 100, "variance of the noise")}});
  checks.push_back(
      {.id = "s3.autoencoder.steps",
       .source = "S3, 2.4",
       .statement = "E[p(s - eps) eps] = -sigma^2 grad p + o(sigma^2), E[p(s - eps)] = p + O(sigma^2)",
       .measure = autoencoder_steps,
       .ingredients = {{"sign", "the numerator is +sigma^2 grad p, as printed in the last step"}},
       .settings = {Setting::law(
           [] {
             return course::Laws{LineMixture({0.4, 0.6}, {-1, 1}, {0.5, 0.7}).mixture()};
           },
           "0.4 N(-1, 0.5) + 0.6 N(1, 0.7)", {.least_deviation = 0.1, .most_deviation = 4, .reach = 12})}});
}

}  // namespace fokker::verify
