// The kernels of the exact denoiser where rows, weights and numbers are out of the ordinary.
#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/mixture/mixture_leaves.h"
#include "fokker/kernel/mixture/mixture_softmax.h"
#include "fokker/kernel/mixture/mixture_softmax_prepared.h"
#include "fokker/kernel/mixture/mixture_softmax_rows.h"
#include "instruction_sets.h"
#include "kernel/mixture_problems.h"

namespace fokker::kernel {
namespace {

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

// The logits of some queries and all components, in float32: 180 MB at most.
TEST(MixtureSoftmax, WorkingMemoryIsBounded) {
  for (int64_t k = 1; k <= SoftmaxComponents::most_at_once; k = k * 5 / 4 + 1) {
    const auto [group, groups] = queries_at_once(k);
    EXPECT_LE(4 * group * groups * k, 180'000'000) << k;
    EXPECT_EQ(group % tile_rows, 0);
    EXPECT_LE(group, most_tiles * tile_rows);
    EXPECT_GE(groups, 2) << k << ": two threads have work";
  }
}

// A mixture in parts is one mixture: anchors that tie between parts, parts without any weight, far queries.
TEST(MixtureSoftmax, PartsAreJoined) {
  constexpr int64_t d = 17;
  for (Problem problem : problems(601, d)) {
    for (const bool empty : {false, true}) {
      if (empty) {
        problem.log_weights = problem.log_weights.clone();
        problem.log_weights.slice(0, 0, 200).fill_(-HUGE_VAL);
        problem.log_weights.slice(0, 400).fill_(-HUGE_VAL);
      }
      const CentredMeans components(problem.means, problem.log_weights);
      const SoftmaxComponents whole(components), parts(components, 100);
      for (const double sigma : {0.05, 1.0, 30.0}) {
        const Tensor x = problem.means.slice(0, 0, 601, 30) + sigma * Rng(2).normal({21, d}, {}, at::kDouble);
        const SoftmaxQueries queries{x, scalar(1), scalar(sigma * sigma)};
        EXPECT_LT(gap_between(problem, queries, parts(queries), whole(queries)).largest(), 1e-9)
            << problem.name << " sigma " << sigma << " empty " << empty;
      }
    }
  }
}

// As many components as the plain form takes in several ranges, of which the first has no weight: against the
// definition, whose differences lose nothing in so small numbers.
TEST(MixtureSoftmax, PlainFormOfManyComponentsIsTheDefinition) {
  constexpr int64_t k = 150'000, d = 2, n = 3;
  const Tensor means = Rng(1).normal({k, d}, {}, at::kDouble);
  const Tensor log_weights = Rng(2).uniform({k}, {}, at::kDouble);
  log_weights.slice(0, 0, 70'000).fill_(-HUGE_VAL);
  const CentredMeans components(means, log_weights);
  const Tensor x = Rng(3).normal({n, d}, {}, at::kDouble);
  for (const double variance : {1e-6, 0.1}) {
    const SoftmaxQueries queries{x, scalar(0.9), scalar(variance)};
    const auto plain = mixture_softmax_plain(components, queries);
    const Tensor all = responsibilities(components, queries);
    for (int64_t i = 0; i < n; ++i) {
      const Tensor logits = log_weights - (x[i] - 0.9 * means).square().sum(1) / (2 * variance);
      const Tensor weights = logits.softmax(0);
      const int64_t anchor = plain.anchor[i].item<int64_t>();
      EXPECT_LT((means[anchor] + plain.offset[i] - weights.matmul(means)).abs().max().item<double>(), 1e-9);
      EXPECT_NEAR(plain.log_total[i].item<double>(), (logits.logsumexp(0) - logits[anchor]).item<double>(),
                  1e-9);
      EXPECT_LT((all[i] - weights).abs().max().item<double>(), 1e-9);
    }
  }
}

}  // namespace
}  // namespace fokker::kernel
