#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/sde/brownian.h"
#include "fokker/sde/simulate.h"

namespace fokker::verify {
namespace {

/// beta(t), a line, and its chain of N steps, beta_i = beta(t_i) dt.
struct LineOfBetas {
  double first, last;
  explicit LineOfBetas(const Settings& set) : first(set.real("first")), last(set.real("last")) {}
  VariancePreserving continuous() const { return {.beta_min = first, .beta_max = last}; }
  double at(double t) const { return first + (last - first) * t; }
  ChainTable chain(int64_t steps, double power) const {
    std::vector<double> beta;
    for (int64_t i = 1; i <= steps; ++i)
      beta.push_back(at(static_cast<double>(i) / static_cast<double>(steps)) *
                     std::pow(static_cast<double>(steps), -power));
    return ChainTable(beta);
  }
};

/// The law of the chain tends to that of dx = -beta x / 2 dt + sqrt(beta) dB with order 1.
void weak_order(const Trial& trial, Evidence& evidence) {
  const LineOfBetas betas(trial.settings());
  const GaussianProcess limit = betas.continuous();
  for (const double t : {0.5, 1.0}) {
    std::vector<double> steps, scales, variances;
    for (const int64_t n : {50, 100, 200, 400}) {
      const GaussianProcess chain = betas.chain(n, trial.has("dt") ? 1 : 0.9).process();
      steps.push_back(1 / static_cast<double>(n));
      scales.push_back(std::abs(chain.alpha(t) - limit.alpha(t)));
      variances.push_back(std::abs(std::pow(chain.sigma(t), 2) - std::pow(limit.sigma(t), 2)));
    }
    evidence.equal(fmt::format("order of the mean at t = {}", t), {observed_order(steps, scales)}, 1, 0.05);
    evidence.equal(fmt::format("order of the variance at t = {}", t), {observed_order(steps, variances)}, 1,
                   0.05);
  }
  // The expansion that leads to the limit: sqrt(1 - beta dt) = 1 - beta dt / 2 + O(dt^2), of one step at t
  // = 1.
  std::vector<double> steps, remainders;
  for (const int64_t n : {100, 200, 400, 800}) {
    const double dt = 1 / static_cast<double>(n);
    const GaussianProcess chain = betas.chain(n, trial.has("dt") ? 1 : 0.9).process();
    steps.push_back(dt);
    remainders.push_back(std::abs(chain.transition(1 - dt, 1).scale - (1 - 0.5 * betas.at(1) * dt)));
  }
  evidence.equal("order of sqrt(1 - beta dt) - (1 - beta dt / 2)", {observed_order(steps, remainders)}, 2,
                 0.05);
}

/// Along one Brownian path, x_{t+dt} = sqrt(1 - beta dt) x_t + sqrt(beta) (B(t + dt) - B(t)) tends to the
/// SDE's solution with order 1, since the noise is additive.
void strong_order(const Trial& trial, Evidence& evidence) {
  const LineOfBetas betas(trial.settings());
  const int64_t n = 400, fine = 2048;
  const BrownianPath path(trial.rng().stream("path"), 1.0, fine);
  const BrownianPath other(trial.rng().stream("other"), 1.0, fine);
  const Tensor x0 = trial.rng().stream("data").normal({n, 1}, {}, at::kDouble);
  const Sde sde = forward_sde(betas.continuous(), 1);
  const Tensor exact = simulate(sde, x0, uniform_times(0, 1, fine),
                                {.method = {}, .noise = path.increments(), .observer = {}});
  std::vector<double> steps, errors;
  for (const int64_t count : {16, 32, 64, 128}) {
    const std::vector<double> times = uniform_times(0, 1, count);
    Tensor x = x0;
    for (size_t i = 1; i < times.size(); ++i) {
      const double dt = times[i] - times[i - 1], beta = betas.at(times[i - 1]);
      const WienerStep step{
          .first_sample = 0, .step = static_cast<int64_t>(i), .begin = times[i - 1], .end = times[i]};
      x = std::sqrt(1 - beta * dt) * x +
          std::sqrt(beta) * (trial.has("path") ? path : other).increment({n, 1}, step);
    }
    steps.push_back(1 / static_cast<double>(count));
    errors.push_back((x - exact).square().mean().sqrt().item<double>());
  }
  evidence.equal("order of the root mean square error", {observed_order(steps, errors)}, 1, 0.15);
}

/// B summed from white noise times dt: B(0) = 0, Cov(B(s), B(t)) = min(s, t), independent increments.
void brownian_covariance(const Trial& trial, Evidence& evidence) {
  const int64_t n = 50'000;
  const double dt = 0.1;
  const Tensor w = white_noise(n, 1, uniform_times(0, 2, 20), trial.rng()).squeeze(2);
  const double scale = trial.has("root") ? dt : std::pow(dt, 1.5);
  const Tensor B = (w * scale).cumsum(0) + (trial.has("origin") ? 0.0 : 1.0);
  const auto at_time = [&](double t) { return B[std::lround(t / dt) - 1]; };
  for (const double t : {0.1, 0.5, 2.0})
    evidence.equal(fmt::format("mean of B({})", t), mean_of(at_time(t)), 0);
  for (const auto& [s, t] : {std::pair(0.1, 0.1), {0.5, 0.5}, {2.0, 2.0}, {0.5, 2.0}, {0.1, 1.0}})
    evidence.equal(fmt::format("covariance of B({}) and B({})", s, t), covariance_of(at_time(s), at_time(t)),
                   std::min(s, t));
  evidence.equal("covariance of B(1) - B(0.5) and B(0.5)",
                 covariance_of(at_time(1) - at_time(0.5), at_time(0.5)), 0);
  evidence.same_law("Kolmogorov's distance of an increment from N(0, dt)",
                    kolmogorov_smirnov((at_time(1) - at_time(0.9)) / std::sqrt(dt), normal_distribution));
  // The library's own paths are the same sums.
  const Tensor paths = brownian_paths(n, 1, uniform_times(0, 2, 20), trial.rng()).squeeze(2).slice(0, 1);
  evidence.equal("largest distance from the library's paths", {largest(paths - B)}, 0, 1e-10);
}

/// Cov(w(t), w(s)) = delta(t - s): averaged over intervals dt it is 1 / dt and zero between them, and the
/// integrals of w against two functions have the covariance of their product's integral, for every dt.
void white(const Trial& trial, Evidence& evidence) {
  const int64_t n = 50'000;
  for (const int64_t count : {5, 40}) {
    const double dt = 1 / static_cast<double>(count);
    const Tensor drawn =
        white_noise(n, 1, uniform_times(0, 1, count), trial.rng().stream(static_cast<uint64_t>(count)))
            .squeeze(2);
    const Tensor w = trial.has("delta") ? drawn : drawn * std::sqrt(dt);
    evidence.equal(fmt::format("mean times sqrt(dt), dt = {}", dt), mean_of(w[1] * std::sqrt(dt)), 0);
    evidence.equal(fmt::format("variance times dt, dt = {}", dt), variance_of(w[1] * std::sqrt(dt)), 1);
    evidence.equal(fmt::format("covariance of neighbours times dt, dt = {}", dt),
                   covariance_of(w[1] * dt, w[2]), 0);
    const Tensor t = (at::arange(count, at::kDouble) + 0.5).unsqueeze(1) * dt;
    const Tensor first = (w * t).sum(0) * dt, second = (w * t.square()).sum(0) * dt;
    // Midpoints: the integral of t^3 is off by dt^2 / 8.
    evidence.equal(fmt::format("covariance of the integrals of t w and t^2 w, dt = {}", dt),
                   covariance_of(first, second), 0.25, 0.126 * dt * dt);
  }
}

}  // namespace

void add_s3_sde(Checks& checks) {
  const std::vector<Setting> line = {Setting::real("first", 0.5, 0.1, 1, "beta(0)"),
                                     Setting::real("last", 3.5, 1, 4, "beta(1)")};
  checks.push_back({.id = "s3.sde.weak-order",
                    .source = "S3, 3",
                    .statement = "The chain's law tends to its SDE's with order 1 in dt",
                    .measure = weak_order,
                    .ingredients = {{"dt", "beta_t is beta(t) dt^0.9"}},
                    .settings = line});
  checks.push_back({.id = "s3.sde.strong-order",
                    .source = "S3, 3",
                    .statement = "The chain's paths tend to the SDE's with order 1 in dt",
                    .measure = strong_order,
                    .ingredients = {{"path", "the chain follows another Brownian path"}},
                    .settings = line});
  checks.push_back(
      {.id = "s3.brownian.covariance",
       .source = "S3, 3, Brownian motion",
       .statement = "Brownian motion starts at 0, and Cov(B(s), B(t)) = min(s, t)",
       .measure = brownian_covariance,
       .ingredients = {{"root", "normal numbers are summed times dt for sqrt(dt), as in the notebook"},
                       {"origin", "the paths start at 1, as in the notebook"}}});
  checks.push_back({.id = "s3.brownian.white-noise",
                    .source = "S3, 3, Wiener process",
                    .statement = "White noise has the covariance delta(t - s)",
                    .measure = white,
                    .ingredients = {{"delta", "every value has variance 1, whatever dt is"}}});
}

}  // namespace fokker::verify
