#include <numbers>

#include "fokker/course/problem/joint_gaussian.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/quadrature.h"

namespace fokker::verify {
namespace {

Tensor random_covariance(int64_t d, const Rng& rng) {
  const Tensor A = rng.normal({d, d + 2}, {}, at::kDouble);
  return A.matmul(A.t()) / static_cast<double>(d) + 0.1 * at::eye(d, at::kDouble);
}

/// A signal s ~ N(mu, P) in noise n ~ N(0, Q), with some observations x = s + n (rows).
struct Problem {
  Tensor mu, P, Q, x;
  GaussianSignal library() const { return GaussianSignal(mu, P, Q); }
  /// (P^-1 + Q^-1)^-1: the covariance of s given x as Bayes' rule gives it, precisions added.
  Tensor covariance() const { return (P.inverse() + Q.inverse()).inverse(); }
};

Problem problem(int64_t d, const Rng& rng) {
  return {.mu = rng.stream("mean").normal({d}, {}, at::kDouble),
          .P = random_covariance(d, rng.stream("P")),
          .Q = random_covariance(d, rng.stream("Q")),
          .x = 3 * rng.stream("x").normal({5, d}, {}, at::kDouble)};
}

/// f(x) = (I - K) mu + K x and Sigma = (I - K) P, against precisions.
void signal_posterior(const Trial& trial, Evidence& evidence) {
  const Problem p = problem(trial.settings().integer("dims"), trial.rng());
  const Tensor Sigma = p.covariance();
  const Tensor prior = trial.has("prior") ? p.P.inverse().matmul(p.mu) : at::zeros_like(p.mu);
  const Tensor f = (p.x.matmul(p.Q.inverse()) + prior).matmul(Sigma);
  const GaussianLaw law = p.library().signal_given(p.x);
  evidence.equal("largest error of the gain K", {largest(p.library().gain() - Sigma.matmul(p.Q.inverse()))},
                 0, 1e-9);
  evidence.equal("largest error of f(x)", {largest(law.mean - f)}, 0, 1e-8);
  evidence.equal("largest error of Sigma", {largest(law.covariance - Sigma)}, 0, 1e-9);
  // The other forms of 2.1, by the inverse of P + Q.
  const Tensor inverse = (p.P + p.Q).inverse(), share = p.Q.matmul(inverse);
  const Tensor I = at::eye(p.P.size(0), at::kDouble);
  evidence.equal("largest error of I - K = Q (P + Q)^-1", {largest(I - p.library().gain() - share)}, 0, 1e-9);
  evidence.equal("largest error of f(x) = x - Q (P + Q)^-1 (x - mu)",
                 {largest(law.mean - (p.x - (p.x - p.mu).matmul(share.t())))}, 0, 1e-8);
  evidence.equal("largest error of Sigma = P - P (P + Q)^-1 P",
                 {largest(law.covariance - (p.P - p.P.matmul(inverse).matmul(p.P)))}, 0, 1e-9);
}

/// g(x) = Q (P + Q)^-1 (x - mu) and V = (I - Q (P + Q)^-1) Q: x - n is the signal, so P weighs it.
void noise_posterior(const Trial& trial, Evidence& evidence) {
  const Problem p = problem(trial.settings().integer("dims"), trial.rng());
  const Tensor V = p.covariance(), weight = (trial.has("share") ? p.P : p.Q).inverse();
  const GaussianLaw law = p.library().noise_given(p.x);
  evidence.equal("largest error of g(x)", {largest(law.mean - (p.x - p.mu).matmul(weight).matmul(V))}, 0,
                 1e-8);
  evidence.equal("largest error of V", {largest(law.covariance - V)}, 0, 1e-9);
  evidence.equal("largest error of V = Sigma",
                 {largest(law.covariance - p.library().signal_given(p.x).covariance)}, 0, 1e-9);
  evidence.equal("largest error of f(x) + g(x) = x",
                 {largest(law.mean + p.library().signal_given(p.x).mean - p.x)}, 0, 1e-9);
}

/// Drawing the noise and subtracting it draws the signal: s = x - g(x) - Sigma^1/2 eps.
void equivalence(const Trial& trial, Evidence& evidence) {
  const Problem p = problem(2, trial.rng());
  const Tensor rows = p.x[0].expand({100'000, 2}).contiguous();
  const Tensor prior = at::linalg_cholesky(p.Q).matmul(trial.rng().normal({2, 100'000}, {}, at::kDouble)).t();
  const Tensor s = trial.has("observation") ? p.library().sample_signal(rows, trial.rng()) : rows - prior;
  const Tensor Sigma = p.covariance(),
               f = Sigma.matmul(p.P.inverse().matmul(p.mu) + p.Q.inverse().matmul(p.x[0]));
  for (int64_t i = 0; i < 2; ++i) {
    evidence.equal(fmt::format("mean of s_{}", i + 1), mean_of(s.select(1, i)), f[i].item<double>());
    for (int64_t j = 0; j <= i; ++j)
      evidence.equal(fmt::format("covariance of s_{} and s_{}", i + 1, j + 1),
                     covariance_of(s.select(1, i), s.select(1, j)), Sigma[i][j].item<double>());
  }
}

/// log p(s, x) = log p(s) + log p(x | s) = log p(x) + log p(s | x), and the same for (n, x).
void joint(const Trial& trial, Evidence& evidence) {
  const Problem p = problem(3, trial.rng());
  const Tensor s = trial.rng().stream("s").normal({5, 3}, {}, at::kDouble);
  const GaussianSignal library = p.library();
  const auto density = [](const Tensor& mean, const Tensor& covariance, const Tensor& x) {
    return GaussianLaw{mean, covariance}.log_density(x);
  };
  const Tensor& Q = trial.has("noise") ? p.Q : p.P;
  const Tensor signal = library.signal_and_observation().joint().log_density(at::cat({s, p.x}, 1));
  evidence.equal("largest error of log p(s) + log p(x | s)",
                 {largest(signal - density(p.mu, p.P, s) - density(s, Q, p.x))}, 0, 1e-8);
  evidence.equal(
      "largest error of log p(x) + log p(s | x)",
      {largest(signal - library.observation().log_density(p.x) - library.signal_given(p.x).log_density(s))},
      0, 1e-8);
  const Tensor noise = library.noise_and_observation().joint().log_density(at::cat({s, p.x}, 1));
  evidence.equal("largest error of log p(n) + log p(x | n)",
                 {largest(noise - density(at::zeros({3}, at::kDouble), Q, s) - density(p.mu + s, p.P, p.x))},
                 0, 1e-8);
  evidence.equal(
      "largest error of log p(x) + log p(n | x)",
      {largest(noise - library.observation().log_density(p.x) - library.noise_given(p.x).log_density(s))}, 0,
      1e-8);
}

/// Tweedie in the normal case: E[s | x] = x + Q grad log p(x).
void network_tweedie(const Trial& trial, Evidence& evidence) {
  for (const int64_t d : {1, 2, 16}) {
    const Problem p = problem(d, trial.rng().stream(static_cast<uint64_t>(d)));
    const Tensor step = p.library().score(p.x).matmul(trial.has("covariance") ? p.Q : p.Q.matmul(p.Q));
    const Tensor f = (p.x.matmul(p.Q.inverse()) + p.P.inverse().matmul(p.mu)).matmul(p.covariance());
    evidence.equal(fmt::format("largest error in {} dimensions", d), {largest(p.x + step - f)}, 0, 1e-8);
  }
}

/// A general joint law of (x1, x2), x1 in R^2 and x2 in R^3.
struct Blocks {
  Tensor S, S1, S12, S21, S2;
};
Blocks blocks(const Rng& rng) {
  const Tensor S = random_covariance(5, rng);
  return {S, S.slice(0, 0, 2).slice(1, 0, 2), S.slice(0, 0, 2).slice(1, 2), S.slice(0, 2).slice(1, 0, 2),
          S.slice(0, 2).slice(1, 2)};
}

/// The block inverse of appendix A.1; the matrix need not be symmetric.
void block_inverses(const Trial& trial, Evidence& evidence) {
  Blocks b = blocks(trial.rng());
  const Tensor S21 = b.S21 + 0.3, S = at::cat({at::cat({b.S1, b.S12}, 1), at::cat({S21, b.S2}, 1)}, 0);
  const double coupled = trial.has("coupling") ? 1 : 0;
  for (const Pivot pivot : {Pivot::first, Pivot::second}) {
    const Tensor inverse = block_inverse(b.S1, coupled * b.S12, coupled * S21, b.S2, pivot);
    evidence.equal(fmt::format("largest entry of S S^-1 - I, {} block first",
                               pivot == Pivot::first ? "first" : "second"),
                   {largest(S.matmul(inverse) - at::eye(5, at::kDouble))}, 0, 1e-8);
  }
}

/// p(x1, x2) = p(x1 | x2) p(x2) = p(x2 | x1) p(x1), against the density of the whole vector.
void factorisation(const Trial& trial, Evidence& evidence) {
  const Blocks b = blocks(trial.rng());
  const Tensor mean = trial.rng().stream("mean").normal({5}, {}, at::kDouble);
  const Tensor x = trial.rng().stream("x").normal({7, 5}, {}, at::kDouble);
  const BlockGaussian law(mean.slice(0, 0, 2), mean.slice(0, 2), b.S1, b.S12, b.S2);
  const Tensor x1 = x.slice(1, 0, 2).contiguous(), x2 = x.slice(1, 2).contiguous();
  const Tensor r = x - mean;
  const Tensor expected =
      -0.5 * (r.matmul(b.S.inverse()) * r).sum(1) - 0.5 * (2 * std::numbers::pi * b.S).logdet();
  const bool conditional = trial.has("conditional");
  const auto given = [&](const GaussianLaw& law_given, const GaussianLaw& law_alone) {
    return conditional ? law_given : law_alone;
  };
  evidence.equal("largest error of log p(x1 | x2) + log p(x2)",
                 {largest(given(law.first_given(x2), law.first()).log_density(x1) +
                          law.second().log_density(x2) - expected)},
                 0, 1e-8);
  evidence.equal("largest error of log p(x2 | x1) + log p(x1)",
                 {largest(given(law.second_given(x1), law.second()).log_density(x2) +
                          law.first().log_density(x1) - expected)},
                 0, 1e-8);
}

}  // namespace

void add_s3_denoising(Checks& checks) {
  for (const int64_t d : {1, 2, 16}) {
    checks.push_back({.id = fmt::format("s3.signal.posterior-d{}", d),
                      .source = "S3, 2.1",
                      .statement = "p(s | x) has the mean (I - K) mu + K x and the covariance (I - K) P",
                      .measure = signal_posterior,
                      .ingredients = {{"prior", "the prior mean is left out"}},
                      .settings = {Setting::integer("dims", d, 1, 64, "dimensions")}});
    checks.push_back({.id = fmt::format("s3.noise.posterior-d{}", d),
                      .source = "S3, 2.2",
                      .statement = "p(n | x) has the mean Q (P + Q)^-1 (x - mu), and the signal's covariance",
                      .measure = noise_posterior,
                      .ingredients = {{"share", "the noise gets the signal's share of x - mu"}},
                      .settings = {Setting::integer("dims", d, 1, 64, "dimensions")}});
  }
  checks.push_back({.id = "s3.signal.equivalence",
                    .source = "S3, 2.2",
                    .statement = "Drawing the noise given x and subtracting it draws the signal given x",
                    .measure = equivalence,
                    .ingredients = {{"observation", "the noise is drawn without regard to x"}}});
  checks.push_back({.id = "s3.signal.joint",
                    .source = "S3, 2.1 and 2.2",
                    .statement = "The joint laws of (s, x) and (n, x) factor both ways",
                    .measure = joint,
                    .ingredients = {{"noise", "the noise has the signal's covariance"}}});
  checks.push_back({.id = "s3.tweedie.normal",
                    .source = "S3, 2.3",
                    .statement = "E[s | x] = x + Q grad log p(x) for a normal signal",
                    .measure = network_tweedie,
                    .ingredients = {{"covariance", "the score is multiplied by Q twice"}}});
  checks.push_back({.id = "s3.appendix.block-inverse",
                    .source = "S3, A.1",
                    .statement = "Both forms of the block inverse invert the matrix",
                    .measure = block_inverses,
                    .ingredients = {{"coupling", "the off-diagonal blocks are left out"}}});
  checks.push_back({.id = "s3.appendix.factorisation",
                    .source = "S3, A.2",
                    .statement = "A joint normal density is conditional times marginal, both ways",
                    .measure = factorisation,
                    .ingredients = {{"conditional", "the marginal stands for the conditional"}}});
}

}  // namespace fokker::verify
