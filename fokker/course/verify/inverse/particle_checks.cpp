// Twisted diffusion on mixtures: right as the particles become many, at the rate of Monte Carlo.
#include <cmath>

#include "fokker/condition/posterior_sampler.h"
#include "fokker/core/error.h"
#include "fokker/course/problem/linear_mixture.h"
#include "fokker/course/verify/checks.h"
#include "fokker/denoise/analytic.h"
#include "fokker/evaluate/metrics.h"

namespace fokker::verify {
namespace {

/// Independent systems of particles for one observation, a row each.
PosteriorSamples systems_of(const std::string& method, const SeenMixture& of, int64_t systems,
                            int64_t particles, int64_t steps, const Rng& rng) {
  const AnalyticDenoiser denoiser(of.prior, VariancePreserving{});
  const double deviation = std::sqrt(of.prior.covariance().diagonal().mean().item<double>());
  return make_posterior_sampler(method)->sample(
      denoiser, of.measurement(systems), posterior_grid(denoiser.process(), steps),
      {.draws = particles, .rng = rng, .type = at::kDouble, .data_deviation = deviation});
}

/// The share of each mode in each system, (systems, k).
Tensor shares(const GaussianMixture& law, const PosteriorSamples& found) {
  const Tensor each =
      law.responsibilities(found.x.flatten(0, 1)).reshape({found.x.size(0), found.x.size(1), -1});
  return (found.log_weights.exp().unsqueeze(2) * each).sum(1);
}

/// What is allowed beside the Monte Carlo error is the reverse chain's own, of first order in its steps. In
/// few dimensions the mean share over systems of 4,096 particles is within 0.02 of every weight, which is
/// four of its standard errors.
void weights_and_means(const Trial& trial, Evidence& evidence) {
  for (const int64_t d : {2, 10, 100}) {
    const SeenMixture of = seen_mixtures(d)[d == 2 ? 2 : 0];
    const GaussianMixture exact = exact_posterior(of.prior, of.measurement(1));
    const bool few = d < 100;
    const PosteriorSamples found =
        systems_of(trial.has("particles") ? "tds" : "dps", of, few ? 4 : 6, few ? 4096 : 128, 50,
                   trial.rng().stream(static_cast<uint64_t>(d)));
    const Tensor share = shares(exact, found);
    if (few)
      evidence.at_most(fmt::format("{} dimensions: largest error of a weight by 4,096 particles", d),
                       {(share.mean(0) - exact.weights()).abs().max().item<double>(), 0}, 0.02);
    const Tensor mean = (found.log_weights.exp().unsqueeze(2) * found.x).sum(1);
    for (int64_t k = 0; k < 3; ++k)
      evidence.equal(fmt::format("{} dimensions: weight of mode {}", d, k + 1), mean_of(share.select(1, k)),
                     exact.weights()[k].item<double>(), few ? 0.01 : 0.03);
    for (int64_t j = 0; j < 2; ++j)
      evidence.equal(fmt::format("{} dimensions: mean of x{}", d, j + 1), mean_of(mean.select(1, j)),
                     exact.mean()[j].item<double>(), 0.06);
    const Tensor square = (found.log_weights.exp().unsqueeze(2) * (found.x - exact.mean()).square()).sum(1);
    for (int64_t j = 0; j < 2; ++j)
      evidence.equal(fmt::format("{} dimensions: variance of x{}", d, j + 1), mean_of(square.select(1, j)),
                     exact.covariance()[j][j].item<double>(), 0.08);
  }
}

/// The spread of a mode's share among systems of P particles falls as P^(-1/2). That of the logarithm of a
/// deviation from n systems is (2 (n - 1))^(-1/2).
void particle_rate(const Trial& trial, Evidence& evidence) {
  const SeenMixture of = seen_mixtures(2)[2];
  const GaussianMixture exact = exact_posterior(of.prior, of.measurement(1));
  const int64_t systems = 64, few = 32, many = trial.has("particles") ? 512 : 32;
  const auto deviation = [&](int64_t particles, const char* stream) {
    return shares(exact, systems_of("tds", of, systems, particles, 10, trial.rng().stream(stream)))
        .select(1, 0)
        .std()
        .item<double>();
  };
  const double slope = std::log(deviation(few, "few") / deviation(many, "many")) / std::log(512.0 / 32.0);
  const double error = std::sqrt(2 / (2 * static_cast<double>(systems - 1))) / std::log(512.0 / 32.0);
  evidence.equal("order of the weights' error in 1/P", {slope, error}, 0.5, 0.05);
}

/// Distance from exact draws, beside that of other exact draws.
void particle_distance(const Trial& trial, Evidence& evidence) {
  for (const int64_t d : {2, 10}) {
    const SeenMixture of = seen_mixtures(d)[d == 2 ? 0 : 1];
    const GaussianMixture exact = exact_posterior(of.prior, of.measurement(1));
    const Rng rng = trial.rng().stream(static_cast<uint64_t>(d));
    const int64_t n = 2048;
    const auto distance = [&](const Tensor& x, const std::string& to) {
      return sliced_wasserstein(x, exact.sample(n, rng.stream(to)), 64, rng.stream("directions"));
    };
    std::vector<double> floor;
    for (uint64_t i = 0; i < 8; ++i)
      floor.push_back(distance(exact.sample(n, rng.stream("exact").stream(i)), fmt::format("other {}", i)));
    const Statistic own = mean_of(at::tensor(at::ArrayRef<double>(floor), at::TensorOptions(at::kDouble)));
    const PosteriorSamples found =
        systems_of(trial.has("particles") ? "tds" : "dps", of, 1, n, 50, rng.stream("found"));
    const Tensor x = equally_weighted(found, n, rng.stream("picked"))[0];
    evidence.equal(fmt::format("{} dimensions: sliced Wasserstein to exact draws", d),
                   {distance(x, "against"), own.standard_error * std::sqrt(8.0)}, own.value, 0.03);
  }
}

}  // namespace

void add_inverse_particles(Checks& checks) {
  const Ingredient particles{"particles", "DPS steers samples that are not weighed"};
  checks.push_back({.id = "inverse.tds.weights",
                    .source = "Wu et al. 2023",
                    .statement = "Twisted diffusion has the posterior's weights, means and variances",
                    .measure = weights_and_means,
                    .ingredients = {particles}});
  checks.push_back({.id = "inverse.tds.distance",
                    .source = "Wu et al. 2023",
                    .statement = "Twisted diffusion is as near to the posterior as exact draws are",
                    .measure = particle_distance,
                    .ingredients = {particles}});
  checks.push_back({.id = "inverse.tds.rate",
                    .source = "Wu et al. 2023",
                    .statement = "The error of twisted diffusion falls as the square root of its particles",
                    .measure = particle_rate,
                    .ingredients = {{"particles", "the number of particles stays the same"}}});
}

}  // namespace fokker::verify
