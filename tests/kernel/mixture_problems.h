#pragma once
#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/mixture/mixture_softmax.h"
#include "fokker/kernel/mixture/mixture_softmax_prepared.h"

namespace fokker::kernel {

struct Problem {
  const char* name;
  Tensor means, log_weights;
};

/// Data in general position, in tight clusters, with duplicates, and far from the origin; uneven weights.
inline std::vector<Problem> problems(int64_t k, int64_t d) {
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

inline Tensor scalar(double value) {
  return at::full({1, 1}, value, at::kDouble);
}

/// Largest differences of E[m | x] and of the logarithm of the density's sum, both against float64.
struct Gap {
  double mean, log_total;
  double largest() const { return std::max(mean, log_total); }
};

inline Gap gap_between(const Problem& problem, const SoftmaxQueries& queries, const MixtureSoftmax& fast,
                       const MixtureSoftmax& plain) {
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

inline Gap gap_of(const Problem& problem, const SoftmaxQueries& queries) {
  const CentredMeans components(problem.means, problem.log_weights);
  return gap_between(problem, queries, SoftmaxComponents(components)(queries),
                     mixture_softmax_plain(components, queries));
}

}  // namespace fokker::kernel
