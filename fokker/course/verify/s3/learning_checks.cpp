#include <numbers>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/fit.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/objective/chain.h"
#include "fokker/sample/chain/langevin.h"

namespace fokker::verify {
namespace {

const LineMixture& smooth() {
  static const LineMixture law({0.3, 0.7}, {-1.2, 0.8}, {0.1, 0.2});
  return law;
}

/// Three places where x_t has its mass.
std::vector<double> places_seen(const LineMixture& data, const ChainTable& chain, int64_t t) {
  const double a = chain.alphabar(t), mean = std::sqrt(a) * data.mean(),
               deviation = std::sqrt(a * data.variance() + 1 - a);
  return {mean - 1.1 * deviation, mean - 0.1 * deviation, mean + 0.7 * deviation};
}

/// The best eps_theta is E[eps | x_t], here from Bayes' rule over eps: p(eps | x) ~ N(eps) p_0((x - s
/// eps)/a).
void bayes_noise(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::notebook();
  const LineMixture data = LineMixture::of(trial.settings().law());
  const AnalyticDenoiser exact(data.mixture(), chain.process());
  const LineMixture normal({1}, {data.mean()}, {data.variance()});
  const LineMixture& prior = trial.has("data") ? data : normal;
  const Line eps = line(-10, 10, 20'000);
  for (const int64_t t : {5, 40, 120})
    for (const double x : places_seen(data, chain, t)) {
      const double a = std::sqrt(chain.alphabar(t)), s = chain.sigma(t);
      const Tensor log_weights = normal_log_density(eps.x, 0, 1) + prior.log_density((x - s * eps.x) / a);
      const Tensor measured = exact.estimate(at::full({1, 1}, x, at::kDouble), chain.time(t)).noise();
      evidence.equal(fmt::format("E[eps | x_{} = {:.4g}]", t, x), {measured.item<double>()},
                     expectation(log_weights, eps.x), 1e-8);
    }
}

/// How x_t moves on average: E[sqrt(alpha_t) x_{t-1} - x_t | x_t] = -(1 - alpha_t) / sqrt(1 - alphabar_t)
/// eps, by Bayes' rule over x_{t-1}. The notebook divides by sqrt(alpha_t) once more.
void mean_direction(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::notebook();
  const LineMixture data = LineMixture::of(trial.settings().law());
  const AnalyticDenoiser exact(data.mixture(), chain.process());
  for (const int64_t t : {5, 40, 120})
    for (const double x : places_seen(data, chain, t)) {
      const double root = std::sqrt(1 - chain.beta(t));
      // Given x_t, x_{t-1} lies within 12 deviations sqrt(beta_t) of x_t / root, seen through the data.
      const double reach = 12 * std::sqrt(chain.beta(t));
      const Line before = line((x - reach) / root, (x + reach) / root, 16'000);
      const Tensor log_weights =
          normal_log_density(root * before.x, x, chain.beta(t)) +
          data.log_density(before.x, std::sqrt(chain.alphabar(t - 1)), chain.sigma(t - 1));
      const Tensor eps = exact.estimate(at::full({1, 1}, x, at::kDouble), chain.time(t)).noise();
      const double factor = chain.beta(t) / chain.sigma(t) / (trial.has("scaling") ? 1 : root);
      evidence.equal(fmt::format("mean step from x_{} = {:.4g}", t, x), {-factor * eps.item<double>()},
                     root * expectation(log_weights, before.x) - x, 1e-9);
    }
}

/// Trained for a few seconds on the four points: its loss is the least one plus its distance from E[eps |
/// x_t], which the training has made small.
void trained_network(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::notebook();
  const LineMixture data = LineMixture::four_points();
  NoiseFit fit = notebook_fit();
  if (!trial.has("training")) fit.options.steps = 1;
  const auto denoiser = train_noise(fit, data.mixture(), chain.process(), chain.steps(), trial.rng());
  const double least = least_loss(data, chain), excess = excess_loss(*denoiser, data, chain);
  // Over 19 seeds its logarithm is -2.3 +- 0.35: 0.4 is four deviations away.
  evidence.at_most("loss above the least possible", {excess}, 0.4);
  const Rng rng = trial.rng().stream("fresh");
  const Batch batch{.x0 = data.mixture().sample(40'000, rng).to(at::kFloat), .label = {}};
  const Tensor steps = at::arange(40'000, at::kDouble).remainder(200.0) + 1;
  const GradientMode off(false);
  const ChainObjective loss({.form = ChainObjective::Form::simple, .steps = 200});
  evidence.equal("loss on fresh data", mean_of(loss.loss_at(*denoiser, batch, steps, rng)), least + excess,
                 1e-3);
}

std::shared_ptr<Mlp> energy_network(bool zero, uint64_t seed) {
  return std::make_shared<Mlp>(
      MlpOptions{.dimension = 2, .width = 32, .depth = 2, .zero_output = zero, .energy = true}, seed);
}

/// s = -grad_x E: the score of an energy network against the difference quotient of its energy.
void energy_gradient(const Trial& trial, Evidence& evidence) {
  const auto network = energy_network(false, trial.rng().seed());
  network->to(at::kCPU, at::kDouble);
  const EnergyDenoiser denoiser(network, DenoiserSpec::of_energy(ChainTable::notebook().process()));
  const Tensor x = trial.rng().normal({20, 2}, {}, at::kDouble);
  const double h = 1e-4, sign = trial.has("sign") ? -1 : 1;
  for (const double t : {0.1, 0.5}) {
    const Tensor score = denoiser.estimate(x, t).score();
    for (int64_t i = 0; i < 2; ++i) {
      const Tensor e = at::zeros({1, 2}, at::kDouble).index_fill(1, at::full({1}, i, at::kLong), h);
      const Tensor slope = (denoiser.energy(x + e, t) - denoiser.energy(x - e, t)) / (2 * h);
      evidence.equal(fmt::format("largest error of score {} at t = {}", i + 1, t),
                     {largest(score.select(1, i) - sign * slope)}, 0, 1e-5);
    }
  }
}

/// An energy learned in a few seconds, and Langevin dynamics on it at one time.
class LearnedEnergy {
 public:
  LearnedEnergy(const Rng& rng, int64_t steps) : chain_(ChainTable::constant(50, 0.08)) {
    const NoiseFit fit{.network = {.dimension = 1, .width = 32, .depth = 2, .time_scale = 10, .energy = true},
                       .options = {.steps = steps, .batch = 256, .ema_decay = 0.98}};
    denoiser_ = std::dynamic_pointer_cast<const EnergyDenoiser>(
        train_noise(fit, smooth().mixture(), chain_.process(), chain_.steps(), rng));
  }
  const ChainTable& chain() const { return chain_; }
  const std::shared_ptr<const EnergyDenoiser>& denoiser() const { return denoiser_; }
  /// -E(x, t) on the nodes.
  Tensor log_density(const Line& nodes, int64_t i) const {
    return -denoiser_->energy(nodes.states().to(at::kFloat), chain_.time(i)).to(at::kDouble);
  }

 private:
  ChainTable chain_;
  std::shared_ptr<const EnergyDenoiser> denoiser_;
};

/// E(x, t) + log p(x, t) = -log Z(t) for every x: exactly for the energy of N(0, I), whose Z(t) is known, and
/// for a trained energy with Z by quadrature and the data's q_t for p, up to KL(q_t || p) = E[E + log q_t] +
/// log Z(t). Each time has its own constant.
void energy_constant(const Trial& trial, Evidence& evidence) {
  const GaussianProcess process = Brownian{.sigma = 2.0};
  const auto network = energy_network(true, 0);
  network->to(at::kCPU, at::kDouble);
  const EnergyDenoiser normal_energy(network, DenoiserSpec::of_energy(process));
  const Tensor x = 2 * trial.rng().normal({100, 2}, {}, at::kDouble);
  for (const double t : {0.2, 0.5, 0.8}) {
    const double of_z = trial.has("time") ? t : 0.2;
    const Tensor constant = normal_energy.energy(x, t) +
                            GaussianMixture::standard_normal(2).noised(1, process.sigma(t)).log_density(x);
    evidence.equal(fmt::format("largest error of -log Z({})", t),
                   {largest(constant + std::log(2 * std::numbers::pi * (1 + 4 * of_z)))}, 0, 1e-10);
  }
  const LearnedEnergy learned(trial.rng(), trial.has("training") ? 400 : 1);
  const Line nodes = line(-6, 6, 1200);
  const auto log_Z = [&](int64_t i) {
    return learned.log_density(nodes, i).logsumexp(0).item<double>() + std::log(nodes.step);
  };
  for (const int64_t i : {3, 12, 40}) {
    const Tensor log_q =
        smooth().log_density(nodes.x, std::sqrt(learned.chain().alphabar(i)), learned.chain().sigma(i));
    const Tensor sum = log_q - learned.log_density(nodes, i);
    const double mean = nodes.integral(log_q.exp() * sum);
    const double divergence_left = mean + log_Z(trial.has("time") ? i : 3);
    evidence.equal(fmt::format("E[E + log q_{}] + log Z, nats", i), {divergence_left}, 0, 0.02);
    const double spread = std::sqrt(nodes.integral(log_q.exp() * (sum - mean).square()));
    evidence.equal(fmt::format("deviation of E + log q_{} under q_{}", i, i), {spread}, 0, 0.2);
  }
}

/// x <- x - h grad E + sqrt(2 h) z samples exp(-E) / Z, whatever was learned (Z by quadrature); and what was
/// learned is close to q_t.
void energy_langevin(const Trial& trial, Evidence& evidence) {
  const LearnedEnergy learned(trial.rng(), trial.has("training") ? 400 : 1);
  const int64_t i = 4;
  const Line nodes = line(-6, 6, 1200);
  const Tensor energy_law = learned.log_density(nodes, i);
  const Tensor q =
      smooth().log_density(nodes.x, std::sqrt(learned.chain().alphabar(i)), learned.chain().sigma(i));
  const Tensor model = energy_law - energy_law.logsumexp(0) - std::log(nodes.step);
  evidence.equal("nats between q_t and the learned law", {nodes.integral(q.exp() * (q - model))}, 0, 0.02);
  const DenoiserLaw law(learned.denoiser(), learned.chain().time(i), 1);
  const double step = 0.02;
  const NoiseSource noise = trial.rng().stream("langevin").noise_source();
  const NoiseSource none = [](IntArrayRef shape, DrawPosition) { return at::zeros(shape); };
  const Tensor start = trial.rng().stream("start").normal({8000, 1});
  const Tensor x =
      run_chain(Ula(step), law, start, trial.has("noise") ? noise : none, {.steps = 200, .observers = {}})
          .x.flatten();
  // A step of 0.02 widens modes of variance 0.35 by 3 %.
  evidence.equal("mean of the chains", mean_of(x), expectation(model, nodes.x), 0.01);
  evidence.equal("variance of the chains", variance_of(x), variance_under(model, nodes.x), 0.02);
  evidence.equal("mass below -0.4", fraction_of(x < -0.4, 0.3),
                 expectation(model, (nodes.x < -0.4).to(at::kDouble)), 0.01);
}

}  // namespace

void add_s3_learning(Checks& checks) {
  const Setting law =
      Setting::law([] { return course::Laws{smooth().mixture()}; }, "0.3 N(-1.2, 0.1) + 0.7 N(0.8, 0.2)",
                   {.least_deviation = 0.1, .most_deviation = 5, .reach = 20});
  checks.push_back({.id = "s3.learning.bayes-noise",
                    .source = "S3, 1.2.1, learning eps_theta",
                    .statement = "The best eps_theta(x_t, t) is E[eps | x_t]",
                    .measure = bayes_noise,
                    .ingredients = {{"data", "the data is taken for a normal law of the same moments"}},
                    .settings = {law}});
  checks.push_back({.id = "s3.learning.mean-direction",
                    .source = "S3, 1.2.1",
                    .statement = "E[sqrt(alpha_t) x_{t-1} - x_t] = -(1 - alpha_t) / sqrt(1 - alphabar_t) eps",
                    .measure = mean_direction,
                    .ingredients = {{"scaling", "the step is divided by sqrt(alpha_t), as printed"}},
                    .settings = {law}});
  checks.push_back({.id = "s3.learning.network",
                    .source = "S3, 1.2.1, learning eps_theta",
                    .statement = "The notebook's network comes near the least possible loss, known exactly",
                    .measure = trained_network,
                    .ingredients = {{"training", "the network is trained for one step"}}});
  checks.push_back({.id = "s3.energy.gradient",
                    .source = "S3, 3.3, energy-based models",
                    .statement = "The score is -grad E: log Z does not depend on x",
                    .measure = energy_gradient,
                    .ingredients = {{"sign", "the score is taken for grad E"}}});
  checks.push_back({.id = "s3.energy.constant",
                    .source = "S3, 3.3, energy-based models",
                    .statement = "E(x, t) = -log p_t(x) - log Z(t), with its own constant at each t",
                    .measure = energy_constant,
                    .ingredients = {{"time", "the first time's Z stands for all"},
                                    {"training", "the network is trained for one step"}}});
  checks.push_back({.id = "s3.energy.langevin",
                    .source = "S3, 3.3, energy-based models",
                    .statement = "Langevin dynamics on a learned energy samples exp(-E) / Z",
                    .measure = energy_langevin,
                    .ingredients = {{"noise", "the noise is left out"},
                                    {"training", "the network is trained for one step"}}});
}

}  // namespace fokker::verify
