#include <numbers>

#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/objective/chain.h"
#include "fokker/objective/weighting.h"

namespace fokker::verify {
namespace {

using Form = ChainObjective::Form;

/// Normal data N(0, v) on R^2 and the model eps_theta = gain x_t: all losses have closed forms.
struct LinearProblem {
  static constexpr int64_t dimension = 2;
  static constexpr double gain = 0.5;
  ChainTable chain;
  double v;
  int64_t rows;

  explicit LinearProblem(const Settings& set)
      : chain(set.betas()), v(set.real("variance")), rows(set.integer("n")) {}
  double steps() const { return static_cast<double>(chain.steps()); }
  Batch batch(const Rng& rng) const {
    return {.x0 = std::sqrt(v) * rng.normal({rows, dimension}, {}, at::kDouble), .label = {}};
  }
  FunctionDenoiser model() const {
    return FunctionDenoiser([](const Tensor& x, const Times&) { return gain * x; }, chain.process(),
                            Prediction::noise());
  }
  /// E|eps - gain x_t|^2 in one dimension.
  double noise_error(int64_t i) const {
    const double variance = chain.alphabar(i) * v + 1 - chain.alphabar(i);
    return 1 - 2 * gain * chain.sigma(i) + gain * gain * variance;
  }
  /// -log p(x_{i-1} | x_i) integrated over q(x_{i-1} | x_0, x_i), less the squared distance of the means.
  double integration_constant(int64_t i) const {
    return 0.5 * std::log(2 * std::numbers::pi * chain.beta(i)) + chain.beta_tilde(i) / (2 * chain.beta(i));
  }
  /// E[-log p(x_T)] in one dimension.
  double prior_term() const {
    const double variance = 1 + chain.alphabar(chain.steps()) * (v - 1);
    return 0.5 * (std::log(2 * std::numbers::pi) + variance);
  }
  Statistic loss_of_step(Form form, int64_t i, const Rng& rng) const {
    const ChainObjective objective({.form = form, .steps = chain.steps()});
    const Tensor step = at::full({rows}, static_cast<double>(i), at::kDouble);
    return mean_of(objective.loss_at(model(), batch(rng.stream("data")), step, rng));
  }
};

/// Each term of a form of the loss, of which the library returns N times the term (S1 steps 1 to 5).
void terms(Form form, const std::function<double(const LinearProblem&, int64_t)>& expected,
           const Trial& trial, Evidence& evidence) {
  const LinearProblem of(trial.settings());
  for (int64_t i = 1; i <= of.chain.steps(); ++i)
    evidence.equal(fmt::format("term of step {}", i),
                   of.loss_of_step(form, i, trial.rng().stream(static_cast<uint64_t>(i))), expected(of, i));
}

void path_terms(const Trial& trial, Evidence& evidence) {
  terms(
      Form::path_likelihood,
      [&](const LinearProblem& of, int64_t i) {
        const double spread = trial.has("spread") ? 0 : of.chain.beta_tilde(i) / (2 * of.chain.beta(i));
        return of.prior_term() + of.steps() * (of.integration_constant(i) - spread +
                                               of.chain.noise_weight(i) * of.noise_error(i));
      },
      trial, evidence);
}

void mean_terms(const Trial& trial, Evidence& evidence) {
  terms(
      Form::mean_matching,
      [&](const LinearProblem& of, int64_t i) {
        const double variance = trial.has("variance") ? 1 : std::sqrt(of.chain.beta(i));
        return of.steps() * of.noise_error(i) * of.chain.noise_weight(i) * variance;
      },
      trial, evidence);
}

void weighted_terms(const Trial& trial, Evidence& evidence) {
  terms(
      Form::weighted_noise,
      [&](const LinearProblem& of, int64_t i) {
        const double level = trial.has("level") ? 1 : 1 - of.chain.alphabar(i);
        return of.steps() * of.noise_error(i) * of.chain.noise_weight(i) * level;
      },
      trial, evidence);
}

void simple_terms(const Trial& trial, Evidence& evidence) {
  terms(
      Form::simple,
      [&](const LinearProblem& of, int64_t i) {
        return of.noise_error(i) * (trial.has("weight") ? 1 : of.steps() * of.chain.noise_weight(i));
      },
      trial, evidence);
}

/// The path likelihood with nothing derived: x_0..x_T walked forward, and -log p_theta(x_{t-1} | x_t) of each
/// step from the ancestral sampler's mean.
void path_likelihood(const Trial& trial, Evidence& evidence) {
  const LinearProblem of(trial.settings());
  const ChainTable& chain = of.chain;
  const FunctionDenoiser model = of.model();
  const double dimension = LinearProblem::dimension;
  Tensor before;
  const auto visit = [&](int64_t i, const Tensor& x) {
    if (i > 0) {
      const Tensor mean = reverse_mean(model, x, chain.time(i), chain.time(i - 1));
      const double beta = chain.beta(i);
      const Tensor nats = 0.5 * sum_events((before - mean).square()) / beta / dimension +
                          0.5 * std::log(2 * std::numbers::pi * beta);
      const double weight = trial.has("weight") ? chain.noise_weight(i) : 0.5;
      evidence.equal(fmt::format("-log p(x_{} | x_{})", i - 1, i), mean_of(nats),
                     of.integration_constant(i) + weight * of.noise_error(i));
    }
    before = x;
  };
  walk(chain, of.batch(trial.rng().stream("data")).x0, trial.rng().stream("path"), visit);
  evidence.equal(fmt::format("-log p(x_{})", chain.steps()),
                 mean_of(-chain.process().log_prior(before) / dimension), of.prior_term());
}

/// "The more we marginalize the less we have to sample": integrating x_{t-1} out takes away the mean of the
/// conditional variance, E[gap^2] beta-tilde / beta^2 + beta-tilde^2 / (2 beta^2) in one dimension.
void marginalisation(const Trial& trial, Evidence& evidence) {
  const LinearProblem of(trial.settings());
  const int64_t N = of.chain.steps();
  const Batch batch{.x0 = std::sqrt(of.v) * trial.rng().normal({of.rows, 1}, {}, at::kDouble), .label = {}};
  for (const int64_t i : {int64_t{2}, std::max<int64_t>(2, (N + 1) / 2), N}) {
    const Tensor step = at::full({of.rows}, static_cast<double>(i), at::kDouble);
    const auto loss = [&](Form form) {
      return ChainObjective({.form = form, .steps = N}).loss_at(of.model(), batch, step, trial.rng()) /
             of.steps();
    };
    const Tensor full = loss(trial.has("path") ? Form::path_likelihood : Form::mean_matching);
    const Tensor prior = (0.5 * of.chain.alphabar(N) / of.steps()) * batch.x0.flatten().square();
    const Tensor due = full - loss(Form::mean_matching) - prior;
    const double beta = of.chain.beta(i), bt = of.chain.beta_tilde(i);
    const double gap = 2 * beta * of.chain.noise_weight(i) * of.noise_error(i);
    evidence.equal(fmt::format("variance due to x_{}", i - 1), variance_of(due),
                   (gap * bt + 0.5 * bt * bt) / (beta * beta));
  }
}

/// beta / (2 (1 - beta)(1 - alphabar)) at every step of Ho's chain, by the weighting that training uses.
void weights(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const auto steps = static_cast<double>(chain.steps());
  const Weighting likelihood = Weighting::likelihood();
  const Schedule& schedule = chain.process().schedule();
  double error = 0;
  for (int64_t i = 1; i <= chain.steps(); ++i) {
    const double weight = likelihood(Prediction::noise(), schedule.model(), chain.time(i)) / steps;
    const double level = trial.has("level") ? 1 - chain.alphabar(i) : 1;
    error = std::max(error, std::abs(weight * 2 * (1 - chain.beta(i)) * level / chain.beta(i) - 1));
  }
  evidence.equal("largest relative error of the weights", {error}, 0, 1e-10);
  // Step 5 drops the weights: in the likelihood the first step counts 45 times as much as the last.
  const double ratio = likelihood(Prediction::noise(), schedule.model(), chain.time(1)) /
                       likelihood(Prediction::noise(), schedule.model(), 1.0);
  evidence.equal("weight of the first step over that of the last", {ratio},
                 chain.noise_weight(1) / chain.noise_weight(chain.steps()),
                 1e-8 * chain.noise_weight(1) / chain.noise_weight(chain.steps()));
}

}  // namespace

void add_s1_objective(Checks& checks) {
  const auto add = [&](const char* id, const char* source, const char* statement, auto measure,
                       const Ingredient& ingredient, const std::vector<Setting>& settings) {
    checks.push_back({.id = std::string("s1.objective.") + id,
                      .source = source,
                      .statement = statement,
                      .measure = measure,
                      .ingredients = {ingredient},
                      .settings = settings});
  };
  const std::vector<Setting> problem = {
      table_setting(ChainTable::short_chain(), "0.05, 0.1, 0.2, 0.4, 0.6", 50),
      Setting::real("variance", 2, 0.05, 20, "variance of the data"),
      Setting::integer("n", 60'000, 500, 1'000'000, "draws")};
  add("path-likelihood", "S1, simplifying the objective I to VI",
      "-log p of a walked path is a constant plus the weighted noise errors", path_likelihood,
      {"weight", "every noise error counts 1/2"}, problem);
  add("terms-path", "S1, step 1", "Each sampled term of the path likelihood has its closed form", path_terms,
      {"spread", "x_{t-1} is taken for its mean: no beta-tilde / (2 beta)"}, problem);
  add("terms-mean", "S1, step 2", "Each term |mu-tilde - mu_theta|^2 / (2 beta) has its closed form",
      mean_terms, {"variance", "the distance is divided by 2 sqrt(beta), the deviation"}, problem);
  add("terms-weighted", "S1, steps 3 and 4", "Each weighted noise error has its closed form", weighted_terms,
      {"level", "the weight lacks 1 / (1 - alphabar)"}, problem);
  add("terms-simple", "S1, step 5", "Each noise error without its weight has its closed form", simple_terms,
      {"weight", "the weights are still there"}, problem);
  add("marginalisation", "S1, simplifying the objective III",
      "Integrating x_{t-1} out takes away the variance that it causes", marginalisation,
      {"path", "the loss has x_{t-1} integrated out"}, problem);
  add("weights", "S1, step 4; Ho et al. 2020, eq. 12",
      "The likelihood's weights are beta / (2 (1 - beta)(1 - alphabar))", weights,
      {"level", "the weights lack 1 / (1 - alphabar)"},
      {table_setting(ChainTable::linear(1000, 1e-4, 0.02), "linear:steps=1000,first=0.0001,last=0.02")});
}

}  // namespace fokker::verify
