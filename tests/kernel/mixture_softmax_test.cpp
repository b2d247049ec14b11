// The kernels of the exact denoiser against their definition in tensor operations.
#include "fokker/kernel/mixture/mixture_softmax.h"

#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/mixture/mixture_leaves.h"
#include "fokker/kernel/mixture/mixture_softmax_prepared.h"
#include "fokker/kernel/mixture/mixture_softmax_rows.h"
#include "instruction_sets.h"
#include "kernel/mixture_problems.h"

namespace fokker::kernel {
namespace {

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

}  // namespace
}  // namespace fokker::kernel
