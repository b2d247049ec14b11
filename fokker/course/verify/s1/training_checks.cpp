// S1, what the slides say of training: mu_theta itself learns poorly, and the marginal likelihood gets stuck.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/fit.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/objective/chain.h"

namespace fokker::verify {
namespace {

/// S1's step 2 as it stands: the network's value is mu_theta(x_t, t), and the loss of a random step is
/// |mu-tilde(x_0, x_t) - mu_theta|^2 / (2 beta_t).
class MeanMatching final : public Objective {
 public:
  explicit MeanMatching(const ChainTable& chain) : chain_(chain) {
    std::vector<double> data, state, precision;
    for (int64_t i = 1; i <= chain.steps(); ++i) {
      const PosteriorCoefficients q = chain.process().posterior(chain.time(i - 1), chain.time(i));
      data.push_back(q.data);
      state.push_back(q.state);
      precision.push_back(0.5 / chain.beta(i));
    }
    for (const auto* values : {&data, &state, &precision})
      columns_.push_back(at::tensor(*values, at::kDouble).to(at::kFloat));
  }

  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override {
    const int64_t n = batch.x0.size(0);
    const DrawPosition position{.step = batch.step};
    const Tensor u = rng.stream("step").uniform({n}, position, at::kDouble);
    const Tensor index = (u * static_cast<double>(chain_.steps())).floor().to(at::kLong);
    const Times t((index + 1).to(at::kDouble) / static_cast<double>(chain_.steps()));
    const Tensor eps = rng.stream("noise").normal(batch.x0.sizes(), position);
    const Tensor xt = chain_.process().perturb(batch.x0, eps, t);
    const auto at_step = [&](size_t column) { return columns_[column].index_select(0, index).unsqueeze(1); };
    const Tensor mean = at_step(0) * batch.x0 + at_step(1) * xt;
    return (at_step(2) * (mean - denoiser.estimate(xt, t).value()).square()).sum(1);
  }

 private:
  ChainTable chain_;
  std::vector<Tensor> columns_;
};

using StepMean = std::function<Tensor(const Tensor& x, int64_t i)>;

/// A hundred of the steps, each of which stands for its neighbours.
std::vector<int64_t> hundred_steps(const ChainTable& chain) {
  const int64_t every = chain.steps() / 100;
  std::vector<int64_t> steps;
  for (int64_t i = (every + 1) / 2; i <= chain.steps(); i += every) steps.push_back(i);
  return steps;
}

/// The path loss sum_i E|mu-tilde - mu_theta|^2 / (2 beta_i) in two parts, by quadrature over x_i: the least,
/// E Var(mu-tilde | x_i) / (2 beta_i), and the excess, E|mu_theta - mu*|^2 / (2 beta_i), mu* the mean of
/// x_{i-1} given x_i.
struct PathNats {
  double least = 0, excess = 0;
};
PathNats path_nats(const LineMixture& data, const ChainTable& chain, const StepMean& mean) {
  const GradientMode off(false);
  const double square = data.variance() + data.mean() * data.mean(),
               every = static_cast<double>(chain.steps()) / 100;
  PathNats nats;
  for (const int64_t i : hundred_steps(chain)) {
    const double alpha = std::sqrt(chain.alphabar(i)), s = chain.sigma(i),
                 weight = every / (2 * chain.beta(i));
    const Line nodes = line(-8, 8, 600);
    const Tensor eps = data.noise(nodes.x, alpha, s), denoised = (nodes.x - s * eps) / alpha;
    const Tensor exact = (nodes.x - chain.beta(i) / s * eps) / std::sqrt(1 - chain.beta(i));
    const Tensor density = data.log_density(nodes.x, alpha, s).exp();
    const double shift = chain.process().posterior(chain.time(i - 1), chain.time(i)).data;
    nats.least += weight * shift * shift * (square - nodes.integral(density * denoised.square()));
    nats.excess += weight * nodes.integral(density * (mean(nodes.x, i) - exact).square());
  }
  return nats;
}

/// The same loss on n fresh rows, each with data and noise of its own at every step.
Statistic fresh_path_loss(const LineMixture& data, const ChainTable& chain, const StepMean& mean, int64_t n,
                          const Rng& rng) {
  const GradientMode off(false);
  const double every = static_cast<double>(chain.steps()) / 100;
  Tensor sum = at::zeros({n}, at::kDouble);
  for (const int64_t i : hundred_steps(chain)) {
    const Rng own = rng.stream(static_cast<uint64_t>(i));
    const Tensor x0 = data.mixture().sample(n, own.stream("data"));
    const Tensor eps = own.stream("noise").normal({n, 1}, {}, at::kDouble);
    const Tensor x = chain.process().perturb(x0, eps, chain.time(i));
    const auto q = chain.process().posterior(chain.time(i - 1), chain.time(i));
    const Tensor gap = (q.data * x0 + q.state * x).squeeze(1) - mean(x.squeeze(1), i);
    sum += every / (2 * chain.beta(i)) * gap.square();
  }
  return mean_of(sum);
}

/// What is trained: the same network, rows and number of steps in every way.
struct TrainingProblem {
  ChainTable chain = ChainTable::linear(100, 1e-3, 0.12);
  LineMixture data{{0.4, 0.6}, {-1.2, 0.8}, {0.1, 0.2}};

  std::shared_ptr<const Denoiser> trained(std::shared_ptr<const Objective> loss, Prediction prediction,
                                          const Rng& rng) const {
    const DenoiserSpec spec{.process = chain.process(), .prediction = prediction};
    const Tensor rows = data.mixture().sample(20'000, rng.stream("rows"));
    Trainer trainer(std::make_unique<Mlp>(MlpOptions{.dimension = 1, .width = 64, .depth = 2}, rng.seed()),
                    spec, std::move(loss),
                    Split{.training = {.values = rows, .columns = {"x"}}, .held_out = {}},
                    Normalisation::identity({1}), {.steps = 400, .batch = 256, .ema_decay = 0.98}, rng);
    trainer.run({});
    return make_denoiser(trainer.averaged_network().clone(), spec);
  }
  /// By step 5 of the slides.
  std::shared_ptr<const Denoiser> trained_simply(const Rng& rng) const {
    const ChainObjective::Options options{.form = ChainObjective::Form::simple, .steps = chain.steps()};
    return trained(std::make_shared<ChainObjective>(options), Prediction::noise(), rng);
  }
  /// The network's value at x (n) and step i.
  static Tensor value(const Denoiser& denoiser, const Tensor& x, double t) {
    return denoiser.estimate(x.unsqueeze(1).to(at::kFloat), t).value().to(at::kDouble).flatten();
  }
  /// mu_theta from eps_theta.
  Tensor mean_of_noise(const Tensor& x, const Tensor& eps, int64_t i) const {
    return (x - chain.beta(i) / chain.sigma(i) * eps) / std::sqrt(1 - chain.beta(i));
  }
  /// The excess of a network's mu_theta, after its loss on fresh draws was compared with both parts.
  double excess(const std::string& name, const StepMean& mean, const Rng& rng, Evidence& evidence) const {
    const PathNats nats = path_nats(data, chain, mean);
    evidence.equal("path loss on fresh draws of the network that says " + name + ", nats",
                   fresh_path_loss(data, chain, mean, 2000, rng.stream("fresh")), nats.least + nats.excess,
                   1e-3 * nats.least);
    return nats.excess;
  }
  double excess_of_noise(const Denoiser& denoiser, const Rng& rng, Evidence& evidence) const {
    return excess(
        "eps",
        [&](const Tensor& x, int64_t i) { return mean_of_noise(x, value(denoiser, x, chain.time(i)), i); },
        rng, evidence);
  }
};

/// A network that says mu_theta, and one that says eps_theta, from which mu_theta follows, on Ho's chain.
void mean_trained(const Trial& trial, Evidence& evidence) {
  const TrainingProblem p{.chain = ChainTable::linear(1000, 1e-4, 0.02)};
  const double noise = p.excess_of_noise(*p.trained_simply(trial.rng()), trial.rng(), evidence);
  double mean = noise;
  if (trial.has("mean")) {
    const auto learned = p.trained(std::make_shared<MeanMatching>(p.chain), Prediction::data(), trial.rng());
    mean = p.excess(
        "mu",
        [&](const Tensor& x, int64_t i) { return TrainingProblem::value(*learned, x, p.chain.time(i)); },
        trial.rng(), evidence);
  }
  evidence.at_most("excess of the network that says eps, nats", {noise}, 0.5);
  evidence.at_least("excess of the one that says mu, over that", {mean / noise}, 1.5);
}

/// -log p_theta(x_0) = -log E p_theta(x_0 | x_1) with 128 draws of x_1 from the model's other steps as they
/// are before training, where each network is zero and x_1 ~ N(0, V).
class NaiveLikelihood final : public Objective {
 public:
  explicit NaiveLikelihood(const TrainingProblem& problem) : problem_(problem) {
    for (int64_t i = problem.chain.steps(); i >= 2; --i)
      variance_ = variance_ / (1 - problem.chain.beta(i)) + problem.chain.beta(i);
  }
  double variance() const { return variance_; }

  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override {
    const Tensor x1 = std::sqrt(variance_) * rng.normal({128, 1}, {.step = batch.step});
    const Tensor eps = denoiser.estimate(x1, problem_.chain.time(1)).value();
    const Tensor means = problem_.mean_of_noise(x1, eps, 1);
    return -(normal_log_density(batch.x0 - means.t(), 0, problem_.chain.beta(1)).logsumexp(1) -
             std::log(128.0));
  }

 private:
  TrainingProblem problem_;
  double variance_ = 1;
};

/// log p_theta(x_0) at x_0 (n), an integral over x_1 by quadrature.
Tensor naive_log_likelihood(const TrainingProblem& p, const Denoiser& denoiser, double variance,
                            const Tensor& x0) {
  const GradientMode off(false);
  const double reach = 7 * std::sqrt(variance);
  const Line x1 = line(-reach, reach, 16'000);
  const Tensor means = p.mean_of_noise(x1.x, TrainingProblem::value(denoiser, x1.x, p.chain.time(1)), 1);
  const Tensor log_prior = normal_log_density(x1.x, 0, variance) + std::log(x1.step);
  std::vector<Tensor> parts;
  for (const Tensor& part : x0.split(250))
    parts.push_back(
        (normal_log_density(part.unsqueeze(1) - means, 0, p.chain.beta(1)) + log_prior).logsumexp(1));
  return at::cat(parts);
}

/// E log q(x_0) / p_theta(x_0) by quadrature, after E -log p_theta on fresh draws was compared with it and
/// the entropy of the data.
double naive_excess(const TrainingProblem& p, const Denoiser& denoiser, double variance, const Rng& rng,
                    Evidence& evidence) {
  const Line x0 = line(-3.5, 3.5, 350);
  const Tensor log_p = naive_log_likelihood(p, denoiser, variance, x0.x), log_q = p.data.log_density(x0.x);
  const double excess = x0.integral(log_q.exp() * (log_q - log_p)),
               entropy = -x0.integral(log_q.exp() * log_q);
  const Tensor fresh = p.data.mixture().sample(2000, rng.stream("fresh")).squeeze(1);
  evidence.equal("-log p_theta(x_0) on fresh draws, nats",
                 mean_of(-naive_log_likelihood(p, denoiser, variance, fresh)), entropy + excess, 1e-3);
  return excess;
}

/// "p_theta(x_0 | x_1) tries to learn everything and gets stuck": the likelihood that it is left with,
/// against what the same number of steps on the forward process reach (the KL of x_0 is at most that of the
/// path, which is the excess and what the exact mu itself leaves, here 0.017).
void naive_likelihood(const Trial& trial, Evidence& evidence) {
  const TrainingProblem p;
  const double forward = p.excess_of_noise(*p.trained_simply(trial.rng()), trial.rng(), evidence) + 0.02;
  double naive = forward;
  if (trial.has("naive")) {
    const auto loss = std::make_shared<NaiveLikelihood>(p);
    naive = naive_excess(p, *p.trained(loss, Prediction::noise(), trial.rng()), loss->variance(), trial.rng(),
                         evidence);
  }
  evidence.at_most("nats above the least, trained on the forward process", {forward}, 0.6);
  evidence.at_least("nats of the naive likelihood above the least, over that", {naive / forward}, 1.2);
}

}  // namespace

void add_s1_training(Checks& checks) {
  checks.push_back({.id = "s1.model.mean-trained",
                    .source = "S1, simplifying the objective VII",
                    .statement = "A network that says mu_theta learns worse than one that says eps_theta",
                    .measure = mean_trained,
                    .ingredients = {{"mean", "both networks say eps_theta"}}});
  checks.push_back({.id = "s1.model.naive-likelihood",
                    .source = "S1, learning the model I",
                    .statement = "Maximum likelihood of the marginal leaves p_theta(x_0 | x_1) stuck",
                    .measure = naive_likelihood,
                    .ingredients = {{"naive", "both are trained on the forward process"}}});
}

}  // namespace fokker::verify
