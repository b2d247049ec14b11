#include "fokker/evaluate/posterior_error.h"

#include <gtest/gtest.h>

#include "fokker/condition/particles.h"
#include "fokker/target/mixture_posterior.h"
#include "support.h"

namespace fokker {
namespace {

GaussianMixture two_modes() {
  return GaussianMixture(vector_of({0.25, 0.75}), rows_of({{-2, 0}, {2, 1}}), vector_of({0.5, 0.2}));
}

// Samples of the law itself: every error within what n of them have.
TEST(PosteriorError, IsSmallForExactSamples) {
  const GaussianMixture law = two_modes();
  const int64_t n = 8'000;
  const PosteriorError error = posterior_error(law.sample(n, Rng(1)), {}, law, Rng(2), 16);
  EXPECT_LT(error.mean, 4 / std::sqrt(static_cast<double>(n)));
  EXPECT_LT(error.covariance, 0.05);
  EXPECT_LT(std::abs(error.variance), 0.05);
  EXPECT_LT(error.weights, 4 * std::sqrt(0.25 * 0.75 / static_cast<double>(n)));
  EXPECT_NEAR(error.sliced_wasserstein, error.sliced_wasserstein_exact, 0.03);
}

// Known faults have their known sizes.
TEST(PosteriorError, MeasuresWhatIsWrong) {
  const GaussianMixture law = two_modes();
  const Tensor x = law.sample(8'000, Rng(1));
  const double deviation = std::sqrt(law.covariance().trace().item<double>());
  EXPECT_NEAR(posterior_error(x + vector_of({0.3, 0.4}), {}, law, Rng(2), 16).mean, 0.5 / deviation, 0.02);
  const PosteriorError wide = posterior_error((x - law.mean()) * 1.5 + law.mean(), {}, law, Rng(2), 16);
  EXPECT_NEAR(wide.variance, 1.25, 0.05);
  EXPECT_NEAR(wide.covariance, 1.25, 0.05);
  // One mode alone: its weight is off by what the other has.
  const Tensor left = x.index_select(0, (x.select(1, 0) < 0).nonzero().squeeze(1));
  EXPECT_NEAR(posterior_error(left, {}, law, Rng(2), 16).weights, 0.75, 0.01);
  EXPECT_GT(posterior_error(left, {}, law, Rng(2), 16).sliced_wasserstein, 0.5);
}

// Samples of the prior weighed by the likelihood are samples of the posterior.
TEST(PosteriorError, TakesWeights) {
  const GaussianMixture prior = two_modes(), law = posterior(prior, rows_of({{1, 1}}), vector_of({0.0}), 1.0);
  const Tensor x = prior.sample(12'000, Rng(1));
  const Tensor log = normalised_log_weights((-0.5 * x.sum(1).square()).unsqueeze(0)).squeeze(0);
  EXPECT_LT(posterior_error(x, log, law, Rng(2), 16).weights, 0.03);
  EXPECT_LT(posterior_error(x, log, law, Rng(2), 16).sliced_wasserstein, 0.1);
  EXPECT_GT(posterior_error(x, {}, law, Rng(2), 16).weights, 0.1);
  EXPECT_LT(worst(component_shares(x, log, law), law.weights()), 0.03);
}

TEST(PosteriorError, RefusesOtherShapes) {
  EXPECT_THAT(
      [&] {
        posterior_error(at::ones({5, 3}), {}, two_modes(), Rng(1));
      },
      message("expected at least 2 samples of 2 numbers"));
  EXPECT_THAT(
      [&] {
        posterior_error(at::ones({5, 2}), at::ones({4}), two_modes(), Rng(1));
      },
      message("expected 5 weights"));
}

}  // namespace
}  // namespace fokker
