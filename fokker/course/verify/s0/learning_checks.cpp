// S0, section 12.3: starting from N(0, sigma^2 I), and learning the score from noisy data.
#include <cmath>

#include "fokker/course/problem/joint_gaussian.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/objective/denoising.h"
#include "fokker/objective/score_matching.h"

namespace fokker::verify {
namespace {

/// Runs the reversal from N(0, sigma^2), with the exact score of a target on the line, and from the exact law
/// coupled to it: returns (X from the normal start, X from the exact start) at the data.
std::pair<Tensor, Tensor> both_starts(const GaussianMixture& target, double sigma, int64_t n, int64_t steps,
                                      bool scored, const Rng& rng) {
  const StateFunction score = [&](const Tensor& x, double t) {
    return scored ? target.noised(1, sigma * std::sqrt(t)).score(x) : at::zeros_like(x);
  };
  const Sde back = reverse(brownian_motion(1, sigma), score, 1.0);
  const std::vector<double> times =
      reversal_times(Brownian{.sigma = sigma}, variances_of(target).front(), steps);
  const Tensor noise = sigma * rng.stream("start").normal({n, 1}, {}, at::kDouble);
  const Tensor exact = noise + target.sample(n, rng.stream("data"));
  // One simulation of both, row i and row n + i driven by the same increments.
  const WienerIncrements single = wiener_increments(rng.stream("noise"));
  const WienerIncrements twice = [&](IntArrayRef, const WienerStep& step) {
    return single({n, 1}, step).repeat({2, 1});
  };
  const Tensor end =
      simulate(back, at::cat({noise, exact}), times, {.method = {}, .noise = twice, .observer = {}})
          .squeeze(1);
  return {end.narrow(0, 0, n), end.narrow(0, n, n)};
}

/// For N(m, v) the reversal is linear, so paths of the two starts differ by -Phi times the data, Phi = v /
/// (sigma^2 + v): the mean is off by -m Phi, and the variance Phi^2 v is missing, as the difference does not
/// depend on the path from the normal start.
void start_of_gaussian(const Trial& trial, Evidence& evidence) {
  const double m = trial.settings().real("mean"), v = trial.settings().real("variance");
  const GaussianMixture target =
      GaussianMixture::gaussian(at::full({1}, m, at::kDouble), at::full({1}, v, at::kDouble));
  for (const double sigma : {1.0, 3.0, 8.0}) {
    const double phi = v / (sigma * sigma + v);
    const auto [normal_start, exact] = both_starts(target, sigma, 4000, 150, trial.has("score"),
                                                   trial.rng().stream(fmt::format("{}", sigma)));
    const Tensor& x = trial.has("start") ? normal_start : exact;
    const Tensor difference = (exact - x) / phi;
    const std::string at = fmt::format(", sigma = {}", sigma);
    evidence.equal("mean that the start leaves out, over m Phi" + at, mean_of(difference / m), 1, 0.05);
    evidence.equal("variance that it leaves out, over v Phi^2" + at, variance_of(difference / std::sqrt(v)),
                   1, 0.1);
    evidence.equal("covariance of what it leaves out and the path" + at, covariance_of(difference, x), 0,
                   1e-3);
  }
}

/// For a mixture: E X_1 from the normal start is int N(x; 0, sigma^2) E[data | x] dx, and its error decays as
/// -Var(data) E(data) / sigma^2.
void start_of_mixture(const Trial& trial, Evidence& evidence) {
  const GaussianMixture target = skewed_mixture();
  const double limit = -target.covariance().item<double>() * target.mean().item<double>();
  const Quadrature z = normal_quadrature(1, 401);
  const auto predicted = [&](double sigma) {
    return z.mean(target.posterior(sigma * z.x, 1, sigma).denoised.squeeze(1)) - target.mean().item<double>();
  };
  for (const double sigma : {2.0, 4.0}) {
    const auto [x, exact] = both_starts(target, sigma, 8000, 80, trial.has("score"), trial.rng());
    evidence.equal(fmt::format("error of the mean, sigma = {}", sigma), mean_difference(x, exact),
                   predicted(sigma), 0.02 * std::abs(predicted(sigma)));
  }
  for (const double sigma : {20.0, 40.0})
    evidence.equal(fmt::format("error times sigma^2, sigma = {}", sigma),
                   {sigma * sigma * predicted(sigma), 0}, limit, 60 / (sigma * sigma));
}

/// Theorem 12.3 for Y = X + eta Z: J(s) less the denoising loss is C = E|grad log q_Y|^2 - d / eta^2 for
/// every s. All expectations are sums over quadrature points.
struct LossGap {
  std::string field;
  double measured = 0, expected = 0;
};
std::vector<LossGap> loss_gaps(const GaussianMixture& target, double eta, int64_t points, bool right_sign) {
  const GaussianMixture noised = target.noised(1, eta);
  const NoisedQuadrature q = noised_quadrature(target, points, 6);
  const Tensor y = q.x0 + eta * q.noise;
  const double information = q.mean(sum_events(noised.score(y).square()));
  const double expected = information - static_cast<double>(target.dimension()) / (eta * eta);
  const Tensor noise = right_sign ? q.noise : -q.noise;
  // Fields of very different shape, and the exact score, at which J = 0.
  std::vector<Field> fields = unrelated_fields();
  fields.push_back({"the exact score", [&](const Tensor& x) { return noised.score(x); }});
  std::vector<LossGap> gaps;
  gaps.reserve(fields.size());
  for (const Field& s : fields) {
    // With the wrong sign the field still sees y = x0 + eta z, and the target is +z / eta.
    const ScoreFunction at_y = [&](const Tensor&) { return s.value(y); };
    const double denoising =
        q.mean(denoising_score_matching(right_sign ? ScoreFunction(s.value) : at_y, q.x0, noise, eta));
    gaps.push_back({s.name, q.mean(fisher_divergence(s.value, noised, y)) - denoising, expected});
  }
  return gaps;
}

void constant_gap(const Trial& trial, Evidence& evidence) {
  for (const GaussianMixture& target : trial.settings().laws())
    for (const double eta : {trial.settings().real("eta"), 2.4 * trial.settings().real("eta")}) {
      const int64_t points = target.dimension() == 1 ? 61 : 17;
      const auto fine = loss_gaps(target, eta, points, trial.has("sign")),
                 coarse = loss_gaps(target, eta, points * 3 / 4, trial.has("sign"));
      // What the sums over fewer points make of it bounds the error of the finer ones.
      for (size_t i = 0; i < fine.size(); ++i)
        evidence.equal(
            fmt::format("gap for {}, d = {}, eta = {}", fine[i].field, target.dimension(), eta),
            {fine[i].measured, 0}, fine[i].expected,
            2e-4 + std::abs(fine[i].measured - fine[i].expected - coarse[i].measured + coarse[i].expected));
    }
}

/// Exercise 12.2, E[grad_y log q(y | X) | Y = y] = grad log q_Y(y), and eq. 8 which implies it.
void fisher_identity(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& target = trial.settings().law();
  const double eta = trial.settings().real("eta"), scale = std::max(1.0, 1 / eta);
  const GaussianMixture noised = target.noised(1, eta);
  const Line x = line_over(target, eta);
  const Tensor y = (noised.mean() + 2 * noised.covariance().sqrt() * at::linspace(-1, 1, 9, at::kDouble)).t();
  const Tensor from_x = y - x.x;  // (y, x)
  const Tensor log_likelihood = -from_x.square() / (2 * eta * eta);
  // The prior is part of the conditional law of X; without it X would be drawn from q(y | x).
  const Tensor prior = target.log_density(x.states());
  const Tensor posterior = at::softmax(trial.has("prior") ? log_likelihood + prior : log_likelihood, 1);
  const Tensor mean = (posterior * (-from_x / (eta * eta))).sum(1);
  const Tensor score = noised.score(y).squeeze(1);
  const double h = 1e-4 * std::min(1.0, eta);
  // log q_{X|Y}(x | y) = log q(y | x) + log q_X(x) - log q_Y(y), differentiated in y.
  const auto log_posterior = [&](const Tensor& at_y) {
    return -(at_y - x.x).square() / (2 * eta * eta) - noised.log_density(at_y).unsqueeze(1);
  };
  const Tensor rule = (posterior * (log_posterior(y + h) - log_posterior(y - h)) / (2 * h)).sum(1);
  for (int64_t i = 0; i < y.size(0); ++i) {
    const double at = y[i].item<double>();
    evidence.equal(fmt::format("Fisher's identity at y = {:.4g}", at), {mean[i].item<double>(), 0},
                   score[i].item<double>(), 1e-8 * scale);
    evidence.equal(fmt::format("eq. 8 at y = {:.4g}", at), {rule[i].item<double>(), 0}, 0, 1e-6 * scale);
  }
}

/// Fisher's identity for jointly normal X (2) and Y (2) that are correlated in any way.
void fisher_identity_gaussian(const Trial& trial, Evidence& evidence) {
  const auto matrix = [](double a, double b, double c, double d) {
    return at::tensor({a, b, c, d}, at::kDouble).reshape({2, 2});
  };
  const Tensor m1 = at::tensor({0.3, -0.2}, at::kDouble), m2 = at::tensor({-0.5, 1.0}, at::kDouble);
  const Tensor S2 = matrix(1.0, 0.3, 0.3, 0.7);
  const BlockGaussian joint(m1, m2, matrix(1.2, 0.2, 0.2, 0.8), matrix(0.5, -0.2, 0.1, 0.4), S2);
  const Quadrature z = normal_quadrature(2, 21, 7);
  const Tensor root = at::linalg_cholesky(joint.first_given(m2).covariance);
  for (const Tensor& y : normal_quadrature(2, 3, 1).x.unbind(0)) {
    const GaussianLaw given = trial.has("prior") ? joint.first_given(y) : joint.first();
    const GaussianLaw likelihood = joint.second_given(given.mean + z.x.matmul(root.t()));
    const Tensor scores = (likelihood.mean - y).matmul(at::linalg_inv(likelihood.covariance));
    const Tensor expected = at::linalg_inv(S2).matmul(m2 - y);
    for (int64_t i = 0; i < 2; ++i)
      evidence.equal(
          fmt::format("component {} at y = ({}, {})", i + 1, y[0].item<double>(), y[1].item<double>()),
          {z.mean(scores.select(1, i)), 0}, expected[i].item<double>(), 1e-9);
  }
}

/// S0's L(s) for s = -theta x with the weighting w = eta^2 t (in this library's time): its mean over data,
/// noise and t ~ U(0, 1) is int t (theta^2 eta^2 E|X|^2 + d (1 - theta eta^2)^2) dt with eta^2 = sigma^2 t.
void empirical_loss(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& target = trial.settings().law();
  const double s2 = std::pow(trial.settings().real("sigma"), 2), d = static_cast<double>(target.dimension()),
               second = d * target.mean_square();
  const GaussianProcess process(Brownian{.sigma = std::sqrt(s2)});
  const auto weight = trial.has("weight") ? Weighting::user([](double t) { return t; }) : Weighting::simple();
  const DenoisingObjective objective({.weighting = weight, .times = {}, .label_dropout = 0});
  const Batch batch{
      .x0 = target.sample(trial.settings().integer("n"), trial.rng().stream("data")), .label = {}, .step = 0};
  for (const double theta : {0.0, 0.1, 0.4}) {
    const FunctionDenoiser s([theta](const Tensor& x, const Times&) { return -theta * x; }, process,
                             Prediction::score());
    const double expected =
        theta * theta * s2 * second / 3 + d * (0.5 - 2 * theta * s2 / 3 + theta * theta * s2 * s2 / 4);
    evidence.equal(fmt::format("L(s) for s = -{} x", theta),
                   mean_of(objective.loss(s, batch, trial.rng().stream("noise"))), expected);
  }
}

/// Among s = -theta x the loss at one time is least at theta = 1 / E Y^2: the best for the noised data. The
/// loss is quadratic in theta, so its derivative is a difference of two losses.
void least_at_noised_score(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& target = trial.settings().law();
  const double second = target.mean_square();
  const int64_t n = trial.settings().integer("n");
  const Tensor x0 = target.sample(n, trial.rng().stream("data"));
  const Tensor noise = trial.rng().stream("noise").normal(x0.sizes(), {}, at::kDouble);
  for (const double eta : {0.5, 1.0, 3.0}) {
    const double theta = 1 / (second + (trial.has("noised") ? eta * eta : 0));
    const auto loss = [&](double value) {
      return denoising_score_matching([value](const Tensor& x) { return -value * x; }, x0, noise, eta);
    };
    evidence.equal(fmt::format("dL/dtheta at the score of the noised data, eta = {}", eta),
                   mean_difference(loss(theta + 0.5), loss(theta - 0.5)), 0);
  }
}

/// The minimiser of the empirical loss over all s is the score of the noised empirical law. Its reversal ends
/// on the training points, each equally often: what is learned beyond them comes from the restriction on s.
void memorises(const Trial& trial, Evidence& evidence) {
  const int64_t n = trial.settings().integer("n"), points = trial.settings().integer("points");
  const double sigma = 4, each = 1 / static_cast<double>(points);
  const Tensor data = two_modes().sample(points, trial.rng().stream("data"));
  const GaussianMixture empirical = GaussianMixture::empirical(data);
  const GaussianMixture fitted = GaussianMixture::gaussian(empirical.mean(), empirical.covariance());
  const StateFunction score = [&](const Tensor& x, double t) {
    return (trial.has("score") ? empirical : fitted).noised(1, sigma * std::sqrt(t)).score(x);
  };
  const std::vector<double> times = reversal_times(Brownian{.sigma = sigma}, 1e-4, 80);
  const Tensor start = empirical.noised(1, sigma).sample(n, trial.rng().stream("start"));
  const Tensor end =
      end_state(reverse(brownian_motion(2, sigma), score, 1.0), start, times, trial.rng().stream("noise"));
  const Tensor distances = at::cdist(end, data);
  const auto [distance, nearest] = distances.min(1);
  evidence.equal("mean distance to the nearest training point", mean_of(distance), 0, 0.05);
  for (int64_t k = 0; k < points; ++k)
    evidence.equal(fmt::format("fraction at point {}", k + 1), fraction_of(nearest == k, each), each);
}

void add_starts(Checks& checks) {
  const Ingredient score{"score", "the reversal runs without the score"};
  checks.push_back(
      {"s0.start.gaussian",
       "S0, section 12.3",
       "Starting from N(0, sigma^2), N(m, v) comes out with the mean and variance short by m Phi and v Phi^2",
       start_of_gaussian,
       {score, {"start", "both runs start from the exact law"}},
       {Setting::real("mean", 1.5, 0.5, 5, "mean of the data"),
        Setting::real("variance", 0.25, 0.1, 1, "variance of the data")}});
  checks.push_back({"s0.start.mixture",
                    "S0, section 12.3",
                    "Starting from N(0, sigma^2), the error of a mixture's mean decays as 1 / sigma^2",
                    start_of_mixture,
                    {score}});
}

}  // namespace

void add_s0_learning(Checks& checks) {
  add_starts(checks);
  const Setting rows = Setting::integer("n", 40'000, 100, 1'000'000, "draws");
  const auto eta_setting = [](double usual) {
    return Setting::real("eta", usual, 0.1, 10, "deviation of the noise in Y = X + eta Z");
  };
  const Ingredient prior{"prior", "X is not conditioned on Y"};
  checks.push_back({"s0.learning.constant",
                    "S0, Theorem 12.3",
                    "The explicit and the denoising loss differ by the same constant for every s",
                    constant_gap,
                    {{"sign", "the conditional score has the wrong sign: (Y - X) / eta^2"}},
                    {skewed_and_tilted_setting(line_or_plane_limits), eta_setting(0.5)}});
  checks.push_back({"s0.learning.fisher-identity",
                    "S0, Exercise 12.2",
                    "E[grad log q(y | X) | Y = y] = grad log q_Y(y), and eq. 8, for noised mixtures",
                    fisher_identity,
                    {prior},
                    {skewed_setting(), eta_setting(0.8)}});
  checks.push_back({"s0.learning.fisher-identity-gaussian",
                    "S0, Exercise 12.2",
                    "Fisher's identity for jointly normal vectors",
                    fisher_identity_gaussian,
                    {prior}});
  checks.push_back({"s0.learning.empirical-loss",
                    "S0, section 12.3",
                    "The empirical loss L(s) with weighting w has its closed-form mean",
                    empirical_loss,
                    {{"weight", "the weighting w is left out"}},
                    {skewed_setting({.most_dimension = 8}), rows,
                     Setting::real("sigma", 2, 0.1, 30, "deviation of the noise at its end")}});
  checks.push_back({"s0.learning.minimiser",
                    "S0, section 12.3",
                    "L_t is least at the score of the noised data, within a family that does not hold it",
                    least_at_noised_score,
                    {{"noised", "the score of the data itself is taken for the minimiser"}},
                    {skewed_setting({.most_dimension = 8}), rows}});
  checks.push_back({"s0.learning.memorises",
                    "S0, section 12.3",
                    "The minimiser over all s generates the training points, each equally often",
                    memorises,
                    {{"score", "the score of a Gaussian fitted to the points"}},
                    {Setting::integer("points", 5, 3, 20, "training points"),
                     Setting::integer("n", 4000, 500, 100'000, "paths")}});
}

}  // namespace fokker::verify
