// The kernels of the exact denoiser against their definition in tensor operations.
#include "fokker/kernel/mixture/mixture_softmax.h"

#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/mixture/mixture_leaves.h"
#include "fokker/kernel/mixture/mixture_softmax_prepared.h"
#include "fokker/kernel/mixture/mixture_softmax_rows.h"
#include "instruction_sets.h"

namespace fokker::kernel {
namespace {

struct Problem {
  const char* name;
  Tensor means, log_weights;
};

/// Data in general position, in tight clusters, with duplicates, and far from the origin; uneven weights.
std::vector<Problem> problems(int64_t k, int64_t d) {
  const Rng rng(1);
  const Tensor points = rng.stream("points").normal({k, d}, {}, at::kDouble);
  const Tensor centres = points.slice(0, 0, 5).repeat({(k + 4) / 5, 1}).slice(0, 0, k);
  const Tensor weights = (rng.stream("weights").uniform({k}, {}, at::kDouble) + 0.1);
  const Tensor uneven = (weights / weights.sum()).log();
  const Tensor even = at::full({k}, -std::log(static_cast<double>(k)), at::kDouble);
  return {{"general", points, uneven},
          {"clusters", centres + 1e-3 * points, even},
          {"duplicates", centres, uneven},
          {"far", points + 1000, even}};
}

Tensor scalar(double value) {
  return at::full({1, 1}, value, at::kDouble);
}

/// Largest differences of E[m | x] and of the logarithm of the density's sum, both against float64.
struct Gap {
  double mean, log_total;
};

Gap gap_of(const Problem& problem, const SoftmaxQueries& queries) {
  const CentredMeans components(problem.means, problem.log_weights);
  const auto fast = SoftmaxComponents(components)(queries);
  const auto plain = mixture_softmax_plain(components, queries);
  const auto nearest = [&](const MixtureSoftmax& s) { return problem.means.index_select(0, s.anchor); };
  // The anchors may differ where components tie, so both are held against the plain one.
  const Tensor move = nearest(fast) - nearest(plain);
  const Tensor middle = 0.5 * (nearest(fast) + nearest(plain));
  const Tensor logit =
      (queries.alpha / queries.variance).squeeze(1) * (move * (queries.x - queries.alpha * middle)).sum(1) +
      problem.log_weights.index_select(0, fast.anchor) - problem.log_weights.index_select(0, plain.anchor);
  return {(fast.offset + move - plain.offset).abs().max().item<double>(),
          (fast.log_total + logit - plain.log_total).abs().max().item<double>()};
}

void expect_agreement(int64_t k, int64_t d, bool single, double tolerance) {
  for (const auto& problem : problems(k, d))
    for (const double alpha : {1.0, 0.3, 0.01})
      for (const double sigma : {1e-3, 0.3, 1.0, 30.0})
        for (const double distance : {1.0, 30.0}) {
          const Tensor z = Rng(2).normal({40, d}, {}, at::kDouble);
          const Tensor x = alpha * problem.means.slice(0, 0, 40) + sigma * distance * z;
          const Gap gap = gap_of(problem, {x, scalar(alpha), scalar(sigma * sigma), single});
          EXPECT_LT(gap.mean, tolerance) << problem.name << " d " << d << " alpha " << alpha << " sigma "
                                         << sigma << " distance " << distance;
          EXPECT_LT(gap.log_total, 4 * tolerance) << problem.name << " d " << d << " alpha " << alpha
                                                  << " sigma " << sigma << " distance " << distance;
        }
}

// The plain form's own error is some 1e-11 where its product is repaired, times a spread of 4.
TEST(MixtureSoftmax, AgreesWithPlainTensorsInLowDimension) {
  for (const int64_t d : {1, 2, 7, 16}) expect_agreement(601, d, false, 2e-10);
}

TEST(MixtureSoftmax, AgreesWithPlainTensorsInHighDimension) {
  for (const int64_t d : {17, 200}) expect_agreement(601, d, false, 2e-10);
}

// Weights off by 1e-5, of coordinates that spread by 4 to either side.
TEST(MixtureSoftmax, SinglePrecisionIsWithinItsBound) {
  for (const int64_t d : {2, 17, 200}) expect_agreement(601, d, true, 4e-5);
}

// Many leaves, of which few matter where sigma is small; and alpha may be negative.
TEST(MixtureSoftmax, LeavesThatDoNotMatterAreLeftOut) {
  for (const int64_t d : {1, 2, 3, 5})
    for (const auto& problem : problems(4000, d))
      for (const double alpha : {1.0, -0.4})
        for (const double sigma : {1e-3, 0.05, 1.0}) {
          const Tensor x =
              alpha * problem.means.slice(0, 0, 25) + sigma * Rng(2).normal({25, d}, {}, at::kDouble);
          const SoftmaxQueries queries{x, scalar(alpha), scalar(sigma * sigma), false};
          EXPECT_LT(gap_of(problem, queries).mean, 2e-10) << problem.name << " d " << d << " sigma " << sigma;
        }
}

// float32 answers as if the query and the means had been rounded to float32, relative to the nearest mean:
// with a = m - m_anchor and r = x - alpha m_anchor, a logit is off by at most d + 8 units of alpha / variance
// |a|.(|r|
// + |alpha a|), and E[m | x] by what that does to the weights.
TEST(MixtureSoftmax, SinglePrecisionIsBackwardStable) {
  constexpr double unit = 0x1p-24;
  // Of the sums over components, each lane's a chain; a single lane's is as long as four's together.
  const double chains = available_targets().front() == HWY_SCALAR ? 16e-7 : 4e-7;
  double worst = 0;  // error / bound
  for (const int64_t d : {1, 2, 3, 7, 16})
    for (auto problem : problems(700, d))
      for (const double alpha : {1.0, 0.3})
        for (const double sigma : {1e-4, 0.3, 30.0, 1000.0})
          for (const double distance : {1.0, 100.0}) {
            problem.means = problem.means.to(at::kFloat).to(at::kDouble);
            const Tensor z = Rng(2).normal({4, d}, {}, at::kDouble);
            const Tensor x = alpha * problem.means.slice(0, 0, 4) + sigma * distance * z;
            const CentredMeans components(problem.means, problem.log_weights);
            const SoftmaxComponents softmax(components);
            const auto single = softmax({x, scalar(alpha), scalar(sigma * sigma), true}),
                       exact = softmax({x, scalar(alpha), scalar(sigma * sigma), false});
            const auto nearest = [&](const MixtureSoftmax& s) {
              return problem.means.index_select(0, s.anchor);
            };
            for (int64_t i = 0; i < 4; ++i) {
              const Tensor anchor = nearest(single)[i], mean = nearest(exact)[i] + exact.offset[i];
              const Tensor a = problem.means - anchor, r = x[i] - alpha * anchor;
              const double slope = alpha / (sigma * sigma);
              const Tensor difference =
                  problem.log_weights - problem.log_weights[single.anchor[i].item<int64_t>()];
              const Tensor logit = slope * a.matmul(r) - 0.5 * slope * alpha * a.square().sum(1) + difference;
              const Tensor size =
                  slope * (a.abs() * (r.abs() + alpha * a.abs())).sum(1) + difference.abs() + logit.abs();
              const Tensor moved = (static_cast<double>(d + 8) * unit * size).clamp_max(30).expm1() + chains;
              const Tensor weight = logit.softmax(0).unsqueeze(1);
              const Tensor bound =
                  (weight * (moved.unsqueeze(1) * (problem.means - mean).abs() + 4 * unit * a.abs())).sum(0) +
                  1e-8 * (problem.means - mean).abs().amax(0) + 1e-14;
              const Tensor error = (anchor + single.offset[i] - mean).abs();
              worst = std::max(worst, (error / bound).max().item<double>());
            }
          }
  ::testing::Test::RecordProperty("error_of_bound", std::to_string(worst));
  EXPECT_LT(worst, 1);
  EXPECT_GT(worst, 1e-3);  // float32 is used, and the bound says something
}

// In stages: 256 dimensions and more, coordinates of even and of decaying variance.
TEST(MixtureSoftmax, StagedProductAgreesWithPlainTensors) {
  constexpr int64_t d = 300;
  for (auto problem : problems(300, d))
    for (const bool decaying : {false, true})
      for (const double sigma : {0.1, 1.0, 30.0})
        for (const bool single : {false, true}) {
          if (decaying) problem.means = problem.means / (1 + at::arange(d, at::kDouble));
          const Tensor x =
              0.7 * problem.means.slice(0, 0, 25) + sigma * Rng(2).normal({25, d}, {}, at::kDouble);
          const Gap gap = gap_of(problem, {x, scalar(0.7), scalar(sigma * sigma), single});
          EXPECT_LT(gap.mean, single ? 4e-5 : 2e-10) << problem.name << " sigma " << sigma;
        }
}

// Means in two leaves and queries in groups: rows do not depend on their neighbours.
TEST(MixtureSoftmax, RowsDoNotDependOnTheirNeighbours) {
  for (const int64_t d : {2, 40}) {
    const auto problem = problems(1500, d)[0];
    const SoftmaxComponents components(CentredMeans(problem.means, problem.log_weights));
    const Tensor x = Rng(3).normal({50, d}, {}, at::kDouble);
    const Tensor alpha = Rng(4).uniform({50, 1}, {}, at::kDouble), variance = 1 - alpha * alpha;
    const auto all = components({x, alpha, variance});
    for (int64_t i = 0; i < 50; i += 7) {
      const auto one = [&](const Tensor& t) { return t.slice(0, i, i + 1); };
      const auto alone = components({one(x), one(alpha), one(variance)});
      const double gap = (alone.offset + problem.means.index_select(0, alone.anchor) - one(all.offset) -
                          problem.means.index_select(0, one(all.anchor)))
                             .abs()
                             .max()
                             .item<double>();
      EXPECT_LT(gap, 1e-13);
    }
  }
}

// At the middle of two components that outweigh all others, E[m | x] is their middle.
TEST(MixtureSoftmax, TieIsTheMiddle) {
  for (const int64_t d : {2, 100}) {
    Tensor means = 50 + Rng(5).normal({300, d}, {}, at::kDouble);
    means[7].fill_(1), means[130].fill_(-1);
    const Tensor even = at::zeros({300}, at::kDouble);
    const SoftmaxComponents components(CentredMeans(means, even));
    const auto softmax = components({at::zeros({1, d}, at::kDouble), scalar(1), scalar(1e-2)});
    EXPECT_NEAR(softmax.log_total.item<double>(), std::log(2.0), 1e-15);
    EXPECT_LT((means[softmax.anchor.item<int64_t>()] + softmax.offset).abs().max().item<double>(), 1e-15);
  }
}

// The first component of every leaf, or panel, has no weight; in one dimension so has all of the first leaf.
TEST(MixtureSoftmax, ComponentsWithoutWeightDoNotCount) {
  on_each_instruction_set([] {
    for (const int64_t d : {1, 2, 5, 17, 300})
      for (Problem problem : problems(601, d)) {
        if (d == 1) problem.means = std::get<0>(problem.means.sort(0));
        Tensor none = (at::arange(601, at::kLong) % 2).eq(0);
        if (d == 1) none = at::arange(601, at::kLong) < 400;
        problem.log_weights = problem.log_weights.masked_fill(none, -HUGE_VAL);
        const Tensor kept = none.logical_not().nonzero().squeeze(1);
        const Problem without{"", problem.means.index_select(0, kept),
                              problem.log_weights.index_select(0, kept)};
        for (const double sigma : {0.05, 1.0})
          for (const bool single : {false, true}) {
            const Tensor x =
                problem.means.slice(0, 0, 601, 30) + sigma * Rng(2).normal({21, d}, {}, at::kDouble);
            const SoftmaxQueries queries{x, scalar(1), scalar(sigma * sigma), single};
            const auto all = SoftmaxComponents(CentredMeans(problem.means, problem.log_weights))(queries);
            const auto some = SoftmaxComponents(CentredMeans(without.means, without.log_weights))(queries);
            const Tensor gap = problem.means.index_select(0, all.anchor) + all.offset -
                               without.means.index_select(0, some.anchor) - some.offset;
            EXPECT_LT(gap.abs().max().item<double>(), single ? 1e-3 : 4e-10)
                << problem.name << " d " << d << " sigma " << sigma;
          }
      }
  });
}

TEST(MixtureSoftmax, WithoutAnyWeightThereIsNoAnswer) {
  for (const int64_t d : {2, 40}) {
    const CentredMeans components(Rng(1).normal({300, d}, {}, at::kDouble),
                                  at::full({300}, -HUGE_VAL, at::kDouble));
    for (const bool single : {false, true}) {
      const SoftmaxQueries queries{at::zeros({3, d}, at::kDouble), scalar(1), scalar(1), single};
      for (const auto& answer :
           {SoftmaxComponents(components)(queries), mixture_softmax_plain(components, queries)})
        EXPECT_TRUE(answer.offset.isnan().all().item<bool>() && answer.log_total.isnan().all().item<bool>());
    }
  }
}

// Far queries, steep slopes, large and small means: beyond float32, and where squares leave float64.
TEST(MixtureSoftmax, NumbersBeyondFloat32AgreeWithPlainTensors) {
  on_each_instruction_set([] {
    for (const int64_t d : {2, 16, 17, 300})
      for (const double size : {1e-25, 1.0, 1e25})
        for (const double distance : {1.0, 1e18, 1e40, 1e180}) {
          Problem problem = problems(200, d)[0];
          problem.means = size * problem.means;
          const Tensor x = size * distance * Rng(2).normal({5, d}, {}, at::kDouble);
          // One component only matters: which, rounding does not decide.
          for (const bool single : {false, true}) {
            const SoftmaxQueries queries{x, scalar(0.5), scalar(size * size), single};
            const CentredMeans components(problem.means, problem.log_weights);
            const auto fast = SoftmaxComponents(components)(queries);
            const auto plain = mixture_softmax_plain(components, queries);
            const Tensor gap = (problem.means.index_select(0, fast.anchor) + fast.offset -
                                problem.means.index_select(0, plain.anchor) - plain.offset) /
                               size;
            EXPECT_LT(gap.abs().max().item<double>(), single ? 1e-4 : 1e-9)
                << "d " << d << " size " << size << " distance " << distance << " single " << single;
          }
        }
  });
}

TEST(MixtureSoftmax, RowsThatAreNotFiniteAreNotNumbers) {
  for (const int64_t d : {2, 40}) {
    const Problem problem = problems(300, d)[0];
    Tensor x = Rng(2).normal({4, d}, {}, at::kDouble);
    x[1][0] = HUGE_VAL, x[2][1] = std::nan("");
    for (const bool single : {false, true}) {
      const auto answer = SoftmaxComponents(CentredMeans(problem.means, problem.log_weights))(
          {x, scalar(1), scalar(1), single});
      const Tensor finite = answer.offset.isfinite().all(1);
      EXPECT_TRUE(finite.equal(at::tensor({1, 0, 0, 1}).to(at::kBool))) << d;
      EXPECT_TRUE(answer.offset.slice(0, 1, 3).isnan().all().item<bool>());
    }
  }
}

// The logits of some queries and all components, in float32: 200 MB at most, up to 8 million components.
TEST(MixtureSoftmax, WorkingMemoryIsBounded) {
  for (int64_t k = 1; k <= 8'000'000; k = k * 5 / 4 + 1) {
    const auto [group, groups] = queries_at_once(k);
    EXPECT_LE(4 * group * groups * k, 200'000'000) << k;
    EXPECT_EQ(group % tile_rows, 0);
    EXPECT_LE(group, most_tiles * tile_rows);
    EXPECT_GE(groups, k <= 4'000'000 ? 2 : 1) << k << ": two threads have work";
  }
}

}  // namespace
}  // namespace fokker::kernel
