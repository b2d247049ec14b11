#include <numbers>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/objective/single_level.h"

namespace fokker::verify {
namespace {

/// x = s + noise of the deviation sigma: the Brownian process at t = sigma^2.
constexpr double usual_sigma = 0.5;
const GaussianProcess& process() {
  static const GaussianProcess brownian = Brownian{.sigma = 1.0};
  return brownian;
}

Tensor normal_density(const Tensor& x) {
  return (-0.5 * x.square()).exp() / std::sqrt(2 * std::numbers::pi);
}

/// A signal that is not normal: its log density on the nodes of its support, the score of x = s + noise, and
/// where it is seen.
struct Signal {
  Line nodes;
  Tensor log_density;
  std::vector<double> seen;
  std::function<Tensor(const Tensor& x)> score;
};

/// Midpoints of the intervals, where a density may be cut off at the ends.
Line midpoints(double begin, double end, int64_t intervals) {
  const double half = 0.5 * (end - begin) / static_cast<double>(intervals);
  return line(begin + half, end - half, intervals - 1);
}

/// Uniform on [-1, 1].
Signal uniform_signal(const Settings& set) {
  const Line nodes = midpoints(-1, 1, 20'000);
  return {
      nodes, at::zeros_like(nodes.x), {-1.2, -0.3, 0.4, 1.5}, [sigma = set.real("sigma")](const Tensor& x) {
        const Tensor u = (x + 1) / sigma, v = (x - 1) / sigma;
        return (normal_density(u) - normal_density(v)) /
               (sigma * (normal_distribution(u) - normal_distribution(v)));
      }};
}

/// Exponential, exp(-s) for s > 0.
Signal exponential_signal(const Settings& set) {
  const Line nodes = midpoints(0, 40, 200'000);
  return {nodes, -nodes.x, {-1.2, -0.3, 0.4, 1.5}, [sigma = set.real("sigma")](const Tensor& x) {
            const Tensor u = x / sigma - sigma;
            return -1 + normal_density(u) / (sigma * normal_distribution(u));
          }};
}

/// A mixture; the score is that of the library's noised one.
Signal mixture_signal(const Settings& set) {
  const LineMixture law = LineMixture::of(set.law());
  const double sigma = set.real("sigma"), mean = law.mean(), deviation = std::sqrt(law.variance());
  const Line nodes = line_over(set.law(), sigma);
  return {nodes,
          law.log_density(nodes.x),
          {mean - 1.5 * deviation, mean - 0.6 * deviation, mean + 0.15 * deviation, mean + 1.3 * deviation},
          [sigma, mixture = law.mixture()](const Tensor& x) {
            return mixture.noised(1, sigma).score(x.unsqueeze(1)).flatten();
          }};
}

/// E[s | x] = x + sigma^2 grad log p(x), the denoised estimate of a score, against Bayes' rule on the line.
void tweedie(Signal (*make)(const Settings&), const Trial& trial, Evidence& evidence) {
  const Signal signal = make(trial.settings());
  const double sigma = trial.settings().real("sigma"), level = sigma * sigma;
  const FunctionDenoiser denoiser([&](const Tensor& x, const Times&) { return signal.score(x); }, process(),
                                  Prediction::score());
  for (const double x : signal.seen) {
    const Tensor at_x = at::full({1}, x, at::kDouble);
    const Tensor estimate =
        trial.has("square") ? denoiser.estimate(at_x, level).denoised() : at_x + sigma * signal.score(at_x);
    const Tensor log_weights = signal.log_density + normal_log_density(signal.nodes.x, x, level);
    evidence.equal(fmt::format("E[s | x = {:.4g}]", x), {estimate.item<double>()},
                   expectation(log_weights, signal.nodes.x), 1e-7 * std::max(1.0, std::abs(x)));
  }
}

/// A smooth density, for which derivatives are bounded.
const LineMixture& smooth_prior() {
  static const LineMixture law({0.4, 0.6}, {-1, 1}, {0.5, 0.7});
  return law;
}

/// The denoising autoencoder's loss is least at E[s | x]: no slope in any direction, and a rise of E|h|^2.
void optimal_autoencoder(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& prior = trial.settings().law();
  const double sigma = trial.settings().real("sigma");
  const AnalyticDenoiser exact(
      trial.has("exact") ? prior : GaussianMixture::gaussian(prior.mean(), prior.covariance()), process());
  const DenoisingAutoencoder loss(sigma * sigma);
  const Batch batch{.x0 = prior.sample(trial.settings().integer("n"), trial.rng().stream("data")),
                    .label = {}};
  const std::vector<std::pair<std::string, Tensor (*)(const Tensor&)>> directions = {
      {"1", [](const Tensor& x) { return at::ones_like(x); }},
      {"x", [](const Tensor& x) { return x; }},
      {"sin 2x", [](const Tensor& x) { return (2 * x).sin(); }}};
  const Line nodes = line_over(prior.noised(1, sigma), 0.5);  // fine enough for sin 2x too
  const Tensor density = prior.noised(1, sigma).log_density(nodes.states()).exp();
  for (const auto& [name, h] : directions) {
    const auto at_distance = [&, h = h](double c) {
      const FunctionDenoiser r(
          [&](const Tensor& x, const Times& t) { return exact.estimate(x, t).denoised() + c * h(x); },
          process(), Prediction::data());
      return loss.loss(r, batch, trial.rng());
    };
    const Tensor above = at_distance(0.3), below = at_distance(-0.3);
    evidence.equal("slope along " + name, mean_of((above - below) / 0.6), 0);
    evidence.equal("rise along " + name, mean_of(above - at_distance(0)),
                   0.09 * nodes.integral(density * h(nodes.x).square()));
  }
}

/// r*(s) = s + sigma^2 grad log p(s) + o(sigma^2), with the score of the clean density: the remainder is of
/// order sigma^4.
void tweedie_small_noise(const Trial& trial, Evidence& evidence) {
  const LineMixture prior = LineMixture::of(trial.settings().law());
  const AnalyticDenoiser exact(prior.mixture(), process());
  const double narrow = std::sqrt(variances_of(trial.settings().law()).front());
  const Tensor s = prior.mean() + 2.5 * std::sqrt(prior.variance()) * at::linspace(-1, 1, 61, at::kDouble);
  const std::vector<double> deviations = {0.14 * narrow, 0.07 * narrow, 0.035 * narrow};
  std::vector<double> errors;
  for (const double d : deviations) {
    const Tensor r = exact.estimate(s.unsqueeze(1), d * d).denoised().flatten();
    errors.push_back(largest(r - s - (trial.has("score") ? d * d * prior.score(s) : at::zeros_like(s))));
  }
  evidence.equal("order in sigma of the largest remainder", {observed_order(deviations, errors)}, 4, 0.1);
}

}  // namespace

void add_s3_tweedie(Checks& checks) {
  const Setting noise = Setting::real("sigma", usual_sigma, 0.05, 1, "deviation of the noise");
  const std::vector<std::pair<std::string, Signal (*)(const Settings&)>> signals = {
      {"uniform", uniform_signal}, {"exponential", exponential_signal}, {"mixture", mixture_signal}};
  const Setting law = Setting::law(
      [] {
        return course::Laws{LineMixture({0.3, 0.7}, {-1, 0.8}, {0.05, 0.3}).mixture()};
      },
      "0.3 N(-1, 0.05) + 0.7 N(0.8, 0.3)");
  for (const auto& [name, make] : signals)
    checks.push_back(
        {.id = "s3.tweedie." + name,
         .source = "S3, 2.3",
         .statement = "E[s | x] = x + sigma^2 grad log p(x) for a signal that is not normal",
         .measure = [make = make](const Trial& t, Evidence& e) { tweedie(make, t, e); },
         .ingredients = {{"square", "the score is multiplied by sigma"}},
         .settings = name == "mixture" ? std::vector<Setting>{law, noise} : std::vector<Setting>{noise}});
  checks.push_back({.id = "s3.autoencoder.optimal",
                    .source = "S3, 2.4",
                    .statement = "The denoising autoencoder's loss is least at E[s | x]",
                    .measure = optimal_autoencoder,
                    .ingredients = {{"exact", "the denoiser is that of a normal law of the same moments"}},
                    .settings = {Setting::law([] { return course::Laws{smooth_prior().mixture()}; },
                                              "0.4 N(-1, 0.5) + 0.6 N(1, 0.7)"),
                                 noise, Setting::integer("n", 60'000, 500, 1'000'000, "draws")}});
  checks.push_back({.id = "s3.autoencoder.small-noise",
                    .source = "S3, 2.4",
                    .statement = "r*(s) = s + sigma^2 grad log p(s) + o(sigma^2)",
                    .measure = tweedie_small_noise,
                    .ingredients = {{"score", "the step along the score is left out"}},
                    .settings = {Setting::law([] { return course::Laws{smooth_prior().mixture()}; },
                                              "0.4 N(-1, 0.5) + 0.6 N(1, 0.7)",
                                              {.least_deviation = 0.1, .most_deviation = 4, .reach = 12})}});
}

}  // namespace fokker::verify
