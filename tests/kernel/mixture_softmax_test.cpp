// The kernels of the exact denoiser against their definition in tensor operations.
#include "fokker/kernel/mixture_softmax.h"

#include <gtest/gtest.h>

#include "fokker/core/rng.h"

namespace fokker {
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

// Means in two blocks of columns and queries in tiles: rows do not depend on their neighbours.
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

}  // namespace
}  // namespace fokker
