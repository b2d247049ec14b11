#include "fokker/condition/method/tds.h"

#include <gtest/gtest.h>

#include "condition/gaussian_case.h"
#include "fokker/condition/method/gibbs.h"
#include "fokker/core/random/rng.h"

namespace fokker {
namespace {

/// Three modes in d dimensions whose weights a measurement of the first coordinates changes.
GaussianMixture modes(int64_t d) {
  Tensor means = at::zeros({3, d}, at::kDouble);
  means.slice(1, 0, 2).copy_(rows_of({{-1.2, 0.8}, {1.2, 0.6}, {0.1, -1.2}}));
  if (d > 2) means.slice(1, 2).copy_(0.5 * Rng(5).normal({3, d - 2}, {}, at::kDouble));
  return GaussianMixture(vector_of({0.5, 0.3, 0.2}), means, vector_of({0.1, 0.15, 0.1}));
}

/// The first coordinate, all of them, and a projection.
std::vector<std::shared_ptr<const LinearOperator>> some_operators(int64_t d) {
  Tensor first = at::zeros({d}, at::kBool);
  first[0] = true;
  Tensor sum = at::zeros({2, d}, at::kDouble);
  sum[0].slice(0, 0, 2).fill_(1);
  sum[1].fill_(1 / std::sqrt(static_cast<double>(d)));
  return {std::make_shared<MaskOperator>(first), std::make_shared<MaskOperator>(at::ones({d}, at::kBool)),
          std::make_shared<MatrixOperator>(sum, std::vector<int64_t>{d})};
}

/// Weights of the modes by responsibilities under the posterior, (3), of each row.
Tensor mode_shares(const GaussianMixture& law, const Tensor& x, const Tensor& log_weights) {
  return log_weights.exp().unsqueeze(0).matmul(law.responsibilities(x.to(at::kDouble))).squeeze(0);
}

PosteriorSamples run_tds(const GaussianMixture& prior, const LinearMeasurement& seen, int64_t particles,
                         int64_t steps, uint64_t seed) {
  const AnalyticDenoiser denoiser(prior, VariancePreserving{});
  return Tds().sample(denoiser, seen, posterior_grid(denoiser.process(), steps),
                      {.draws = particles, .rng = Rng(seed), .type = at::kDouble, .data_deviation = 1});
}

// Wu et al. (2023): right as the particles become many. Every weight within 0.02, of every operator, two
// seeds.
TEST(Tds, HasThePosteriorsWeights) {
  for (const int64_t d : {2, 10})
    for (const auto& a : some_operators(d)) {
      const GaussianMixture prior = modes(d);
      const Tensor truth = 0.6 * prior.means().narrow(0, 0, 1);
      const LinearMeasurement seen(a, a->apply(truth), 0.5);
      const GaussianMixture exact = exact_posterior(prior, seen);
      EXPECT_GT(worst(prior.weights(), exact.weights()), 0.04) << "the measurement says something";
      for (const uint64_t seed : {0, 1}) {
        const PosteriorSamples found = run_tds(prior, seen, 4096, 30, seed);
        const Tensor shares = mode_shares(exact, found.x[0], found.log_weights[0]);
        EXPECT_LT(worst(shares, exact.weights()), 0.02) << d << " " << a->name() << " seed " << seed;
        const Tensor w = found.log_weights[0].exp(), mean = w.matmul(found.x[0]);
        EXPECT_LT(worst(mean, exact.mean()), 0.06);
        EXPECT_GT(found.ess[0].item<double>(), 1000) << "resampled below 2048, but for the last step";
      }
    }
}

// By the Jacobian's covariance it is exact on normal data, in four steps: all particles weigh the same but
// for the last step, which takes the mean, and are the posterior's. By an assumed one they do not.
TEST(Tds, IsExactOnNormalData) {
  GaussianCase of;
  of.noise = 0.4;
  const AnalyticDenoiser denoiser = of.denoiser();
  const TimeGrid grid = posterior_grid(of.process, 4);
  PosteriorOptions options{.draws = 4000, .rng = Rng(1), .type = at::kDouble};
  options.start = denoiser.marginal(grid.times()[0]).sample(8000, Rng(2)).reshape({2, 4000, 3});
  const PosteriorSamples found = Tds().sample(denoiser, of.measurement(), grid, options);
  EXPECT_EQ(found.gradients, 4 * 3) << "a pass back for each dimension";
  for (const int64_t row : {0, 1}) {
    const GaussianMixture exact = exact_posterior(of.prior(), of.measurement(), row);
    EXPECT_LT(errors_from(found.x[row], {exact.mean(), exact.covariance()}), 5) << row;
    EXPECT_GT(found.ess[row].item<double>(), 0.999 * 4000) << row;
  }
  const Tds assumed({.covariance = TwistCovariance::assumed});
  EXPECT_LT(assumed.sample(denoiser, of.measurement(), grid, options).ess.min().item<double>(), 0.99 * 4000);
}

// The error falls as P^-1/2: over 24 systems of particles, from the limit of this grid, which many more tell.
TEST(Tds, ConvergesWithItsParticles) {
  const GaussianMixture prior = modes(2);
  const auto a = some_operators(2)[0];
  const int64_t systems = 24;
  const LinearMeasurement seen(a, at::zeros({systems, 1}, at::kDouble), 0.8),
      one(a, at::zeros({1, 1}, at::kDouble), 0.8);
  const GaussianMixture exact = exact_posterior(prior, seen);
  const PosteriorSamples many = run_tds(prior, one, 65536, 10, 9);
  const Tensor limit = mode_shares(exact, many.x[0], many.log_weights[0]);
  std::vector<double> errors;
  for (const int64_t particles : {64, 256, 1024}) {
    const PosteriorSamples found = run_tds(prior, seen, particles, 10, 3);
    double square = 0;
    for (int64_t i = 0; i < systems; ++i)
      square += (mode_shares(exact, found.x[i], found.log_weights[i]) - limit).square().sum().item<double>();
    errors.push_back(std::sqrt(square / systems));
  }
  const double rate = std::log(errors[0] / errors[2]) / std::log(16.0);
  EXPECT_NEAR(rate, 0.5, 0.2) << errors[0] << " " << errors[1] << " " << errors[2];
}

// Any twist is right: with half as wrong a spread of the data as one likes, the weights stay.
TEST(Tds, IsRightForAnyTwist) {
  const GaussianMixture prior = modes(2);
  const auto a = some_operators(2)[2];
  const LinearMeasurement seen(a, at::zeros({1, 2}, at::kDouble), 0.8);
  const GaussianMixture exact = exact_posterior(prior, seen);
  const AnalyticDenoiser denoiser(prior, VariancePreserving{});
  for (const double deviation : {0.5, 2.0}) {
    const PosteriorSamples found =
        Tds({.covariance = TwistCovariance::assumed})
            .sample(denoiser, seen, posterior_grid(denoiser.process(), 50),
                    {.draws = 4096, .rng = Rng(1), .type = at::kDouble, .data_deviation = deviation});
    EXPECT_LT(worst(mode_shares(exact, found.x[0], found.log_weights[0]), exact.weights()), 0.025)
        << deviation;
  }
}

// Counts and functions are weighed by their own likelihoods: a mixture's posterior by a grid.
TEST(Tds, TakesOtherMeasurements) {
  const GaussianMixture prior(vector_of({0.5, 0.5}), rows_of({{-1}, {1}}), vector_of({0.2, 0.2}));
  const AnalyticDenoiser denoiser(prior, VariancePreserving{});
  const FunctionMeasurement seen([](const Tensor& x) { return x.square() + 0.5 * x; }, {1}, rows_of({{1.8}}),
                                 0.5, 2);
  const Tensor grid = at::linspace(-4, 4, 4001, at::kDouble).unsqueeze(1);
  const Tensor y = seen.residual(at::zeros({1, 1}, at::kDouble)).expand({4001, 1});
  const Tensor log = prior.log_density(grid) - 2 * (y - grid.square() - 0.5 * grid).square().squeeze(1);
  const Tensor density = log.softmax(0);
  const double exact = (density * (grid.squeeze(1) > 0)).sum().item<double>();
  const PosteriorSamples found = Tds().sample(denoiser, seen, posterior_grid(denoiser.process(), 60),
                                              {.draws = 4096, .rng = Rng(2), .type = at::kDouble});
  const double share = (found.log_weights[0].exp() * (found.x[0].squeeze(1) > 0)).sum().item<double>();
  EXPECT_NEAR(share, exact, 0.025);
  EXPECT_GT(std::abs(exact - 0.5), 0.05) << "the function tells the modes apart";
}

TEST(Tds, NeedsNoise) {
  const GaussianCase of;
  EXPECT_THAT([&] { Tds().check_measurement(of.measurement()); }, message("tds: expected noise > 0"));
  const FunctionMeasurement function([](const Tensor& x) { return x; }, {3}, at::ones({1, 3}, at::kDouble),
                                     1);
  EXPECT_THAT([&] { make_posterior_sampler("tds:covariance=jacobian")->check_measurement(function); },
              message("takes a linear measurement"));
  EXPECT_THAT([&] { make_posterior_sampler("tds:covariance=some"); }, message("auto, jacobian, assumed"));
}

// With rho fixed the chain's law of x is the posterior at the noise S^2 I + rho^2 A A^T: here A A^T = I.
TEST(Gibbs, IsThePosteriorAtItsOwnDistance) {
  GaussianCase of;
  of.a = std::make_shared<MaskOperator>(at::tensor({1, 0, 1}).to(at::kBool));
  of.noise = 0.3;
  const double rho = 0.3;
  const AnalyticDenoiser denoiser = of.denoiser();
  const Tensor x = Gibbs({.iterations = 16, .largest = 1, .smallest = rho})
                       .sample(denoiser, of.measurement(), posterior_grid(of.process, 100),
                               {.draws = 1000, .type = at::kDouble})
                       .x;
  const LinearMeasurement wider(of.a, of.y, std::hypot(of.noise, rho));
  for (const int64_t row : {0, 1}) {
    const GaussianMixture law = exact_posterior(of.prior(), wider, row),
                          exact = exact_posterior(of.prior(), of.measurement(), row);
    EXPECT_LT(errors_from(x[row], {law.mean(), law.covariance()}), 5) << row;
    EXPECT_GT(errors_from(x[row], {exact.mean(), exact.covariance()}), 10) << row;
  }
}

}  // namespace
}  // namespace fokker
