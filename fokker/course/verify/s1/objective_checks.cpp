#include <numbers>

#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/objective/chain.h"
#include "fokker/objective/weighting.h"

namespace fokker::verify {
namespace {

using Form = ChainObjective::Form;

/// Normal data of this variance on R^2 and the model eps_theta = gain x_t: all losses have closed forms.
constexpr double data_variance = 2.0, gain = 0.5;
constexpr int64_t dimension = 2, rows = 60'000;

Batch normal_batch(const Rng& rng) {
  return {.x0 = std::sqrt(data_variance) * rng.normal({rows, dimension}, {}, at::kDouble), .label = {}};
}

FunctionDenoiser linear_model(const GaussianProcess& process) {
  return FunctionDenoiser([](const Tensor& x, const Times&) { return gain * x; }, process,
                          Prediction::noise());
}

/// E|eps - gain x_t|^2 in one dimension.
double noise_error(const ChainTable& chain, int64_t i) {
  const double variance = chain.alphabar(i) * data_variance + 1 - chain.alphabar(i);
  return 1 - 2 * gain * chain.sigma(i) + gain * gain * variance;
}

/// -log p(x_{i-1} | x_i) integrated over q(x_{i-1} | x_0, x_i), less the squared distance of the means.
double integration_constant(const ChainTable& chain, int64_t i) {
  return 0.5 * std::log(2 * std::numbers::pi * chain.beta(i)) + chain.beta_tilde(i) / (2 * chain.beta(i));
}

/// E[-log p(x_T)] in one dimension.
double prior_term(const ChainTable& chain) {
  const double variance = 1 + chain.alphabar(chain.steps()) * (data_variance - 1);
  return 0.5 * (std::log(2 * std::numbers::pi) + variance);
}

Statistic loss_of_step(const ChainTable& chain, Form form, int64_t i, const Rng& rng) {
  const ChainObjective objective({.form = form, .steps = chain.steps()});
  const Tensor step = at::full({rows}, static_cast<double>(i), at::kDouble);
  return mean_of(
      objective.loss_at(linear_model(chain.process()), normal_batch(rng.stream("data")), step, rng));
}

/// Each term of a form of the loss, of which the library returns N times the term (S1 steps 1 to 5).
void terms(Form form, const std::function<double(const ChainTable&, int64_t)>& expected, const Trial& trial,
           Evidence& evidence) {
  const ChainTable chain = ChainTable::short_chain();
  for (int64_t i = 1; i <= chain.steps(); ++i)
    evidence.equal(fmt::format("term of step {}", i),
                   loss_of_step(chain, form, i, trial.rng().stream(static_cast<uint64_t>(i))),
                   expected(chain, i));
}

void path_terms(const Trial& trial, Evidence& evidence) {
  const double n = 5;
  terms(
      Form::path_likelihood,
      [&](const ChainTable& chain, int64_t i) {
        const double spread = trial.has("spread") ? 0 : chain.beta_tilde(i) / (2 * chain.beta(i));
        return prior_term(chain) +
               n * (integration_constant(chain, i) - spread + chain.noise_weight(i) * noise_error(chain, i));
      },
      trial, evidence);
}

void mean_terms(const Trial& trial, Evidence& evidence) {
  terms(
      Form::mean_matching,
      [&](const ChainTable& chain, int64_t i) {
        const double variance = trial.has("variance") ? 1 : std::sqrt(chain.beta(i));
        return 5 * noise_error(chain, i) * chain.noise_weight(i) * variance;
      },
      trial, evidence);
}

void weighted_terms(const Trial& trial, Evidence& evidence) {
  terms(
      Form::weighted_noise,
      [&](const ChainTable& chain, int64_t i) {
        const double level = trial.has("level") ? 1 : 1 - chain.alphabar(i);
        return 5 * noise_error(chain, i) * chain.noise_weight(i) * level;
      },
      trial, evidence);
}

void simple_terms(const Trial& trial, Evidence& evidence) {
  terms(
      Form::simple,
      [&](const ChainTable& chain, int64_t i) {
        return noise_error(chain, i) * (trial.has("weight") ? 1 : 5 * chain.noise_weight(i));
      },
      trial, evidence);
}

/// The path likelihood with nothing derived: x_0..x_T walked forward, and -log p_theta(x_{t-1} | x_t) of each
/// step from the ancestral sampler's mean.
void path_likelihood(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::short_chain();
  const FunctionDenoiser model = linear_model(chain.process());
  Tensor before;
  const auto visit = [&](int64_t i, const Tensor& x) {
    if (i > 0) {
      const Tensor mean = reverse_mean(model, x, chain.time(i), chain.time(i - 1));
      const double beta = chain.beta(i);
      const Tensor nats = 0.5 * sum_events((before - mean).square()) / beta / dimension +
                          0.5 * std::log(2 * std::numbers::pi * beta);
      const double weight = trial.has("weight") ? chain.noise_weight(i) : 0.5;
      evidence.equal(fmt::format("-log p(x_{} | x_{})", i - 1, i), mean_of(nats),
                     integration_constant(chain, i) + weight * noise_error(chain, i));
    }
    before = x;
  };
  walk(chain, normal_batch(trial.rng().stream("data")).x0, trial.rng().stream("path"), visit);
  evidence.equal("-log p(x_5)", mean_of(-chain.process().log_prior(before) / dimension), prior_term(chain));
}

/// "The more we marginalize the less we have to sample": integrating x_{t-1} out takes away the mean of the
/// conditional variance, E[gap^2] beta-tilde / beta^2 + beta-tilde^2 / (2 beta^2) in one dimension.
void marginalisation(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::short_chain();
  const int64_t n = rows;
  const auto model = linear_model(chain.process());
  const Batch batch{.x0 = std::sqrt(data_variance) * trial.rng().normal({n, 1}, {}, at::kDouble),
                    .label = {}};
  for (const int64_t i : {2, 3, 5}) {
    const Tensor step = at::full({n}, static_cast<double>(i), at::kDouble);
    const auto loss = [&](Form form) {
      return ChainObjective({.form = form, .steps = 5}).loss_at(model, batch, step, trial.rng()) / 5;
    };
    const Tensor full = loss(trial.has("path") ? Form::path_likelihood : Form::mean_matching);
    const Tensor prior = (0.5 * chain.alphabar(5) / 5) * batch.x0.flatten().square();
    const Tensor due = full - loss(Form::mean_matching) - prior;
    const double beta = chain.beta(i), bt = chain.beta_tilde(i);
    const double gap = 2 * beta * chain.noise_weight(i) * noise_error(chain, i);
    evidence.equal(fmt::format("variance due to x_{}", i - 1), variance_of(due),
                   (gap * bt + 0.5 * bt * bt) / (beta * beta));
  }
}

/// beta / (2 (1 - beta)(1 - alphabar)) at every step of Ho's chain, by the weighting that training uses.
void weights(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::linear(1000, 1e-4, 0.02);
  const Weighting likelihood = Weighting::likelihood();
  const Schedule& schedule = chain.process().schedule();
  double error = 0;
  for (int64_t i = 1; i <= chain.steps(); ++i) {
    const double weight = likelihood(Prediction::noise(), schedule.model(), chain.time(i)) / 1000;
    const double level = trial.has("level") ? 1 - chain.alphabar(i) : 1;
    error = std::max(error, std::abs(weight * 2 * (1 - chain.beta(i)) * level / chain.beta(i) - 1));
  }
  evidence.equal("largest relative error of the 1000 weights", {error}, 0, 1e-10);
  // Step 5 drops the weights: in the likelihood the first step counts 45 times as much as the last.
  const double ratio = likelihood(Prediction::noise(), schedule.model(), chain.time(1)) /
                       likelihood(Prediction::noise(), schedule.model(), 1.0);
  evidence.equal("weight of the first step over that of the last", {ratio},
                 chain.noise_weight(1) / chain.noise_weight(1000), 1e-8);
}

}  // namespace

void add_s1_objective(Checks& checks) {
  checks.push_back({.id = "s1.objective.path-likelihood",
                    .source = "S1, simplifying the objective I to VI",
                    .statement = "-log p of a walked path is a constant plus the weighted noise errors",
                    .measure = path_likelihood,
                    .ingredients = {{"weight", "every noise error counts 1/2"}}});
  checks.push_back({.id = "s1.objective.terms-path",
                    .source = "S1, step 1",
                    .statement = "Each sampled term of the path likelihood has its closed form",
                    .measure = path_terms,
                    .ingredients = {{"spread", "x_{t-1} is taken for its mean: no beta-tilde / (2 beta)"}}});
  checks.push_back({.id = "s1.objective.terms-mean",
                    .source = "S1, step 2",
                    .statement = "Each term |mu-tilde - mu_theta|^2 / (2 beta) has its closed form",
                    .measure = mean_terms,
                    .ingredients = {{"variance", "the distance is divided by 2 sqrt(beta), the deviation"}}});
  checks.push_back({.id = "s1.objective.terms-weighted",
                    .source = "S1, steps 3 and 4",
                    .statement = "Each weighted noise error has its closed form",
                    .measure = weighted_terms,
                    .ingredients = {{"level", "the weight lacks 1 / (1 - alphabar)"}}});
  checks.push_back({.id = "s1.objective.terms-simple",
                    .source = "S1, step 5",
                    .statement = "Each noise error without its weight has its closed form",
                    .measure = simple_terms,
                    .ingredients = {{"weight", "the weights are still there"}}});
  checks.push_back({.id = "s1.objective.marginalisation",
                    .source = "S1, simplifying the objective III",
                    .statement = "Integrating x_{t-1} out takes away the variance that it causes",
                    .measure = marginalisation,
                    .ingredients = {{"path", "the loss has x_{t-1} integrated out"}}});
  checks.push_back({.id = "s1.objective.weights",
                    .source = "S1, step 4; Ho et al. 2020, eq. 12",
                    .statement = "The likelihood's weights are beta / (2 (1 - beta)(1 - alphabar))",
                    .measure = weights,
                    .ingredients = {{"level", "the weights lack 1 / (1 - alphabar)"}}});
}

}  // namespace fokker::verify
