#include "fokker/table/distribution.h"

#include "fokker/target/toys.h"
#include "table/columns.h"

namespace fokker {
namespace {

ValueCounts counts(const Tensor& values) {
  const Tensor flat = values.contiguous();
  return ValueCounts::of({flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()});
}

Tensor normal(int64_t n, uint64_t seed) {
  return Rng(seed).normal({n}, {}, at::kDouble);
}
Tensor uniform(int64_t n, uint64_t seed) {
  return Rng(seed).uniform({n}, {}, at::kDouble);
}

// By the statistic's own law a false alarm is one in hundreds: each law is drawn ten times.
TEST(Distribution, SmoothLawsWithoutBoundsAreNeither) {
  for (uint64_t seed = 0; seed < 10; ++seed)
    for (const int64_t n : {4000, 20'000}) {
      const Tensor z = normal(n, seed), u = uniform(n, seed + 100);
      const Tensor modes = z + at::where(u < 0.2, -5, 5).to(at::kDouble);
      const Tensor moons = make_target("moons")->sample(n, Rng(seed)).to(at::kDouble);
      for (const Tensor& x : {z, modes, moons.select(1, 0), moons.select(1, 1)}) {
        EXPECT_FALSE(has_heavy_tails(counts(x))) << seed;
        EXPECT_FALSE(has_hard_bound(counts(x))) << seed;
        EXPECT_TRUE(find_spikes(counts(x)).empty());
      }
    }
}

TEST(Distribution, SeesBounds) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Tensor u = uniform(6000, seed);
    for (const Tensor& x : {u, -3 * u, u.log().neg(), u.log(), u.square(), (1 - u).square().neg()})
      EXPECT_TRUE(has_hard_bound(counts(x))) << seed;
    EXPECT_FALSE(has_heavy_tails(counts(u)));
    EXPECT_FALSE(has_heavy_tails(counts(u.log()))) << "exponential";
  }
  EXPECT_FALSE(has_hard_bound(counts(uniform(400, 1))));
}

TEST(Distribution, SeesHeavyTailsOnEitherSide) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Tensor x = (2 * normal(4000, seed)).exp();
    EXPECT_TRUE(has_heavy_tails(counts(x)));
    EXPECT_TRUE(has_heavy_tails(counts(-x)));
    EXPECT_TRUE(has_heavy_tails(counts(normal(4000, seed) / normal(4000, seed + 50)))) << "Cauchy";
  }
}

TEST(Distribution, SpikesStandOutOfTheirSurroundings) {
  const Tensor u = uniform(4000, 1), z = normal(4000, 2);
  const auto zeros = find_spikes(counts(at::where(u < 0.6, at::zeros_like(z), z.exp())));
  ASSERT_EQ(zeros.size(), 1u);
  EXPECT_EQ(zeros[0].value, 0);
  EXPECT_NEAR(zeros[0].share, 0.6, 5 * std::sqrt(0.24 / 4000));
  // Two bounds, beside one another at either end.
  const auto bounds = find_spikes(counts(z.clamp(-1, 1)));
  ASSERT_EQ(bounds.size(), 2u);
  EXPECT_EQ(bounds[1].value, 1);
  // Rounding is no spike, nor is a geometric law, each of whose values is half as frequent as the one before.
  EXPECT_TRUE(find_spikes(counts((10 * z).round())).empty());
  EXPECT_TRUE(find_spikes(counts((u.log() / std::log(0.5)).floor())).empty());
  // Heaping at tens among whole numbers.
  const Tensor ages = (50 + 15 * z).round();
  const Tensor heaped = at::where(u < 0.3, (ages / 10).round() * 10, ages);
  for (const Spike& spike : find_spikes(counts(heaped))) EXPECT_EQ(std::fmod(spike.value, 10), 0);
  EXPECT_GE(find_spikes(counts(heaped)).size(), 1u);
  // At most twenty, the most frequent.
  const Tensor marks = at::where(u < 0.9, ((u * 25 / 0.9).floor() - 12) / 8, z);
  EXPECT_EQ(find_spikes(counts(marks)).size(), 20u);
}

}  // namespace
}  // namespace fokker
