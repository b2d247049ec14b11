// S2, section 4.2: the Fisher divergence and the losses that need no score: eqs. 4.2 and 4.3.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/objective/implicit.h"
#include "fokker/objective/score_matching.h"
#include "fokker/sde/jacobian.h"

namespace fokker::verify {
namespace {

ScoreFunction score_of(const GaussianMixture& mixture) {
  return [mixture](const Tensor& x) { return mixture.score(x); };
}

GaussianMixture normal(double mean, double variance) {
  return GaussianMixture::gaussian(at::full({1}, mean, at::kDouble), at::full({1}, variance, at::kDouble));
}

/// F(q, p) = E_q |grad log q - grad log p|^2.
double fisher(const GaussianMixture& q, const GaussianMixture& p, int64_t points) {
  const Quadrature x = mixture_quadrature(q, points);
  return x.mean(fisher_divergence(score_of(p), q, x.x));
}

/// For normal laws F(q, p) = (1/p - 1/q)^2 q + (m_q - m_p)^2 / p^2: zero at equality alone, not symmetric.
void fisher_of_normals(const Trial& trial, Evidence& evidence) {
  struct Pair {
    double mq, vq, mp, vp;
  };
  for (const auto& [mq, vq, mp, vp] :
       {Pair{0, 1, 0, 1}, {0, 1, 0.1, 1}, {0, 1, 0, 1.1}, {1, 0.5, -1, 2}, {-1, 2, 1, 0.5}}) {
    const double expected = std::pow(1 / vp - 1 / vq, 2) * vq + std::pow(mq - mp, 2) / (vp * vp);
    const GaussianMixture q = normal(mq, vq), p = normal(mp, vp);
    // Under p in place of q it is F(p, q).
    evidence.equal(fmt::format("F(N({}, {}), N({}, {}))", mq, vq, mp, vp),
                   {trial.has("order") ? fisher(q, p, 81) : fisher(p, q, 81), 0}, expected, 1e-9);
  }
  for (const GaussianMixture& q : trial.settings().laws()) {
    const int64_t points = q.dimension() == 1 ? 161 : 41;
    evidence.equal("F(q, q) of a mixture", {fisher(q, q, points), 0}, 0, 1e-12);
    const GaussianMixture other = q.noised(1, 0.5 * std::sqrt(variances_of(q).front()));
    evidence.at_least("F(q, p) of unequal mixtures", {fisher(q, other, points), 0}, 1e-3);
  }
}

/// Scores do not see the weights of modes without mass between them: for modes 14 apart, 1/5 and 4/5 against
/// 1/2 and 1/2 differ by 0.3 in total variation and by less than 1e-8 in F. It is why weights between modes
/// are not learned (S2, section 4.3).
void fisher_is_blind(const Trial& trial, Evidence& evidence) {
  const double distance = trial.has("separation") ? 5 : 1;
  const auto modes = [&](double weight) {
    return GaussianMixture(
        at::tensor({weight, 1 - weight}, at::kDouble),
        at::tensor({-distance, -distance, distance, distance}, at::kDouble).reshape({2, 2}),
        at::ones({2}, at::kDouble));
  };
  const GaussianMixture q = modes(0.2), p = modes(0.5);
  const Quadrature x = mixture_quadrature(q, 61);
  const Tensor ratio = (p.log_density(x.x) - q.log_density(x.x)).exp();
  // 0.3 less what each mode has on the other's side.
  evidence.equal("total variation", {0.5 * x.mean((1 - ratio).abs()), 0}, 0.3, 1e-6);
  evidence.equal("Fisher divergence", {fisher(q, p, 61), 0}, 0, 1e-8);
  // Along the line through the modes alone: F = (2 m)^2 E_q (r_q - r_p)^2 with the responsibilities r = 1 /
  // (1 + exp(l - 2 m u)), l the log ratio of the weights and u the place, m and -m the modes. It is small,
  // not zero.
  const double m = distance * std::sqrt(2.0);
  const Quadrature u = mixture_quadrature(
      GaussianMixture(q.weights(), at::tensor({-m, m}, at::kDouble).unsqueeze(1), at::ones({2}, at::kDouble)),
      4001);
  const auto share = [&](double weight) {
    return (2 * m * u.x.squeeze(1) + std::log((1 - weight) / weight)).sigmoid();
  };
  const double exact = 4 * m * m * u.mean((share(0.2) - share(0.5)).square());
  const GaussianMixture line_q(q.weights(), at::tensor({-m, m}, at::kDouble).unsqueeze(1),
                               at::ones({2}, at::kDouble)),
      line_p(p.weights(), line_q.means(), at::ones({2}, at::kDouble));
  evidence.equal("log10 of the Fisher divergence", {std::log10(fisher(line_q, line_p, 4001)), 0},
                 std::log10(exact), 1e-4);
}

/// Eq. 4.2 = eq. 4.3 + E|grad log mu|^2 for every s, all by quadrature, with the divergence that the library
/// takes by automatic differentiation.
void implicit_constant(const Trial& trial, Evidence& evidence) {
  for (const GaussianMixture& mu : trial.settings().laws()) {
    const Quadrature x = mixture_quadrature(mu, mu.dimension() == 1 ? 161 : 61);
    const double information = x.mean(sum_events(mu.score(x.x).square()));
    for (const Field& s : unrelated_fields()) {
      const Tensor implicit = implicit_score_matching(s.value, x.x).detach();
      const Tensor square = sum_events(s.value(x.x).square());
      const double loss = x.mean(trial.has("factor 2") ? implicit : 0.5 * (implicit + square));
      evidence.equal(fmt::format("E|grad log mu - s|^2 - loss for {}, d = {}", s.name, mu.dimension()),
                     {x.mean(fisher_divergence(s.value, mu, x.x)) - loss, 0}, information,
                     1e-6 * std::max(1.0, information));
    }
  }
}

/// Integration by parts needs a density that vanishes at the boundary. Of N(0, 1) cut off at 0, the boundary
/// term 2 s(0) mu(0) is left.
void implicit_boundary(const Trial& trial, Evidence& evidence) {
  const double low = trial.has("decay") ? -12 : 0;
  const Tensor x = at::linspace(low, 12, 48'001, at::kDouble).unsqueeze(1);
  Tensor weights = (-0.5 * x.square()).exp().squeeze(1);
  weights[0] *= 0.5;
  weights /= weights.sum();
  const Quadrature mu{x, weights};
  const GaussianMixture normal_law = GaussianMixture::standard_normal(1);
  for (const Field& s : unrelated_fields()) {
    const double explicit_loss = mu.mean(fisher_divergence(s.value, normal_law, x));
    const double implicit = mu.mean(implicit_score_matching(s.value, x).detach());
    evidence.equal("gap for " + s.name, {explicit_loss - implicit, 0}, mu.mean(x.squeeze(1).square()), 1e-6);
  }
}

/// The empirical eq. 4.3 over affine scores s(x) = A x + b is least at the score of the fitted normal law, A
/// = -S^-1 and b = S^-1 m of the sample: its gradient vanishes there.
void implicit_empirical(const Trial& trial, Evidence& evidence) {
  const int64_t n = trial.settings().integer("n");
  const GaussianMixture& mu = trial.settings().law();
  const int64_t d = mu.dimension();
  const Tensor x = mu.sample(n, trial.rng().stream("data"));
  const Tensor centred = x - x.mean(0);
  const Tensor S =
      trial.has("sample") ? centred.t().matmul(centred) / static_cast<double>(n) : mu.covariance();
  const Tensor A = (-at::linalg_inv(S)).requires_grad_();
  const Tensor b = at::linalg_inv(S).matmul(x.mean(0)).requires_grad_();
  const auto affine = [&](const Tensor& y) { return y.matmul(A.t()) + b; };
  const auto gradient = gradients(implicit_score_matching(affine, x) / static_cast<double>(n), {A, b}, false);
  for (int64_t i = 0; i < d; ++i) {
    evidence.equal(fmt::format("derivative in b{}", i + 1), {gradient[1][i].item<double>(), 0}, 0, 1e-10);
    for (int64_t j = 0; j < d; ++j)
      evidence.equal(fmt::format("derivative in A{}{}", i + 1, j + 1), {gradient[0][i][j].item<double>(), 0},
                     0, 1e-10);
  }
}

/// v^T J v for random v is unbiased for the trace of J, with variance 2 |sym J|^2 for normal directions and 2
/// sum of the off-diagonal squares of sym J for signs.
void sliced(const Trial& trial, Evidence& evidence, SlicedObjective::Directions kind) {
  const int64_t n = trial.settings().integer("n");
  const Tensor x = at::tensor({0.4, -0.7, 1.3, 0.2, -1.1, 0.9}, at::kDouble).reshape({3, 2});
  const ScoreFunction field = unrelated_fields()[2].value;
  const Tensor J = jacobian(field, x), symmetric = 0.5 * (J + J.transpose(1, 2));
  const Tensor many = x.repeat_interleave(n, 0);
  Tensor v = random_directions(kind, 1, many, {}, trial.rng());
  if (!trial.has("unit")) v = v / v.norm(2, {-1}, /*keepdim=*/true);
  const Tensor loss = sliced_score_matching(field, many, v).detach().reshape({3, n});
  for (int64_t i = 0; i < 3; ++i) {
    const double exact = (field(x)[i].square().sum() + 2 * J[i].trace()).item<double>();
    evidence.equal(fmt::format("sliced loss at point {}", i + 1), mean_of(loss[i]), exact, 1e-9);
    double spread = symmetric[i].square().sum().item<double>();
    if (kind == SlicedObjective::Directions::rademacher)
      spread -= symmetric[i].diagonal().square().sum().item<double>();
    // About the known mean: two-valued losses have no error in it, while the sample mean has.
    evidence.equal(fmt::format("its variance at point {}", i + 1), mean_of((loss[i] - exact).square()),
                   8 * spread, 1e-9);
  }
}

/// The score of mu_sigma tends to that of mu: log mu_sigma = log mu + sigma^2 / 2 (mu''/mu) + O(sigma^4), so
/// E_mu |grad log mu_sigma - grad log mu|^2 / sigma^4 -> E (s'' + 2 s s')^2 / 4 with s = (log mu)'.
void small_noise(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& mu = trial.settings().law();
  const Quadrature q = mixture_quadrature(mu, 161);
  const RowFunction score = [&](const Tensor& x) { return mu.score(x); };
  const GradientMode on(true);
  const Tensor x = q.x.detach().clone().requires_grad_();
  const Tensor s = score(x), s1 = gradients(s, {x}, true)[0], s2 = gradients(s1, {x}, false)[0];
  const double product = trial.has("product") ? 2 : 0;
  const double limit = 0.25 * q.mean((s2 + product * s * s1).detach().square().squeeze(1));
  const auto scaled = [&](double sigma) { return fisher(mu, mu.noised(1, sigma), 161) / std::pow(sigma, 4); };
  // Its error is O(sigma^2): one step of Richardson's extrapolation leaves O(sigma^4).
  const double small = 0.08 * std::sqrt(variances_of(mu).front()), a = scaled(small), b = scaled(small / 2);
  evidence.equal("E|difference|^2 / sigma^4 at sigma -> 0", {(4 * b - a) / 3, 0}, limit, 2e-3 * limit);
  evidence.equal(fmt::format("rate: log2 of the ratio at sigma = {:.3g} and half of it", small),
                 {std::log2(a / b) + 4, 0}, 4, 0.05);
  for (const double sigma : {0.5, 1.0}) {
    const double v = 0.5, expected = v * std::pow(1 / v - 1 / (v + sigma * sigma), 2);
    evidence.equal(fmt::format("for N(0, 1/2) at sigma = {}", sigma),
                   {fisher(normal(0, v), normal(0, v).noised(1, sigma), 81), 0}, expected, 1e-9);
  }
}

void add_fisher(Checks& checks) {
  checks.push_back({"s2.fisher.closed-form",
                    "S2, eq. 4.2",
                    "The Fisher divergence is zero only at equality, and not symmetric",
                    fisher_of_normals,
                    {{"order", "the expectation is over the other law"}},
                    {skewed_and_tilted_setting(line_or_plane_limits)}});
  checks.push_back({"s2.fisher.blind-to-weights",
                    "S2, section 4.3",
                    "Between modes far apart the Fisher divergence hardly sees the weights",
                    fisher_is_blind,
                    {{"separation", "the modes are 2.8 apart and not 14"}}});
}

void add_implicit(Checks& checks) {
  checks.push_back({"s2.implicit.constant",
                    "S2, eq. 4.3",
                    "Explicit and implicit score matching differ by E|grad log mu|^2 for every s",
                    implicit_constant,
                    {{"factor 2", "the divergence counts once"}},
                    {skewed_and_tilted_setting(line_or_plane_limits)}});
  checks.push_back({"s2.implicit.boundary",
                    "S2, eq. 4.3",
                    "Integration by parts needs a density that vanishes at the boundary",
                    implicit_boundary,
                    {{"decay", "the law is cut off at 0, where its density is largest"}}});
  checks.push_back({"s2.implicit.empirical",
                    "S2, eq. 4.3",
                    "Over affine scores the empirical loss is least at the fitted normal law",
                    implicit_empirical,
                    {{"sample", "the covariance of the law is taken and not that of the sample"}},
                    {tilted_setting({.most_dimension = 8, .least_deviation = 0.1}),
                     Setting::integer("n", 500, 50, 100'000, "draws")}});
  const Ingredient unit{"unit", "the directions have length one: E v v^T = I / d"};
  const Setting directions = Setting::integer("n", 20'000, 200, 1'000'000, "directions at each point");
  checks.push_back(
      {"s2.sliced.rademacher",
       "S2, eq. 4.3",
       "Sliced score matching along random signs is unbiased for eq. 4.3",
       [](const Trial& t, Evidence& e) { sliced(t, e, SlicedObjective::Directions::rademacher); },
       {unit},
       {directions}});
  checks.push_back({"s2.sliced.gaussian",
                    "S2, eq. 4.3",
                    "Sliced score matching along normal directions is unbiased for eq. 4.3",
                    [](const Trial& t, Evidence& e) { sliced(t, e, SlicedObjective::Directions::gaussian); },
                    {unit},
                    {directions}});
}

void add_small_noise(Checks& checks) {
  checks.push_back({"s2.denoising.small-noise",
                    "S2, section 4.2",
                    "The score of mu_sigma tends to that of mu, with a mean square error of order sigma^4",
                    small_noise,
                    {{"product", "the limit leaves out 2 s s'"}},
                    {skewed_setting({.least_deviation = 0.1, .most_deviation = 4, .reach = 12})}});
}

}  // namespace

void add_s2_score_matching(Checks& checks) {
  add_fisher(checks);
  add_implicit(checks);
  add_small_noise(checks);
}

}  // namespace fokker::verify
