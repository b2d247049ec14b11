#include "fokker/condition/particles.h"

#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "support.h"

namespace fokker {
namespace {

TEST(Particles, CountAsManyAsTheirWeightsSay) {
  const Tensor log =
      normalised_log_weights(vector_of({0, 0, 0, 0, 0, -1e4, -1e4, -1e4, 7, 7, 7, 7}).reshape({3, 4}));
  EXPECT_LT(worst(log.exp().sum(1), at::ones({3}, at::kDouble)), 1e-14);
  EXPECT_LT(worst(effective_samples(log), vector_of({4, 1, 4})), 1e-12);
  // 1 / sum w^2 of weights 0.5, 0.25, 0.25.
  EXPECT_NEAR(
      effective_samples(normalised_log_weights(vector_of({2, 1, 1}).log().unsqueeze(0))).item<double>(),
      8.0 / 3, 1e-12);
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_THAT(
      [&] {
        normalised_log_weights(vector_of({0, 0, -inf, -inf}).reshape({2, 2}));
      },
      message("row 1 (from 0): no particle has a finite weight"));
}

// Each is taken the floor or the ceiling of count w times, and on average over u exactly count w times.
TEST(Particles, AreResampledSystematically) {
  const Tensor weights = vector_of({0.05, 0.33, 0.02, 0.6});
  const Tensor log = weights.log().unsqueeze(0);
  const int64_t count = 7, trials = 1000;
  Tensor taken = at::zeros({4}, at::kDouble);
  for (int64_t i = 0; i < trials; ++i) {
    const Tensor u = at::full({1}, (static_cast<double>(i) + 0.5) / trials, at::kDouble);
    const Tensor times = at::bincount(systematic_resampling(log, u, count)[0], {}, 4).to(at::kDouble);
    EXPECT_LT(worst(times, count * weights), 1);
    taken += times / trials;
  }
  EXPECT_LT(worst(taken, count * weights), 4.0 / trials);
  EXPECT_TRUE(at::equal(systematic_resampling(vector_of({-1e3, 0, -1e3}).unsqueeze(0), vector_of({0.999}), 3),
                        at::ones({1, 3}, at::kLong)));
}

}  // namespace
}  // namespace fokker
