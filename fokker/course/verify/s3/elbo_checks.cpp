#include <numbers>

#include "fokker/course/problem/joint_gaussian.h"
#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/objective/elbo.h"

namespace fokker::verify {
namespace {

/// Normal data N(0, v) with its exact denoiser: every quantity of the bound has a closed form.
struct NormalBound {
  ChainTable chain;
  double v;  ///< variance of the data

  explicit NormalBound(const Settings& set) : chain(set.betas()), v(set.real("variance")) {}
  AnalyticDenoiser exact() const {
    return {GaussianMixture(at::ones({1}), at::zeros({1, 1}, at::kDouble), at::full({}, v, at::kDouble)),
            chain.process()};
  }
  double marginal_variance(int64_t i) const { return 1 + chain.alphabar(i) * (v - 1); }
  /// E[x_{i-1} | x_i] = slope x_i.
  double slope(int64_t i) const {
    return std::sqrt(1 - chain.beta(i)) * marginal_variance(i - 1) / marginal_variance(i);
  }
  /// E[|x_0 - E[x_0 | x_i]|^2 | x_0]: E[x_0 | x_i] = k x_i with k = sqrt(alphabar) v / c.
  double denoising_error(int64_t i, double x0) const {
    const double a = std::sqrt(chain.alphabar(i)), k = a * v / marginal_variance(i);
    return std::pow(x0 * (1 - k * a), 2) + k * k * (1 - chain.alphabar(i));
  }
  /// What the two variances add to a KL.
  double spread_divergence(int64_t i) const {
    const double ratio = chain.beta_tilde(i) / chain.beta(i);
    return 0.5 * (ratio - 1 - std::log(ratio));
  }
  /// KL(q(x_{i-1} | x_i, x_0) || N(mu_theta, beta_i)) averaged over x_i given x_0.
  double divergence(int64_t i, double x0) const {
    const double shift = std::sqrt(chain.alphabar(i - 1)) * chain.beta(i) / (1 - chain.alphabar(i));
    return spread_divergence(i) + 0.5 * shift * shift * denoising_error(i, x0) / chain.beta(i);
  }
  double reconstruction(double x0) const {
    const double beta = chain.beta(1);
    return 0.5 * std::log(2 * std::numbers::pi * beta) + denoising_error(1, x0) / (2 * beta);
  }
  double prior(double x0) const {
    const double a = chain.alphabar(chain.steps());
    return 0.5 * (a * x0 * x0 + (1 - a) - 1 - std::log(1 - a));
  }
  double bound(double x0) const {
    double sum = reconstruction(x0) + prior(x0);
    for (int64_t i = 2; i <= chain.steps(); ++i) sum += divergence(i, x0);
    return -sum;
  }
};

/// The two laws of a path given its x_0, both normal: q(x_1..x_T | x_0), and p(x_1..x_T | x_0) of the model
/// that walks back from N(0, 1), with its p(x_0).
class PathLaws {
 public:
  explicit PathLaws(const NormalBound& of) : of_(of), T_(of.chain.steps()) {
    model_ = at::zeros({T_ + 1, T_ + 1}, at::kDouble);
    model_[T_][T_] = 1;
    for (int64_t t = T_; t >= 1; --t) {
      const double slope = of.slope(t);
      model_[t - 1][t - 1] = slope * slope * model_[t][t].item<double>() + of.chain.beta(t);
      for (int64_t s = t; s <= T_; ++s) model_[t - 1][s] = model_[s][t - 1] = slope * model_[t][s];
    }
  }
  double log_likelihood(double x0) const {
    return normal_log_density(at::full({}, x0, at::kDouble), 0, model_[0][0].item<double>()).item<double>();
  }
  /// KL(q || p): what the bound loses.
  double divergence(double x0) const {
    const GaussianLaw q = forward(x0), p = backward(x0);
    const Tensor precision = at::linalg_inv(p.covariance), gap = q.mean - p.mean;
    const auto log_det = [](const Tensor& S) { return std::get<1>(at::linalg_slogdet(S)).item<double>(); };
    return 0.5 *
           ((precision * q.covariance).sum().item<double>() + gap.dot(precision.matmul(gap)).item<double>() -
            static_cast<double>(T_) + log_det(p.covariance) - log_det(q.covariance));
  }

 private:
  GaussianLaw forward(double x0) const {
    Tensor mean = at::empty({T_}, at::kDouble), S = at::empty({T_, T_}, at::kDouble);
    for (int64_t i = 1; i <= T_; ++i) {
      mean[i - 1] = std::sqrt(of_.chain.alphabar(i)) * x0;
      for (int64_t j = i; j <= T_; ++j)
        S[i - 1][j - 1] = S[j - 1][i - 1] =
            std::sqrt(of_.chain.alphabar(j) / of_.chain.alphabar(i)) * (1 - of_.chain.alphabar(i));
    }
    return {mean, S};
  }
  GaussianLaw backward(double x0) const {
    const auto block = [&](int64_t row, int64_t rows, int64_t column, int64_t columns) {
      return model_.narrow(0, row, rows).narrow(1, column, columns).contiguous();
    };
    const BlockGaussian joint(at::zeros({1}, at::kDouble), at::zeros({T_}, at::kDouble), block(0, 1, 0, 1),
                              block(0, 1, 1, T_), block(1, T_, 1, T_));
    return joint.second_given(at::full({1}, x0, at::kDouble));
  }
  const NormalBound& of_;
  int64_t T_;
  Tensor model_;  // covariance of (x_0, ..., x_T)
};

/// q(x_{t-1} | x_t, x_0) by conditioning the joint normal law of (x_{t-1}, x_t) given x_0 (S3, appendix A.2).
void posterior(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const double x0 = trial.settings().real("x0"), xt = trial.settings().real("xt");
  const auto number = [](double value) { return at::full({1}, value, at::kDouble); };
  const auto square = [](double value) { return at::full({1, 1}, value, at::kDouble); };
  for (const int64_t t : {int64_t{2}, std::max<int64_t>(2, 3 * chain.steps() / 10), chain.steps()}) {
    const double before = 1 - chain.alphabar(t - 1), step = std::sqrt(1 - chain.beta(t));
    const BlockGaussian joint(number(std::sqrt(chain.alphabar(t - 1)) * x0),
                              number(std::sqrt(chain.alphabar(t)) * x0), square(before),
                              square(step * (trial.has("correlation") ? before : step * before)),
                              square(1 - chain.alphabar(t)));
    const GaussianLaw exact = joint.first_given(number(xt));
    const auto q = chain.process().posterior(chain.time(t - 1), chain.time(t));
    evidence.equal(fmt::format("mean of x_{}", t - 1), {q.data * x0 + q.state * xt},
                   exact.mean.item<double>(), 1e-12);
    evidence.equal(fmt::format("variance of x_{}", t - 1), {q.variance}, exact.covariance.item<double>(),
                   1e-12);
  }
}

/// Each term of the library's bound for a given x_0.
void elbo_term_checks(const Trial& trial, Evidence& evidence) {
  const NormalBound of(trial.settings());
  for (const double x0 : {0.3, -2.0}) {
    const Tensor rows = at::full({trial.settings().integer("n"), 1}, x0, at::kDouble);
    const ElboTerms terms = elbo_terms(of.exact(), rows, {.steps = of.chain.steps()}, trial.rng());
    const double offset = trial.has("reconstruction") ? of.reconstruction(x0) : of.prior(x0);
    evidence.equal(fmt::format("reconstruction of {}", x0), mean_of(terms.reconstruction), offset);
    evidence.equal(fmt::format("prior term of {}", x0), {terms.prior[0].item<double>()}, of.prior(x0), 1e-12);
    for (int64_t i = 2; i <= of.chain.steps(); ++i)
      evidence.equal(fmt::format("KL of step {} at {}", i, x0), mean_of(terms.divergences[i - 2]),
                     of.divergence(i, x0) - (trial.has("spread") ? 0 : of.spread_divergence(i)));
  }
}

/// E log p(x_{0:T}) / q(x_{1:T} | x_0) over walked paths, which nothing was rearranged in, is the sum of the
/// terms.
void decomposition(const Trial& trial, Evidence& evidence) {
  const NormalBound of(trial.settings());
  const ChainTable& chain = of.chain;
  const AnalyticDenoiser exact = of.exact();
  const int64_t n = trial.settings().integer("n");
  const bool logarithms = trial.has("logarithms");
  for (const double x0 : {0.3, -2.0}) {
    Tensor before, ratio = at::zeros({n}, at::kDouble);
    const auto visit = [&](int64_t i, const Tensor& x) {
      if (i > 0) {
        const double beta = chain.beta(i);
        const Tensor mean = reverse_mean(exact, x, chain.time(i), chain.time(i - 1));
        const Tensor step = normal_log_density((before - mean).flatten(), 0, beta) -
                            normal_log_density((x - std::sqrt(1 - beta) * before).flatten(), 0, beta);
        ratio = ratio + (logarithms ? step : step.exp());
      }
      before = x;
    };
    walk(chain, at::full({n, 1}, x0, at::kDouble), trial.rng().stream("path"), visit);
    evidence.equal(fmt::format("bound at x_0 = {}", x0), mean_of(ratio + chain.process().log_prior(before)),
                   of.bound(x0));
  }
}

/// What the bound loses is KL(q(x_1:T | x_0) || p(x_1:T | x_0)), here between two normal laws in R^T, so that
/// it lies below log p(x_0): from the coefficients of the library's terms without Monte Carlo error, and from
/// its terms on draws.
void below_likelihood(const Trial& trial, Evidence& evidence) {
  const NormalBound of(trial.settings());
  const PathLaws paths(of);
  const std::vector<double> times = elbo_times(of.chain.process(), of.chain.steps());
  const bool divergences = trial.has("divergences");
  for (const double x0 : {0.0, 1.0, -3.0}) {
    double negative = of.prior(x0);
    for (int64_t i = 1; i <= (divergences ? of.chain.steps() : 1); ++i) {
      const ElboTerm term =
          elbo_term(of.chain.process(), times, static_cast<size_t>(i - 1), ElboOptions::Variance::transition);
      negative += term.error * of.denoising_error(i, x0) + term.constant;
    }
    const double lost = paths.divergence(x0), likelihood = paths.log_likelihood(x0);
    evidence.equal(fmt::format("log p(x_0) less the bound at x_0 = {}", x0), {likelihood + negative}, lost,
                   1e-10 * std::max(1.0, std::abs(likelihood)));
    const Tensor rows = at::full({trial.settings().integer("n"), 1}, x0, at::kDouble);
    const ElboTerms terms = elbo_terms(of.exact(), rows, {.steps = of.chain.steps()}, trial.rng());
    const Tensor full = divergences ? terms.bound() : terms.bound() + terms.divergences.sum(0);
    evidence.equal(fmt::format("the same by draws at x_0 = {}", x0), mean_of(likelihood - full), lost,
                   1e-10 * std::max(1.0, std::abs(likelihood)));
  }
}

/// KL between two normal laws is the squared distance of means over 2 sigma^2 plus a constant, by quadrature.
void squared_distance(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const std::vector<double> times = elbo_times(chain.process(), chain.steps());
  const double x0 = trial.settings().real("x0"), xt = trial.settings().real("xt"),
               guess = trial.settings().real("guess");
  for (int64_t i = 2; i <= chain.steps(); ++i) {
    const auto q = chain.process().posterior(chain.time(i - 1), chain.time(i));
    const Line nodes = line(-8, 8, 16'000);
    const Tensor log_q = normal_log_density(nodes.x, q.data * x0 + q.state * xt, q.variance);
    const Tensor log_p = normal_log_density(nodes.x, q.data * guess + q.state * xt, chain.beta(i));
    const ElboTerm term =
        elbo_term(chain.process(), times, static_cast<size_t>(i - 1), ElboOptions::Variance::transition);
    const double distance = trial.has("square") ? std::pow(x0 - guess, 2) : std::abs(x0 - guess);
    evidence.equal(fmt::format("nats of step {}", i), {term.error * distance + term.constant},
                   nodes.integral(log_q.exp() * (log_q - log_p)), 1e-9);
  }
}

}  // namespace

void add_s3_elbo(Checks& checks) {
  const auto add = [&](const char* id, const char* statement, auto measure,
                       const std::vector<Ingredient>& ingredients, const std::vector<Setting>& settings) {
    checks.push_back({.id = std::string("s3.elbo.") + id,
                      .source = "S3, 1.2.1",
                      .statement = statement,
                      .measure = measure,
                      .ingredients = ingredients,
                      .settings = settings});
  };
  const Setting few = table_setting(ChainTable::short_chain(), "0.05, 0.1, 0.2, 0.4, 0.6", 50);
  const auto point = [](const char* name, double usual, const char* meaning) {
    return Setting::real(name, usual, -3, 3, meaning);
  };
  const std::vector<Setting> normal = {few, Setting::real("variance", 2, 0.1, 10, "variance of the data"),
                                       Setting::integer("n", 60'000, 500, 1'000'000, "draws")};
  add("posterior", "The posterior of x_{t-1} is the conditional of a joint normal law", posterior,
      {{"correlation", "the covariance has sqrt(1 - beta) twice"}},
      {table_setting(ChainTable::linear(100, 1e-3, 0.12), "linear:steps=100,first=0.001,last=0.12"),
       point("x0", 1.3, "x_0"), point("xt", -0.6, "x_t")});
  add("terms", "Reconstruction, every KL and the prior term have their closed forms", elbo_term_checks,
      {{"reconstruction", "the first term is taken for a prior term"},
       {"spread", "each KL is the distance of the means alone"}},
      normal);
  add("decomposition", "E log p(x_0:T) / q(x_1:T | x_0) is the sum of the terms", decomposition,
      {{"logarithms", "the ratios are summed, as printed in two lines"}}, normal);
  add("below-likelihood", "The bound lies below log p(x_0) by the KL of the two laws of x_1..x_T given x_0",
      below_likelihood, {{"divergences", "the KL terms are left out"}}, normal);
  add("squared-distance", "The KL is the squared distance of the means over 2 sigma^2, plus a constant",
      squared_distance, {{"square", "the distance is not squared, as printed"}},
      {few, point("x0", 0.8, "x_0"), point("xt", 0.4, "x_t"), point("guess", -0.5, "the denoised estimate")});
}

}  // namespace fokker::verify
